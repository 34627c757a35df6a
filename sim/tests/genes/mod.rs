//! Circuits that grow from genes: every operator, registers, memories, instances and nested conditions.

use ferrite_hdl::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;

pub const INPUT_WIDTHS: [u32; 4] = [1, 8, 33, 130];
pub const OUTPUTS: usize = 6;
pub const OUTPUT_WIDTH: u32 = 200;

/// Operations that a gene can be.
pub const GENES: u8 = 39;

/// One step in the making of a circuit: an operation and what it picks from the signals made so far.
pub type Gene = (u8, u16, u16, u16, u8);

pub fn genes() -> impl Strategy<Value = Vec<Gene>> {
    vec((0u8..GENES, any::<u16>(), any::<u16>(), any::<u16>(), 0u8..200), 4..40)
}

/// A circuit made from genes.
#[module]
pub struct Circuit {
    pub name: String,
    pub genes: Vec<Gene>,
    /// How deep instances may stand in instances.
    pub depth: u32,
}

#[derive(Clone, Bundle)]
pub struct CircuitIn<T> {
    pub x: Vec<T>,
}

#[derive(Clone, Bundle)]
pub struct CircuitOut<T> {
    pub y: Vec<T>,
}

fn fit(signal: UInt, width: u32) -> UInt {
    if signal.width() < width { signal.extend(width) } else { signal.truncate(width) }
}

impl Module for Circuit {
    type In = CircuitIn<UInt>;
    type Out = CircuitOut<UInt>;

    fn name(&self) -> String {
        self.name.clone()
    }
    fn inputs(&self) -> CircuitIn<Shape> {
        CircuitIn { x: INPUT_WIDTHS.iter().map(|w| bits(*w)).collect() }
    }
    fn outputs(&self) -> CircuitOut<Shape> {
        CircuitOut { y: vec![bits(OUTPUT_WIDTH); OUTPUTS] }
    }
    fn build(&self, m: &Builder, i: CircuitIn<UInt>) -> CircuitOut<UInt> {
        let mut pool = i.x;
        for (k, gene) in self.genes.iter().enumerate() {
            let made = self.grow(m, k, *gene, &pool);
            pool.push(made);
        }
        let last = pool.iter().rev().cycle().take(OUTPUTS).map(|s| fit(*s, OUTPUT_WIDTH)).collect();
        CircuitOut { y: last }
    }
}

impl Circuit {
    fn grow(&self, m: &Builder, k: usize, (op, a, b, c, w): Gene, pool: &[UInt]) -> UInt {
        let pick = |n: u16| pool[n as usize % pool.len()];
        let (a, b, c, width) = (pick(a), pick(b), pick(c), w as u32 + 1);
        let same = fit(b, a.width());
        let condition = c.bit(w as u32 % c.width());
        let low = w as u32 % a.width();
        // An amount of few bits now and then exceeds the width, and mostly does not.
        let amount = fit(b, 9);
        match op {
            0 => a & same,
            1 => a | same,
            2 => a ^ same,
            3 => !a,
            4 => fit(a + b, width),
            5 => fit(a - b, width),
            6 => a + same,
            7 => a.wrapping_sub(same),
            8 => fit(fit(a, 70) * fit(b, 60), width),
            9 => (fit(a, 65).signed() * fit(b, 40).signed()).unsigned(),
            10 => a.eq(same),
            11 => a.ne(same),
            12 => a.lt(same),
            13 => a.ge(same),
            14 => a.signed().lt(b.signed()),
            15 => a.signed().le(b.signed()),
            16 => a << amount,
            17 => a >> amount,
            18 => (a.signed() >> amount).unsigned(),
            19 => condition.mux(a, same),
            20 => fit(concat([fit(a, 90), c, fit(b, 20)]), width),
            21 => a.slice(low, (a.width() - low).min(width)),
            22 => a.signed().extend(a.width().max(width)).unsigned(),
            23 => concat([a.any(), a.all(), a.parity()]),
            24 => (-fit(a, 64).signed() + fit(b, 30).signed()).truncate(width.min(64)),
            25 => m.node(&format!("named_{k}"), fit(a, width).wrapping_add(1)),
            26 | 27 => self.register(m, k, a, b, condition, width, op == 27),
            28 => self.nested(m, k, a, b, c, condition),
            29 => self.memory(m, k, a, b, c, condition),
            30 if self.depth > 0 => {
                let genes = self.genes[..k.min(6)].to_vec();
                let child = Circuit { name: format!("{}_{k}", self.name), genes, depth: self.depth - 1 };
                let x = INPUT_WIDTHS.iter().zip([a, b, c, condition]).map(|(w, s)| fit(s, *w)).collect();
                m.instance(&format!("child_{k}"), &child).connect(CircuitIn { x }).y[0]
            }
            30 => a.repeat(2).truncate((a.width() * 2).min(width)),
            31 => a.bit_at(fit(b, 5)),
            32 => a.le(same),
            33 => a.gt(same),
            34 => a.signed().gt(b.signed()),
            35 => a.signed().ge(b.signed()),
            36 => self.parts(m, k, a, b, condition, low),
            37 => self.shared_memory(m, k, a, b, c, condition),
            _ => self.states(m, k, a, b, condition),
        }
    }

