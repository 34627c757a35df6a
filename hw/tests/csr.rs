//! The control and status registers against the golden model, instruction by instruction.

use ferrite_hdl::Bits;
use ferrite_hdl::prelude::*;
use ferrite_hw::core::config::{CoreConfig, Extensions};
use ferrite_hw::core::csr::{Csr, CsrIn, CsrValues, EVENTS, Write, is_legal};
use ferrite_hw::core::{Interrupts, Trap};
use ferrite_model::isa::{Inst, Op, csr, reg::*};
use ferrite_model::iss::{
    Bus, BusFault, Counters, HartConfig, Interrupt, Iss, Observed, PmpRegions, Privilege, Reading, Retired,
    Width, cause,
};
use ferrite_sim::Sim;

const MSTATUS_MPP: u32 = 3 << 11;
const MSTATUS_MPRV: u32 = 1 << 17;
const MSTATUS_TW: u32 = 1 << 21;
const FIRST_EVENT: u16 = 3;

/// Everything that there can be.
const FULL: CoreConfig =
    CoreConfig { hart_id: 0x8000_0403, pmp_regions: 16, event_counters: 29, ..CoreConfig::FAST };
/// Some of it.
const SOME: CoreConfig = CoreConfig {
    extensions: Extensions { zbb: false, ..Extensions::ALL },
    pmp_regions: 4,
    event_counters: 2,
    ..CoreConfig::FAST
};
/// Counters that only machine mode reads.
const COUNTING: CoreConfig =
    CoreConfig { counters: true, event_counters: 1, pmp_regions: 8, ..CoreConfig::SMALL };
/// User mode without counters.
const WITHOUT_COUNTERS: CoreConfig = CoreConfig { counters: false, ..CoreConfig::FAST };

/// The model's name for a configuration.
fn hart_config(config: &CoreConfig) -> HartConfig {
    let Extensions { m, c, zba, zbb, zbs } = config.extensions;
    HartConfig {
        m,
        c,
        zba,
        zbb,
        zbs,
        mhartid: config.hart_id,
        user_mode: config.user_mode,
        pmp_regions: match config.pmp_regions {
            0 => PmpRegions::None,
            4 => PmpRegions::Four,
            8 => PmpRegions::Eight,
            _ => PmpRegions::Sixteen,
        },
        counters: Counters {
            machine: config.counters,
            unprivileged: config.counters && config.user_mode,
            time: false,
            events: config.event_counters,
            event_mask: (1 << EVENTS) - 1,
            inhibit: config.counters,
        },
        mtval: config.mtval,
        ..HartConfig::default()
    }
}

/// A generator of numbers (xorshift), the same ones in every run.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.word() % bound
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// All bits, none, one, a few or many.
    fn value(&mut self) -> u32 {
        match self.below(6) {
            0 => 0,
            1 => u32::MAX,
            2 => 1 << self.below(32),
            3 => self.word() & self.word() & self.word(),
            _ => self.word(),
        }
    }
}

/// A memory in which nothing can be read, and of which the program is one instruction wherever the pc is.
#[derive(Clone)]
struct Program {
    pc: u32,
    word: u32,
    lines: u32,
}

impl Bus for Program {
    fn fetch(&mut self, address: u32) -> Result<u32, BusFault> {
        let byte =
            |k: u32| self.word.to_le_bytes().get((address + k).wrapping_sub(self.pc) as usize).copied();
        Ok(u32::from_le_bytes([0, 1, 2, 3].map(|k| byte(k).unwrap_or(0))))
    }
    fn load(&mut self, _: u32, _: Width) -> Result<Reading, BusFault> {
        Err(BusFault)
    }
    fn store(&mut self, _: u32, _: Width, _: u32) -> Result<(), BusFault> {
        Err(BusFault)
    }
    fn interrupts(&self) -> u32 {
        self.lines
    }
}

/// What happens in a cycle.
#[derive(Clone, Copy, Default)]
struct Cycle {
    number: u16,
    write: Option<(u16, u32)>,
    /// Interrupt or not, code, `mtval` and pc.
    trap: Option<(bool, u32, u32, u32)>,
    mret: bool,
    retires: bool,
}

