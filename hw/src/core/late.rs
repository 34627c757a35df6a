//! The units whose results arrive while their instruction is in commit.

use ferrite_hdl::Instance;
use ferrite_hdl::prelude::*;

use super::commit::Late;
use super::config::{CoreConfig, Shifter};
use super::divider::{Divide, DivideIn, DivideOut};
use super::multiplier::{Multiply, MultiplyIn, MultiplyOut};
use super::pipeline::{Commit, Execute};
use super::shifter::{Shift, ShiftIn, ShiftOut};

/// Multiplier, divider and iterative shifter, if the core has them.
pub struct LateUnits {
    units: Option<(Instance<Multiply>, Instance<Divide>)>,
    shifter: Option<Instance<Shift>>,
    never: Late,
}

impl LateUnits {
    /// Makes them.
    pub fn new(m: &Builder, config: &CoreConfig) -> LateUnits {
        let units = config.extensions.m.then(|| {
            let multiplier = m.instance("multiplier", &Multiply { kind: config.multiplier });
            let divider = m.instance("divider", &Divide { bits: config.divider_bits });
            (multiplier, divider)
        });
        let shifter = (config.shifter == Shifter::Iterative)
            .then(|| m.instance("shifter", &Shift { extensions: config.extensions }));
        let zeros = |width: u32| m.constant(Bits::zero(width));
        let never = Late {
            product: MultiplyOut { ready: zeros(1), result: zeros(32) },
            quotient: DivideOut { done: zeros(1), result: zeros(32) },
            shifted: ShiftOut { busy: zeros(1), result: zeros(32) },
        };
        LateUnits { units, shifter, never }
    }

    /// Their results.
    pub fn outputs(&self) -> Late {
        let shifted = self.shifter.as_ref().map_or(self.never.shifted, |shifter| shifter.o);
        match &self.units {
            Some((multiplier, divider)) => Late { product: multiplier.o, quotient: divider.o, shifted },
            None => Late { shifted, ..self.never },
        }
    }

    /// Gives them the operands of the instruction in execute, again and again until it `leaves`, which is known late: the last time counts. They
    /// finish what commit waits for before.
    pub fn start(
        self,
        (x, x_valid, leaves): (Execute<UInt>, UInt, UInt),
        (c, c_valid): (Commit<UInt>, UInt),
    ) {
        if let Some(shifter) = self.shifter {
            shifter.connect(ShiftIn {
                enters: leaves,
                start: x.d.alu.shifts & !x.kind.traps,
                control: x.d.alu,
                a: x.a,
                amount: x.b.slice(0, 5),
            });
        }
        let Some((multiplier, divider)) = self.units else { return };
        let multiplies = c_valid & c.multiplies & !multiplier.o.ready;
        let divides = c_valid & c.divides & !divider.o.done;
        multiplier.connect(MultiplyIn {
            start: x_valid & x.kind.multiply & !multiplies,
            funct3: x.insn.slice(12, 3),
            a: x.a,
            b: x.b,
        });
        // The instruction is in commit from the cycle on that follows `start`.
        divider.connect(DivideIn {
            start: x_valid & x.kind.divide & !divides,
            funct3: c.insn.slice(12, 3),
            dividend: x.a,
            divisor: x.b,
        });
    }
}
