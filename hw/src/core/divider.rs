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
/// The divisor is never negated. A positive one would have to be subtracted: r - d = !(!r + d), so the dividend, the remainder and the
/// quotient are held inverted instead, and the divisor is added whatever its sign.
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
        let first = m.delay("first", i.start);
        let step = m.reg("step", 6 - self.bits.ilog2());
        let divisor = m.reg("divisor_held", 32);
        let inverted = m.reg("inverted", 1).init(1);
        let negates = m.reg("negates", 1);
        // Registers that `start` sets begin like that, so that the flip-flop's own set does it.
        let remainder = m.reg("remainder", 32).init(Bits::ones(32));
        // The dividend leaves at the top while the quotient enters at the bottom.
        let quotient = m.reg("quotient", 32 + self.bits);

        wire!(m, is_signed = !i.funct3.bit(0));
        wire!(m, is_remainder = i.funct3.bit(1));
        wire!(m, dividend_negative = is_signed & quotient.bit(31));
        wire!(m, divisor_negative = is_signed & divisor.msb());
        wire!(m, last = step.msb());
        let done = m.reg("done", 1).reset_to(0);
        done.set(busy & last & !i.start);

        // One adder makes the magnitude of the dividend (inverted: -x - 1, which is x - 1 of a negative one) and signs the result.
        wire!(m, inverts_first = first & !(dividend_negative ^ divisor_negative));
        wire!(m, inverts = inverts_first | (done & (inverted ^ negates)));
        wire!(m, increments = (first & dividend_negative & divisor_negative) | (done & negates));
        wire!(m, decrements = first & dividend_negative & !divisor_negative);
        wire!(m, chosen = (done & is_remainder).mux(remainder, quotient.slice(0, 32)));
        let one = m.constant(Bits::ones(1));
        let addend = decrements.repeat(32).concat(increments);
        wire!(m, adjusted = (chosen ^ inverts.repeat(32)).concat(one).wrapping_add(addend).slice(1, 32));

        // The first step is that of the dividend's extension, inverted: all ones, into which only 0 goes. It leaves a remainder of 0.
        wire!(m, uninverts = first & divisor_negative);
        let search = Search { m, divisor, inverted, uninverts };
        let found = if self.bits == 1 {
            search.one_bit(remainder, quotient.msb())
        } else {
            let triple = m.reg("triple", 34).init(1);
            let signed = divisor_negative.concat(divisor).signed();
            let double = divisor_negative.concat(divisor).concat(Bits::zero(1));
            m.when(i.start, || triple.set(1))
                .otherwise_when(first, || triple.set(signed.extend(34).unsigned().wrapping_add(double)));
            search.pairs(remainder, quotient.slice(32, self.bits), triple)
        };

        m.when(i.start, || {
            busy.set(1);
            step.set(0);
            divisor.set(i.divisor);
            inverted.set(1);
            remainder.set(Bits::ones(32));
            quotient.set(m.constant(Bits::ones(self.bits)).concat(i.dividend));
        })
        .otherwise_when(busy, || {
            busy.set(!last);
            step.set(step.wrapping_add(1));
            remainder.set(found.remainder);
            quotient.set(adjusted.concat(found.digits));
            m.when(first, || {
                inverted.set(!divisor_negative);
                let quotient_negative = (dividend_negative ^ divisor_negative) & !found.fits;
                negates.set(is_remainder.mux(dividend_negative, quotient_negative));
            });
        });
        DivideOut { done, result: adjusted }
    }
}

/// What a cycle finds. All but `fits` is inverted if the remainder was.
struct Found {
    /// The new remainder.
    remainder: UInt,
    /// Bits of the quotient.
    digits: UInt,
    /// The divisor goes into the first partial remainder.
    fits: UInt,
}

/// The search for the next bits of the quotient.
struct Search<'a> {
    m: &'a Builder,
    divisor: UInt,
    /// The remainder is inverted, since the divisor is not negative.
    inverted: UInt,
    /// The new remainder is to be 0; the old one and the bits below it are all ones.
    uninverts: UInt,
}

impl Search<'_> {
    /// The low word of a partial remainder less a multiple of the divisor, and whether the multiple goes into it.
    fn try_multiple(&self, name: &str, partial: UInt, multiple: UInt) -> (UInt, UInt) {
        let sum = self.m.node(name, partial + multiple);
        (sum.slice(0, 32), sum.msb() ^ self.inverted)
    }

    fn one_bit(&self, remainder: UInt, next: UInt) -> Found {
        let partial = remainder.concat(next);
        let (rest, fits) = self.try_multiple("rest", partial, (!self.inverted).concat(self.divisor));
        let fits = self.m.node("fits", fits);
        let remainder = fits.mux(rest, partial.slice(0, 32)) ^ self.uninverts.repeat(32);
        Found { remainder, digits: fits ^ self.inverted, fits }
    }

    /// Two bits at a time: all multiples are tried at once. `triple` is three times the divisor, but 1 in the first step.
    fn pairs(&self, mut remainder: UInt, next: UInt, triple: UInt) -> Found {
        let m = self.m;
        let sign = !self.inverted;
        let single = sign.repeat(2).concat(self.divisor);
        let double = sign.concat(self.divisor).concat(Bits::zero(1));
        let mut digits = Vec::new();
        let mut first_fits = None;
        for k in (0..next.width() / 2).rev() {
            let partial = remainder.concat(next.slice(2 * k, 2));
            let (rest_1, fits_1) = self.try_multiple(&format!("rest_1_{k}"), partial, single);
            let (rest_2, fits_2) = self.try_multiple(&format!("rest_2_{k}"), partial, double);
            let (rest_3, fits_3) = self.try_multiple(&format!("rest_3_{k}"), partial, triple);
            let (mut high, mut low) = (fits_2, fits_2.mux(fits_3, fits_1));
            if k == 0 {
                // `triple`, 1, added to all ones is the 0 that is asked for.
                (high, low) = (high | self.uninverts, low | self.uninverts);
            }
            let high = m.node(&format!("high_{k}"), high);
            let low = m.node(&format!("low_{k}"), low);
            let rest = high.mux(low.mux(rest_3, rest_2), low.mux(rest_1, partial.slice(0, 32)));
            remainder = m.node(&format!("remainder_{k}"), rest);
            digits.extend([high ^ self.inverted, low ^ self.inverted]);
            first_fits = first_fits.or(Some(fits_1));
        }
        Found { remainder, digits: concat(digits), fits: first_fits.unwrap_or(self.inverted) }
    }
}