/// The CSRs and the model, and the counters that the model cannot know.
struct Pair {
    config: CoreConfig,
    sim: Sim<Csr>,
    model: Iss<Program>,
    random: Random,
    /// CSRs that exist.
    existing: Vec<u16>,
    /// Number 0 counts cycles, those from 3 on events.
    counted: [u64; 32],
    /// What counters of events count, up to the instruction that commits.
    selectors: [u32; 32],
    /// Events of the cycle before.
    happened: u32,
}

impl Pair {
    fn new(config: CoreConfig) -> Pair {
        let model = Iss::new(Program { pc: 0, word: 0, lines: 0 }, hart_config(&config));
        let existing = (0..0x1000).filter(|&number| model.csr(number).is_some()).collect();
        Pair {
            config,
            sim: Sim::new(&Csr { config }).unwrap_or_else(|mistakes| panic!("{mistakes}")),
            model,
            random: Random(0x9E37_79B9_7F4A_7C15),
            existing,
            counted: [0; 32],
            selectors: [0; 32],
            happened: 0,
        }
    }

    fn reset(&mut self) {
        self.sim.reset();
        self.model = Iss::new(Program { pc: 0, word: 0, lines: 0 }, hart_config(&self.config));
        self.counted = [0; 32];
    }

    fn model_csr(&self, number: u16) -> u32 {
        self.model.csr(number).unwrap_or(0)
    }

    /// Sets the inputs of a cycle.
    fn poke(&mut self, cycle: Cycle, events: u32) {
        let line = |interrupt: Interrupt| i128::from(self.model.bus.lines & interrupt.bit() != 0);
        let (interrupt, code, tval, pc) = cycle.trap.unwrap_or_default();
        let (number, value) = cycle.write.unwrap_or_default();
        let inputs = CsrIn {
            number: cycle.number.into(),
            write: Write {
                valid: cycle.write.is_some().into(),
                number: number.into(),
                value: i128::from(value),
            },
            trap: Trap {
                valid: cycle.trap.is_some().into(),
                interrupt: interrupt.into(),
                code: code.into(),
                tval: tval.into(),
            },
            pc: pc.into(),
            mret: cycle.mret.into(),
            retires: cycle.retires.into(),
            interrupts: Interrupts {
                timer: line(Interrupt::Timer),
                software: line(Interrupt::Software),
                external: line(Interrupt::External),
            },
            events: events.into(),
        };
        self.sim.poke(inputs);
    }

    /// A cycle, with random events.
    fn cycle(&mut self, cycle: Cycle) {
        let events = self.random.word() & self.random.word() & ((1 << EVENTS) - 1);
        self.poke(cycle, events);
        self.count(cycle.write);
        self.happened = events;
        self.sim.step();
    }

    /// What the cycle before a clock edge does to the counters whose values depend on timing.
    fn count(&mut self, write: Option<(u16, u32)>) {
        if !self.config.counters {
            return;
        }
        let inhibited = self.sim.get(self.sim.o.values.mcountinhibit) as u32;
        let events = FIRST_EVENT..FIRST_EVENT + self.config.event_counters as u16;
        for counter in std::iter::once(0).chain(events) {
            let value = self.counted[usize::from(counter)];
            let happens = match counter {
                0 => true,
                _ => self.selectors[usize::from(counter)] & self.happened != 0,
            };
            self.counted[usize::from(counter)] = match write {
                Some((number, low)) if number == csr::MCYCLE + counter => value >> 32 << 32 | u64::from(low),
                Some((number, high)) if number == csr::MCYCLEH + counter => {
                    u64::from(high) << 32 | u64::from(value as u32)
                }
                _ if happens && inhibited >> counter & 1 == 0 => value.wrapping_add(1),
                _ => value,
            };
        }
    }

    /// The value of a counter that the model does not know.
    fn timed(&self, number: u16) -> u32 {
        let value = self.counted[usize::from(number & 31)];
        if number & 0x80 != 0 { (value >> 32) as u32 } else { value as u32 }
    }

