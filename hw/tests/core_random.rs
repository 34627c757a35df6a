//! Random programs on the core: every instruction, faults, interrupts and wait states, against the golden model.

mod harness;

use ferrite_hw::core::{CoreConfig, Extensions, Predictor};
use ferrite_model::isa::reg::*;
use ferrite_model::isa::{Asm, Op, Program, Reg, Spec, TABLE, csr};
use ferrite_model::iss::HartConfig;
use harness::{BASE, Bench, MSIP, Random};

const PLAIN: CoreConfig = CoreConfig {
    extensions: Extensions { m: true, ..Extensions::NONE },
    user_mode: false,
    predictor: Predictor::None,
    return_stack: 0,
    ..CoreConfig::FAST
};

const BTB: CoreConfig =
    CoreConfig { predictor: Predictor::Btb { entries: 16, history: 0 }, return_stack: 4, ..PLAIN };

const CONFIGS: [CoreConfig; 4] = [
    PLAIN,
    BTB,
    CoreConfig { extensions: Extensions { c: true, ..PLAIN.extensions }, ..PLAIN },
    CoreConfig { extensions: Extensions { c: true, ..PLAIN.extensions }, ..BTB },
];

/// Programs in the ordinary test run; the environment variable `FERRITE_SEEDS` asks for more.
const SEEDS: u64 = 40;
/// Instructions of a program before it begins anew.
const LENGTH: u32 = 400;

/// `addi x0, x0, 0`.
const NOP: u32 = 0x13;
const WFI: u32 = 0x1050_0073;
const MRET: u32 = 0x3020_0073;

/// CSRs that exist and that a random value cannot send astray, and some that do not exist.
const CSRS: [u16; 24] = [
    csr::MSTATUS,
    csr::MISA,
    csr::MIE,
    csr::MSTATUSH,
    csr::MCOUNTINHIBIT,
    csr::MSCRATCH,
    csr::MCAUSE,
    csr::MTVAL,
    csr::MIP,
    csr::MCYCLE,
    csr::MINSTRET,
    csr::MCYCLEH,
    csr::MINSTRETH,
    csr::MVENDORID,
    csr::MHARTID,
    csr::MCONFIGPTR,
    0xB03,
    0x33F,
    0xB9F,
    0xC00,
    0x3A0,
    0x7A0,
    0x321,
    0xB01,
];

/// Registers that hold the addresses of data and are not written.
const POINTERS: [Reg; 3] = [S0, S1, GP];

/// True for an instruction that the core has.
fn on_the_core(spec: &&Spec) -> bool {
    HartConfig::default().implements(spec.extension)
}

fn random_word(random: &mut Random) -> u32 {
    if random.below(40) == 0 {
        return random.word();
    }
    let rows: Vec<&Spec> = TABLE.iter().filter(on_the_core).collect();
    let spec = rows[random.below(rows.len() as u32) as usize];
    let mut word = random.word();
    let field = |random: &mut Random, at: u32, from: &[u32], word: u32| {
        word & !(31 << at) | from[random.below(from.len() as u32) as usize] << at
    };
    // Few registers, so that instructions depend on each other; x31 belongs to the trap handler.
    word = field(random, 7, &[0, 1, 5, 6, 10, 11, 12], word);
    word = field(random, 15, &[0, 1, 5, 6, 10, 11, 12, 8], word);
    word = field(random, 20, &[0, 1, 5, 6, 10, 11, 12, 9], word);
    match word & !spec.mask | spec.bits {
        w if matches!(w & 0x7F, 0x03 | 0x23) && random.below(8) != 0 => {
            let pointer = POINTERS[random.below(3) as usize].number();
            let aligned = if w & 0x7F == 0x03 { w & !(3 << 20) } else { w & !(3 << 7) };
            let w = if random.below(4) == 0 { w } else { aligned };
            w & !(31 << 15) | pointer << 15
        }
        // Branches and jumps of at most 64 bytes; most of them aligned.
        w if w & 0x7F == 0x63 => {
            let misaligned = u32::from(random.below(16) == 0) << 8;
            w & !(0xFE00_0F80) | (1 + random.below(7)) << 9 | random.below(2) << 25 | misaligned
        }
        w if w & 0x7F == 0x6F => {
            let misaligned = u32::from(random.below(16) == 0) << 21;
            w & 0xFFF | (1 + random.below(15)) << 22 | misaligned
        }
        w if w & 0x7F == 0x67 => w & !(31 << 15) | 4 << 15,
        w if w & 0x7F == 0x73 && w >> 12 & 3 != 0 => {
            w & 0xF_FFFF | u32::from(CSRS[random.below(24) as usize]) << 20
        }
        // What `wfi` waits for may have been disabled, and `mret` may return to itself for ever: `core.rs` tests the one, the
        // handler has the other.
        WFI | MRET => NOP,
        w => w,
    }
}

