//! The processing element: two weights, one multiplier, one adder.

use ferrite_hdl::prelude::*;

/// How the weights of a column move. All elements of a column hear the same in the same cycle.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Shift<T> {
    /// The next tile's weights move one row south, and one enters at the top.
    pub load: T,
    /// The tile is complete with it.
    pub last: T,
}

impl Shift<Shape> {
    /// The widths.
    pub fn shape() -> Shift<Shape> {
        Shift { load: bit(), last: bit() }
    }
}

/// What enters an element: an activation from the west, a weight and a partial sum from the north.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PeIn<T> {
    /// Activation, int8.
    pub act: T,
    /// From the next cycle's activation on the next tile's weight is multiplied.
    pub swap: T,
    /// Weight of the next tile, int8. The first one may enter one cycle after the swap to the tile before.
    pub weight: T,
    /// How the next tile's weights move.
    pub shift: Shift<T>,
    /// Sum of the elements to the north for the activation of two cycles before.
    pub psum: T,
}

/// What leaves an element: the activation to the east, the weight and the partial sum to the south.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PeOut<T> {
    /// The activation of the cycle before.
    pub act: T,
    /// The swap of the cycle before.
    pub swap: T,
    /// The next tile's weight.
    pub weight: T,
    /// The sum of the cycle before with this element's product: that of the activation three cycles before.
    pub psum: T,
}

/// A weight-stationary processing element with a second weight, which is loaded while the first one is multiplied.
///
/// The next weights of a column are a shift register, which a new tile may enter in the cycle in which the top element swaps. The elements
/// below it still keep theirs for some cycles: an element that is `full` does not shift. Since the swap moves south by a row in a
/// cycle and the new weights no faster, each element is free by the time it has to pass the first one on.
///
/// Activation, product and sum have a register each: the multiplier is alone in its cycle.
#[module]
pub struct Pe {
    /// Bits of a partial sum.
    pub psum_bits: u32,
}

impl Module for Pe {
    type In = PeIn<UInt>;
    type Out = PeOut<UInt>;

    fn name(&self) -> String {
        format!("ComputePe_{}", self.psum_bits)
    }
    fn inputs(&self) -> PeIn<Shape> {
        let (act, weight, psum) = (signed(8), signed(8), signed(self.psum_bits));
        PeIn { act, swap: bit(), weight, shift: Shift::shape(), psum }
    }
    fn outputs(&self) -> PeOut<Shape> {
        PeOut { act: signed(8), swap: bit(), weight: signed(8), psum: signed(self.psum_bits) }
    }
    fn build(&self, m: &Builder, i: PeIn<UInt>) -> PeOut<UInt> {
        let weight = m.reg("weight", signed(8));
        let next = m.reg("next", signed(8));
        let full = m.reg("full", 1).reset_to(0);
        let act = m.delay("act", i.act).signed();
        let swap = m.reg("swap", 1).reset_to(0);
        swap.set(i.swap);
        m.when(swap, || {
            weight.set(next);
            full.set(0);
        });
        wire!(m, shifts = i.shift.load & (!full | swap));
        m.when(shifts, || next.set(i.weight));
        m.when(shifts & i.shift.last, || full.set(1));
        let product = m.delay("product", (act * weight.signed()).unsigned());
        let sum = (i.psum.signed() + product.signed()).truncate(self.psum_bits);
        PeOut { act: act.unsigned(), swap, weight: next, psum: m.delay("psum", sum) }
    }
}