    fn random_instruction(&mut self) -> Inst {
        let random = &mut self.random;
        let plain = [Op::Ecall, Op::Ebreak, Op::Mret, Op::Mret, Op::Addi, Op::Lw, Op::Jalr, Op::Sh];
        if random.one_in(3) {
            let op = plain[random.below(plain.len() as u32) as usize];
            return Inst { rs1: A0, ..Inst::new(op) };
        }
        let ops = [Op::Csrrw, Op::Csrrw, Op::Csrrs, Op::Csrrc, Op::Csrrwi, Op::Csrrsi, Op::Csrrci];
        let op = ops[random.below(7) as usize];
        let by_register = matches!(op, Op::Csrrw | Op::Csrrs | Op::Csrrc);
        let regions = self.config.pmp_regions;
        let number = match random.below(12) {
            0 => random.below(0x1000) as u16,
            // The registers of traps and of PMP, more often than they would come.
            1..5 => [0x300, 0x304, 0x305, 0x340, 0x341, 0x342, 0x343, 0x320][random.below(8) as usize],
            5 if regions > 0 => csr::PMPCFG0 + random.below(regions / 4) as u16,
            6 if regions > 0 => csr::PMPADDR0 + random.below(regions) as u16,
            _ => self.existing[random.below(self.existing.len() as u32) as usize],
        };
        let rs1 = if by_register && !random.one_in(4) { A0 } else { ZERO };
        let imm = if by_register { 0 } else { random.below(32) as i32 };
        Inst { rd: A1, rs1, imm, csr: number, ..Inst::new(op) }
    }

    /// An operand that rarely locks a PMP entry: what has locked all of them does nothing any more.
    fn random_operand(&mut self, number: u16) -> u32 {
        let value = self.random.value();
        let is_pmpcfg = (csr::PMPCFG0..csr::PMPCFG0 + 4).contains(&number);
        if is_pmpcfg && !self.random.one_in(8) { value & 0x7F7F_7F7F } else { value }
    }

    /// An instruction in both, perhaps after an interrupt.
    fn step(&mut self) {
        self.model.bus.lines = self.random.value() & 0x888;
        self.cycle(Cycle::default());
        let interrupt = self.check_pending();
        let interrupt = interrupt.filter(|_| self.random.one_in(2));
        let pc = match interrupt {
            Some(interrupt) => self.interrupt(interrupt),
            None => self.model.pc(),
        };

        let inst = self.random_instruction();
        let operand = self.random_operand(inst.csr);
        self.model.set_register(A0, operand);
        self.model.bus.pc = pc;
        self.model.bus.word = inst.encode().expect("its fields fit");
        let timed = self.timed(inst.csr);
        self.cycle(Cycle { number: inst.csr, ..Cycle::default() });
        let read = self.sim.get(self.sim.o.read) as u32;
        let retired =
            self.model.step_with(&Observed { interrupt, rd_value: Some(read), ..Observed::default() });
        if let Some(access) = retired.csr {
            let expected = match access.csr {
                csr::MIP => self.model.bus.lines,
                _ if retired.timing => timed,
                _ => access.old,
            };
            assert_eq!(read, expected, "{:#x}", access.csr);
        }
        self.commit(&retired);
        self.compare();
    }

    /// Takes an interrupt; returns where it goes.
    fn interrupt(&mut self, interrupt: Interrupt) -> u32 {
        let trap = Some((true, interrupt.code(), 0, self.model.pc()));
        let handler = self.model.csrs().handler(cause::INTERRUPT | interrupt.code());
        self.poke(Cycle { trap, ..Cycle::default() }, 0);
        assert_eq!(self.sim.get(self.sim.o.handler), i128::from(handler), "{interrupt:?}");
        self.cycle(Cycle { trap, ..Cycle::default() });
        handler
    }