    #[allow(clippy::too_many_arguments)] // what a gene picks
    fn register(
        &self,
        m: &Builder,
        k: usize,
        a: UInt,
        b: UInt,
        condition: UInt,
        width: u32,
        reset: bool,
    ) -> UInt {
        let reg =
            m.reg(&format!("reg_{k}"), width).init(Bits::from_u64(width, 0x1234_5678_9abc_def0 >> (k % 60)));
        let reg = if reset { reg.reset_to(Bits::from_u64(width, k as u64)) } else { reg };
        m.when(condition, || reg.set(fit(a, width).wrapping_add(reg)))
            .otherwise_when(b.any(), || reg.set(fit(b, width)))
            .otherwise(|| {
                m.when(a.parity(), || reg.slice(width / 2, 1).set(b.bit(0)));
            });
        reg
    }

    fn nested(&self, m: &Builder, k: usize, a: UInt, b: UInt, c: UInt, condition: UInt) -> UInt {
        let wire = m.wire(&format!("wire_{k}"), a.width());
        let flag = m.wire(&format!("flag_{k}"), 1);
        wire.set(a);
        flag.set(0);
        m.when(condition, || {
            m.switch(fit(b, 2), |s| {
                s.case(0, || wire.set(fit(b, a.width())));
                s.cases([1, 3], || {
                    m.when(c.any(), || wire.slice(a.width() / 2, 1).set(c.bit(0))).otherwise(|| wire.set(!a));
                    flag.set(1);
                });
            });
        });
        wire ^ flag.repeat(a.width())
    }

    fn memory(&self, m: &Builder, k: usize, a: UInt, b: UInt, c: UInt, condition: UInt) -> UInt {
        let memory =
            m.memory(&format!("memory_{k}"), 8, 24).with_contents((0..3).map(|n| Bits::from_u64(24, n * 77)));
        m.when(condition, || memory.write_masked(fit(a, 3), fit(b, 24), fit(c, 3)));
        let now = memory.read_async(&format!("now_{k}"), fit(b, 3));
        let mut later = now;
        m.when(a.parity(), || later = memory.read(&format!("later_{k}"), fit(c, 3)));
        now.concat(later)
    }
}

/// States of [`Circuit::states`]; one code is no state.
#[derive(Clone, Copy, Encoding)]
enum Phase {
    Idle,
    Busy,
    Done,
}

impl Circuit {
    /// A wire whose parts, of any width, are set apart.
    fn parts(&self, m: &Builder, k: usize, a: UInt, b: UInt, condition: UInt, low: u32) -> UInt {
        let wire = m.wire(&format!("parts_{k}"), a.width() + 7);
        wire.set(fit(a, a.width() + 7));
        m.when(condition, || {
            wire.slice(low, a.width() - low).set(fit(b, a.width() - low));
            wire.slice(a.width(), 7).set(fit(b, 7));
        })
        .otherwise(|| wire.slice(low, 7).set(fit(a, 7)));
        wire
    }

    /// A memory of two write ports, which may meet, and two read ports.
    fn shared_memory(&self, m: &Builder, k: usize, a: UInt, b: UInt, c: UInt, condition: UInt) -> UInt {
        let memory = m.memory(&format!("shared_{k}"), 4, 70);
        memory.write(fit(a, 2), fit(b, 70));
        m.when(condition, || memory.write_masked(fit(b, 2), fit(c, 70), fit(a, 7)));
        let first = memory.read(&format!("first_{k}"), fit(c, 2));
        let mut second = first;
        m.when(!condition, || second = memory.read(&format!("second_{k}"), fit(a, 2)));
        first ^ second
    }

    /// A state machine.
    fn states(&self, m: &Builder, k: usize, a: UInt, b: UInt, condition: UInt) -> UInt {
        let phase = m.reg(&format!("phase_{k}"), Phase::shape()).reset_to(Phase::Idle);
        let result = m.wire(&format!("result_{k}"), a.width());
        result.set(a);
        m.switch(phase, |s| {
            s.case(Phase::Idle, || {
                m.when(condition, || phase.set(Phase::Busy));
            });
            s.cases([Phase::Busy, Phase::Done], || {
                result.set(!a);
                m.when(b.parity(), || phase.set(Phase::Done)).otherwise(|| phase.set(Phase::Idle));
            });
        });
        concat([result, phase, phase.is(Phase::Done)])
    }
}
