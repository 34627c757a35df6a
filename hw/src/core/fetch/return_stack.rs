//! Return addresses of the functions that have been called.

use ferrite_hdl::prelude::*;

/// Inputs of the return stack.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ReturnStackIn<T> {
    /// A function is called.
    pub push: T,
    /// A function returns.
    pub pop: T,
    /// Where the function that is called will return.
    pub address: T,
}

impl ReturnStackIn<Shape> {
    /// The widths.
    pub fn shape() -> ReturnStackIn<Shape> {
        ReturnStackIn { push: bit(), pop: bit(), address: bits(32) }
    }
}

/// Output of the return stack.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ReturnStackOut<T> {
    /// Where the next return goes.
    pub top: T,
}

/// The last return addresses; older ones are overwritten.
#[module]
pub struct ReturnStack {
    /// Number of places, a power of two.
    pub places: u32,
}

impl Module for ReturnStack {
    type In = ReturnStackIn<UInt>;
    type Out = ReturnStackOut<UInt>;

    fn inputs(&self) -> ReturnStackIn<Shape> {
        ReturnStackIn::shape()
    }
    fn outputs(&self) -> ReturnStackOut<Shape> {
        ReturnStackOut { top: bits(32) }
    }
    fn build(&self, m: &Builder, i: ReturnStackIn<UInt>) -> ReturnStackOut<UInt> {
        let top = m.reg("top_place", self.places.ilog2()).reset_to(0);
        let addresses = m.memory("addresses", self.places, 31);
        // A function that returns and calls in one keeps the height.
        wire!(m, place = (i.push & !i.pop).mux(top.wrapping_add(1), top));
        m.when(i.push, || addresses.write(place, i.address.slice(1, 31)));
        top.set((i.pop & !i.push).mux(top.wrapping_sub(1), place));
        ReturnStackOut { top: addresses.read_async("top_address", top).concat(m.constant(Bits::zero(1))) }
    }
}