/// Starts with pointers and a handler that goes on behind what trapped, or at the beginning if that cannot be fetched.
fn random_program(random: &mut Random, vectored: bool) -> Program {
    let mut asm = Asm::new(BASE);
    let handler = asm.local();
    let start = asm.local();
    asm.la(T6, handler);
    asm.addi(T6, T6, i32::from(vectored));
    asm.csrw(csr::MTVEC, T6);
    asm.li(T6, -1);
    asm.csrw(csr::MIE, T6);
    asm.li(S0, (BASE + 0x9000) as i32);
    asm.li(S1, (BASE + 0x9004) as i32);
    asm.li(GP, MSIP as i32);
    asm.la(TP, start);
    asm.bind(start);
    for _ in 0..LENGTH {
        let word = random_word(random);
        asm.word(word);
    }
    asm.csrrsi(ZERO, csr::MSTATUS, 8);
    asm.jr(TP);
    asm.align(64);
    asm.bind(handler);
    let entry = asm.local();
    let interrupt = asm.local();
    let back = asm.local();
    for _ in 0..16 {
        asm.j(entry);
    }
    asm.bind(entry);
    asm.csrr(T6, csr::MCAUSE);
    asm.bltz(T6, interrupt);
    asm.addi(T6, T6, -1);
    asm.beqz(T6, back);
    asm.csrr(T6, csr::MEPC);
    asm.addi(T6, T6, 4);
    asm.csrw(csr::MEPC, T6);
    asm.mret();
    asm.bind(back);
    asm.csrw(csr::MEPC, TP);
    asm.mret();
    asm.bind(interrupt);
    asm.sw(ZERO, 0, GP);
    asm.mret();
    asm.finish().unwrap()
}

fn run(config: CoreConfig, seed: u64, instructions: u64) -> (u64, u64) {
    let mut random = Random(seed * 2 + 1);
    let program = random_program(&mut random, seed.is_multiple_of(2));
    let mut bench = Bench::new(&program, config, !seed.is_multiple_of(3), seed, (seed % 4) as u32);
    let (mut traps, mut interrupts) = (0, 0);
    let mut retired = 0;
    while retired < instructions {
        assert!(bench.cycle < 1000 + 100 * instructions, "seed {seed}: the core stands still");
        bench.timer |= random.below(64) == 0;
        if let Some(record) = bench.step() {
            retired += 1;
            traps += u64::from(record.trap.is_some());
            interrupts += u64::from(record.interrupt.is_some());
            // The model takes the line's level when the handler's first instruction retires.
            bench.timer &= record.interrupt.is_none();
        }
    }
    (traps, interrupts)
}

#[test]
fn random_programs_run_as_on_the_model() {
    let (mut traps, mut interrupts) = (0, 0);
    let seeds = std::env::var("FERRITE_SEEDS")
        .map_or(SEEDS, |count| count.parse().expect("FERRITE_SEEDS is a number"));
    for config in CONFIGS {
        for seed in 0..seeds {
            println!("{:?} {:?} seed {seed}", config.extensions, config.predictor);
            let (t, i) = run(config, seed, 1500);
            traps += t;
            interrupts += i;
        }
    }
    assert!(traps > 2000, "only {traps} traps");
    assert!(interrupts > 200, "only {interrupts} interrupts");
}

#[test]
fn every_instruction_occurs() {
    let mut random = Random(9);
    let words: Vec<u32> = (0..10_000).map(|_| random_word(&mut random)).collect();
    let excepted = |spec: &&Spec| matches!(spec.op, Op::TOther | Op::Wfi | Op::Mret);
    for spec in TABLE.iter().filter(on_the_core).filter(|spec| !excepted(spec)) {
        assert!(words.iter().any(|word| word & spec.mask == spec.bits), "{}", spec.mnemonic);
    }
}