    /// The effects of an instruction.
    fn commit(&mut self, retired: &Retired) {
        let write = retired.csr.and_then(|access| access.written.map(|value| (access.csr, value)));
        let mret = retired.inst.is_some_and(|inst| inst.op == Op::Mret) && retired.trap.is_none();
        let cycle = Cycle {
            number: self.random.below(0x1000) as u16,
            write,
            trap: retired.trap.map(|trap| (false, trap.cause, trap.tval, retired.pc)),
            mret,
            retires: retired.trap.is_none(),
        };
        self.poke(cycle, 0);
        if retired.trap.is_some() {
            assert_eq!(self.sim.get(self.sim.o.handler), i128::from(retired.next_pc));
        }
        if mret {
            assert_eq!(self.sim.get(self.sim.o.mepc), i128::from(retired.next_pc));
        }
        self.cycle(cycle);
    }

    /// The interrupt that is to be taken, on which both agree.
    fn check_pending(&mut self) -> Option<Interrupt> {
        let o = self.sim.o;
        let pending = self.model.bus.lines & self.model_csr(csr::MIE);
        assert_eq!(self.sim.get(o.wakes), i128::from(pending != 0));
        let expected = Interrupt::most_urgent(self.model.bus.lines & self.model.csrs().enabled_interrupts());
        assert_eq!(self.sim.get(o.interrupt), i128::from(expected.is_some()));
        if let Some(interrupt) = expected {
            assert_eq!(self.sim.get(o.interrupt_code), i128::from(interrupt.code()));
        }
        expected
    }

    /// Compares all that is more than a counter of time.
    fn compare(&mut self) {
        for counter in FIRST_EVENT..32 {
            self.selectors[usize::from(counter)] = self.model_csr(csr::MHPMEVENT3 + counter - FIRST_EVENT);
        }
        let outputs = self.sim.o;
        let mstatus = self.model_csr(csr::MSTATUS);
        let machine = self.model.privilege() == Privilege::Machine;
        let data = if mstatus & MSTATUS_MPRV != 0 { mstatus & MSTATUS_MPP != 0 } else { machine };
        assert_eq!(self.sim.get(outputs.machine_mode), i128::from(machine));
        assert_eq!(self.sim.get(outputs.data_machine_mode), i128::from(data));
        assert_eq!(self.sim.get(outputs.timeout_wait), i128::from(mstatus & MSTATUS_TW != 0));
        assert_eq!(self.sim.get(outputs.counters_allowed) as u32, self.model_csr(csr::MCOUNTEREN));
        let seen = outputs.values.map(|port| self.sim.get(port) as u64);
        let word = |number: u16| u64::from(self.model_csr(number));
        let expected = CsrValues {
            mstatus: word(csr::MSTATUS),
            mie: word(csr::MIE),
            mtvec: word(csr::MTVEC),
            mscratch: word(csr::MSCRATCH),
            mepc: word(csr::MEPC),
            mcause: word(csr::MCAUSE),
            mtval: word(csr::MTVAL),
            mcounteren: word(csr::MCOUNTEREN),
            mcountinhibit: word(csr::MCOUNTINHIBIT),
            minstret: word(csr::MINSTRETH) << 32 | word(csr::MINSTRET),
        };
        assert_eq!(format!("{seen:x?}"), format!("{expected:x?}"));
        let regions = self.config.pmp_regions as u16;
        let words = |first: u16, count: u16| -> Vec<u64> { (first..first + count).map(word).collect() };
        let flat = |words: Vec<u64>| {
            words.iter().fold(Bits::zero(0), |low, word| Bits::from_u64(32, *word).concat(&low))
        };
        for (name, expected) in [
            ("pmp_cfg", flat(words(csr::PMPCFG0, regions / 4))),
            ("pmp_addr", flat(words(csr::PMPADDR0, regions))),
        ] {
            let port = self.sim.engine().output(name).expect("an output");
            let seen = self.sim.engine().peek(port);
            assert!(regions == 0 || seen == expected, "{name}: {seen} instead of {expected}");
        }
    }
}

/// Episodes from reset on.
fn lockstep(config: CoreConfig, episodes: u32) {
    let mut pair = Pair::new(config);
    for _ in 0..episodes {
        pair.compare();
        for _ in 0..200 {
            pair.step();
        }
        pair.reset();
    }
}

