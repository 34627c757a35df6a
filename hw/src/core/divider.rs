//! Division (RISC-V Unprivileged 20240411, 13.2).

use ferrite_hdl::prelude::*;

/// Inputs of the divider.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DivideIn<T> {
    /// The other inputs are those of a division, which begins in this cycle. One that has not come to its end is given up.
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
pub struct DivideOut<T> {
    /// The result stands, for one cycle.
    pub done: T,
    /// Quotient or remainder.
    pub result: T,
}

/// `div`, `divu`, `rem`, `remu`: restoring division of the magnitudes. `done` comes 32 / `bits` + 2 cycles after `start`.
///
/// No operand is negated on its way in. A positive divisor would have to be subtracted: r - d = !(!r + d), so the dividend, the remainder and
/// the quotient are held inverted instead, and the divisor is added as it is, whatever its sign.
#[module]
pub struct Divide {
    /// Bits of the quotient found in a cycle: 1, 2 or 4.
    pub bits: u32,
}

impl Module for Divide {
    type In = DivideIn<UInt>;
    type Out = DivideOut<UInt>;

    fn inputs(&self) -> DivideIn<Shape> {
        DivideIn { start: bit(), funct3: bits(3), dividend: bits(32), divisor: bits(32) }
    }
    fn outputs(&self) -> DivideOut<Shape> {
        DivideOut { done: bit(), result: bits(32) }
    }
    fn build(&self, m: &Builder, i: DivideIn<UInt>) -> DivideOut<UInt> {
        let busy = m.reg("busy", 1).reset_to(0);
        let first = m.reg("first", 1);
        let done = m.reg("done", 1).reset_to(0);
        let step = m.reg("step", 6 - self.bits.ilog2());
        let divisor = m.reg("divisor_held", 32);
        let remainder = m.reg("remainder", 32).init(Bits::ones(32));
        // The dividend leaves at the top while the quotient enters at the bottom.
        let quotient = m.reg("quotient", 32 + self.bits);
        let inverted = m.reg("inverted", 1).init(1);
        let negates = m.reg("negates", 1);

        wire!(m, is_signed = !i.funct3.bit(0));
        wire!(m, is_remainder = i.funct3.bit(1));
        wire!(m, dividend_negative = is_signed & quotient.bit(31));
        wire!(m, divisor_negative = is_signed & divisor.msb());

        // One adder makes the magnitude of the dividend and, at the end, gives the result its sign.
        wire!(m, inverts_first = first & !(dividend_negative ^ divisor_negative));
        wire!(m, inverts = inverts_first | (done & (inverted ^ negates)));
        wire!(m, increments = (first & dividend_negative & divisor_negative) | (done & negates));
        wire!(m, decrements = first & dividend_negative & !divisor_negative);
        let chosen = (done & is_remainder).mux(remainder, quotient.slice(0, 32));
        wire!(m, operand = chosen ^ inverts.repeat(32));
        let one = m.constant(Bits::from_u64(1, 1));
        wire!(m, adjusted = operand.concat(one).wrapping_add(decrements.repeat(32).concat(increments)).slice(1, 32));

        // The first step is that of the dividend's extension by 0, or rather its inverse: only 0 goes into it.
        let mut found = Vec::new();
        let mut partial = remainder;
        for k in 0..self.bits {
            partial = partial.concat(quotient.bit(31 + self.bits - k));
            let wide = (!inverted).concat(divisor).extend(34);
            let sum = m.node(&format!("sum_{k}"), partial.extend(34).wrapping_add(wide));
            let fits = m.node(&format!("fits_{k}"), sum.msb() ^ inverted);
            partial = m.node(&format!("rest_{k}"), fits.mux(sum.slice(0, 32), partial.slice(0, 32)));
            found.push(sum.msb());
        }
        wire!(m, by_zero = !found[0]);

        m.when(i.start, || {
            busy.set(1);
            step.set(0);
            divisor.set(i.divisor);
            remainder.set(Bits::ones(32));
            quotient.set(m.constant(Bits::ones(self.bits)).concat(i.dividend));
            inverted.set(1);
        })
        .otherwise_when(busy, || {
            busy.set(!step.msb());
            step.set(step.wrapping_add(1));
            remainder.set(partial ^ (first & divisor_negative).repeat(32));
            quotient.set(adjusted.concat(concat(found)));
            m.when(first, || {
                inverted.set(!divisor_negative);
                negates.set(is_remainder.mux(dividend_negative, (dividend_negative ^ divisor_negative) & !by_zero));
            });
        });
        first.set(i.start);
        done.set(busy & step.msb() & !i.start);
        DivideOut { done, result: adjusted }
    }
}
