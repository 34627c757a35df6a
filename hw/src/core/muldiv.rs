//! Multiplication and division (RISC-V Unprivileged 20240411, chapter 13).

use ferrite_hdl::prelude::*;

/// Inputs of the multiplier.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct MultiplierIn<T> {
    /// Which instruction.
    pub funct3: T,
    /// First factor.
    pub a: T,
    /// Second factor.
    pub b: T,
}

/// Output of the multiplier.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct MultiplierOut<T> {
    /// The result for the operands of the cycle before.
    pub result: T,
}

/// `mul`, `mulh`, `mulhsu`, `mulhu`: one signed product of 33-bit factors, registered, for a DSP block.
#[module]
pub struct Multiplier {}

impl Module for Multiplier {
    type In = MultiplierIn<UInt>;
    type Out = MultiplierOut<UInt>;

    fn inputs(&self) -> MultiplierIn<Shape> {
        MultiplierIn { funct3: bits(3), a: bits(32), b: bits(32) }
    }
    fn outputs(&self) -> MultiplierOut<Shape> {
        MultiplierOut { result: bits(32) }
    }
    fn build(&self, m: &Builder, i: MultiplierIn<UInt>) -> MultiplierOut<UInt> {
        let kind = i.funct3.slice(0, 2);
        // funct3: 0 mul, 1 mulh (both signed), 2 mulhsu (a signed), 3 mulhu. The low half is the same for all.
        let a = (i.a.msb() & kind.ne(0b11)).concat(i.a).signed();
        let b = (i.b.msb() & !kind.bit(1)).concat(i.b).signed();
        let product = m.delay("product", (a * b).truncate(64));
        let high = m.delay("high", kind.any());
        MultiplierOut { result: high.mux(product.slice(32, 32), product.slice(0, 32)) }
    }
}

/// Inputs of the divider.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DividerIn<T> {
    /// Takes operands; not while it is busy.
    pub start: T,
    /// Which instruction; stays until `done`.
    pub funct3: T,
    /// The dividend.
    pub dividend: T,
    /// The divisor.
    pub divisor: T,
}

/// Outputs of the divider.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DividerOut<T> {
    /// A division is under way.
    pub busy: T,
    /// The result stands, for one cycle.
    pub done: T,
    /// Quotient or remainder.
    pub result: T,
}

/// `div`, `divu`, `rem`, `remu`: restoring division of the magnitudes, one bit in each of 32 cycles.
#[module]
pub struct Divider {}

impl Module for Divider {
    type In = DividerIn<UInt>;
    type Out = DividerOut<UInt>;

    fn inputs(&self) -> DividerIn<Shape> {
        DividerIn { start: bit(), funct3: bits(3), dividend: bits(32), divisor: bits(32) }
    }
    fn outputs(&self) -> DividerOut<Shape> {
        DividerOut { busy: bit(), done: bit(), result: bits(32) }
    }
    fn build(&self, m: &Builder, i: DividerIn<UInt>) -> DividerOut<UInt> {
        let busy = m.reg("busy", 1).reset_to(0);
        let done = m.reg("done", 1).reset_to(0);
        let step = m.reg("step", 5);
        let magnitude = m.reg("magnitude", 32);
        let quotient = m.reg("quotient", 32);
        let remainder = m.reg("remainder", 32);
        let negate_quotient = m.reg("negate_quotient", 1);
        let negate_remainder = m.reg("negate_remainder", 1);

        wire!(m, is_signed = !i.funct3.bit(0));
        wire!(m, dividend_negative = is_signed & i.dividend.msb());
        wire!(m, divisor_negative = is_signed & i.divisor.msb());
        let negated = |negate: UInt, value: UInt| negate.mux((!value).wrapping_add(1), value);

        // The dividend leaves `quotient` at the top while the quotient enters at the bottom.
        wire!(m, partial = remainder.concat(quotient.msb()));
        wire!(m, difference = partial.wrapping_sub(magnitude.extend(33)));
        wire!(m, fits = partial.ge(magnitude.extend(33)));

        done.set(busy & step.all());
        m.when(i.start, || {
            busy.set(1);
            step.set(0);
            quotient.set(negated(dividend_negative, i.dividend));
            remainder.set(0);
            magnitude.set(negated(divisor_negative, i.divisor));
            // Division by zero: the steps give all ones and the dividend, of which only the dividend has a sign.
            negate_quotient.set((dividend_negative ^ divisor_negative) & i.divisor.any());
            negate_remainder.set(dividend_negative);
        })
        .otherwise_when(busy, || {
            busy.set(!step.all());
            step.set(step.wrapping_add(1));
            quotient.set(quotient.slice(0, 31).concat(fits));
            remainder.set(fits.mux(difference, partial).slice(0, 32));
        });
        let result =
            i.funct3.bit(1).mux(negated(negate_remainder, remainder), negated(negate_quotient, quotient));
        DividerOut { busy, done, result }
    }
}
