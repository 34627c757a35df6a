//! Stand-ins for the multiplier and the divider, whose true functions no solver can follow through a pipeline. They do something
//! simple instead, in few cycles: what is proved is that operands come to them and results go from them. Their arithmetic is tested on
//! the units themselves.

use ferrite_hdl::prelude::*;
use ferrite_hw::core::divider::{Divide, DivideIn, DivideOut};
use ferrite_hw::core::multiplier::{Multiply, MultiplyIn, MultiplyOut};

/// A different constant for each instruction.
fn constant_of(m: &Builder, funct3: UInt) -> UInt {
    let constant =
        |k: u64| m.constant(Bits::from_u64(32, 0x5851_F42D_u64.wrapping_mul(2 * k + 1) & 0xFFFF_FFFF));
    (0..8).fold(constant(0), |chosen, k| funct3.eq(k).mux(constant(k), chosen))
}

/// What [`Product`] computes.
pub fn instead_of_product(m: &Builder, funct3: UInt, a: UInt, b: UInt) -> UInt {
    a.wrapping_add(b) ^ constant_of(m, funct3)
}

/// What [`Quotient`] computes.
pub fn instead_of_quotient(m: &Builder, funct3: UInt, a: UInt, b: UInt) -> UInt {
    a.wrapping_sub(b) ^ constant_of(m, funct3)
}

/// Has the multiplier's ports, and takes two cycles for all but `mul`, as the pipelined one.
#[module]
pub struct Product {
    /// What it stands for.
    pub unit: Multiply,
}

impl Module for Product {
    type In = MultiplyIn<UInt>;
    type Out = MultiplyOut<UInt>;

    fn inputs(&self) -> MultiplyIn<Shape> {
        self.unit.inputs()
    }
    fn outputs(&self) -> MultiplyOut<Shape> {
        self.unit.outputs()
    }
    fn build(&self, m: &Builder, i: MultiplyIn<UInt>) -> MultiplyOut<UInt> {
        let is_new = m.reg("is_new", 1).reset_to(0);
        is_new.set(i.start & i.funct3.any());
        let result = m.reg("result_q", 32);
        m.when(i.start, || result.set(instead_of_product(m, i.funct3, i.a, i.b)));
        MultiplyOut { ready: !is_new, result }
    }
}

/// Has the divider's ports, and takes three cycles.
#[module]
pub struct Quotient {
    /// What it stands for.
    pub unit: Divide,
}

impl Module for Quotient {
    type In = DivideIn<UInt>;
    type Out = DivideOut<UInt>;

    fn inputs(&self) -> DivideIn<Shape> {
        self.unit.inputs()
    }
    fn outputs(&self) -> DivideOut<Shape> {
        self.unit.outputs()
    }
    fn build(&self, m: &Builder, i: DivideIn<UInt>) -> DivideOut<UInt> {
        let first = m.reg("first", 1).reset_to(0);
        let second = m.reg("second", 1).reset_to(0);
        let done = m.reg("done_q", 1).reset_to(0);
        let (dividend, divisor) = (m.reg("dividend_q", 32), m.reg("divisor_q", 32));
        first.set(i.start);
        second.set(first & !i.start);
        done.set(second & !i.start);
        m.when(i.start, || {
            dividend.set(i.dividend);
            divisor.set(i.divisor);
        });
        DivideOut { done, result: instead_of_quotient(m, i.funct3, dividend, divisor) }
    }
}