#[test]
fn the_fast_cores_registers_are_those_of_the_model() {
    lockstep(CoreConfig::FAST, 100);
}

#[test]
fn the_small_cores_registers_are_those_of_the_model() {
    lockstep(CoreConfig::SMALL, 50);
}

#[test]
fn with_everything_the_registers_are_those_of_the_model() {
    lockstep(FULL, 100);
}

#[test]
fn with_something_of_everything_the_registers_are_those_of_the_model() {
    for config in [SOME, COUNTING, WITHOUT_COUNTERS] {
        lockstep(config, 30);
    }
}

/// Inputs of [`Legal`].
#[derive(Clone, Copy, Debug, Bundle)]
struct LegalIn<T> {
    number: T,
    writes: T,
    machine_mode: T,
    counters_allowed: T,
}

/// Output of [`Legal`].
#[derive(Clone, Copy, Debug, Bundle)]
struct LegalOut<T> {
    legal: T,
}

/// [`is_legal`] as a module.
#[module]
struct Legal {
    config: CoreConfig,
}

impl Module for Legal {
    type In = LegalIn<UInt>;
    type Out = LegalOut<UInt>;

    fn inputs(&self) -> LegalIn<Shape> {
        LegalIn { number: bits(12), writes: bit(), machine_mode: bit(), counters_allowed: bits(32) }
    }
    fn outputs(&self) -> LegalOut<Shape> {
        LegalOut { legal: bit() }
    }
    fn build(&self, m: &Builder, i: LegalIn<UInt>) -> LegalOut<UInt> {
        let LegalIn { number, writes, machine_mode, counters_allowed } = i;
        LegalOut { legal: is_legal(m, &self.config, number, writes, machine_mode, counters_allowed) }
    }
}

/// A model in a mode, which may execute everywhere.
fn model_in(config: &CoreConfig, mode: Privilege, counters_allowed: u32) -> Iss<Program> {
    let mut model = Iss::new(Program { pc: 0, word: 0, lines: 0 }, hart_config(config));
    let mut write = |number: u16, value: u32| {
        model.set_register(A0, value);
        model.bus.word = Inst { rs1: A0, csr: number, ..Inst::new(Op::Csrrw) }.encode().unwrap();
        model.bus.pc = model.pc();
        model.step();
    };
    write(csr::MCOUNTEREN, counters_allowed);
    write(csr::PMPADDR0, u32::MAX);
    write(csr::PMPCFG0, 0x1F);
    write(csr::MSTATUS, 0);
    if mode == Privilege::User {
        model.bus.word = Inst::new(Op::Mret).encode().unwrap();
        model.bus.pc = model.pc();
        model.step();
    }
    assert_eq!(model.privilege(), mode);
    model
}

#[test]
fn exactly_the_models_legal_accesses_are_legal() {
    for config in [CoreConfig::FAST, CoreConfig::SMALL, FULL, SOME, COUNTING, WITHOUT_COUNTERS] {
        let mut sim = Sim::new(&Legal { config }).unwrap();
        let modes = [Privilege::Machine, Privilege::User];
        for mode in modes.into_iter().take(if config.user_mode { 2 } else { 1 }) {
            for given in [0, u32::MAX, 0x5555_5555, 0xAAAA_AAA8] {
                let model = model_in(&config, mode, given);
                for (number, op) in (0..0x1000).flat_map(|number| [(number, Op::Csrrs), (number, Op::Csrrw)])
                {
                    let mut model = model.clone();
                    model.bus.word = Inst { csr: number, ..Inst::new(op) }.encode().unwrap();
                    model.bus.pc = model.pc();
                    sim.poke(LegalIn {
                        number: number.into(),
                        writes: (op == Op::Csrrw).into(),
                        machine_mode: (mode == Privilege::Machine).into(),
                        counters_allowed: i128::from(model.csr(csr::MCOUNTEREN).unwrap_or(0)),
                    });
                    let legal = model.step().trap.is_none();
                    assert_eq!(
                        sim.peek().legal,
                        i128::from(legal),
                        "{op:?} {number:#x} in {mode:?} of {config:?}"
                    );
                }
            }
        }
    }
}
