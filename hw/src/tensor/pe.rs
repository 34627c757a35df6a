//! The processing element: one weight, one multiplier, one adder.

use ferrite_hdl::prelude::*;

/// What enters an element: an activation from the west, a weight and a partial sum from the north.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PeIn<T> {
    /// Activation, int8.
    pub act: T,
    /// Weight taken while `load` is high, int8.
    pub weight: T,
    /// Sum of the elements to the north.
    pub psum: T,
    /// The weights move one row south.
    pub load: T,
}

/// What leaves an element: the activation to the east, the weight and the partial sum to the south.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PeOut<T> {
    /// The activation of the cycle before.
    pub act: T,
    /// The weight held.
    pub weight: T,
    /// The sum of the cycle before with this element's product.
    pub psum: T,
}

/// A weight-stationary processing element. The weights of a column are a shift register, by which a tile is loaded.
#[module]
pub struct Pe {
    /// Bits of a partial sum.
    pub psum_bits: u32,
}

impl Module for Pe {
    type In = PeIn<UInt>;
    type Out = PeOut<UInt>;

    fn inputs(&self) -> PeIn<Shape> {
        PeIn { act: signed(8), weight: signed(8), psum: signed(self.psum_bits), load: bit() }
    }
    fn outputs(&self) -> PeOut<Shape> {
        PeOut { act: signed(8), weight: signed(8), psum: signed(self.psum_bits) }
    }
    fn build(&self, m: &Builder, i: PeIn<UInt>) -> PeOut<UInt> {
        let weight = m.reg("weight", signed(8));
        m.when(i.load, || weight.set(i.weight));
        wire!(m, product = (i.act.signed() * weight.signed()).unsigned());
        let sum = (i.psum.signed() + product.signed()).truncate(self.psum_bits);
        PeOut { act: m.delay("act", i.act), weight, psum: m.delay("psum", sum) }
    }
}
