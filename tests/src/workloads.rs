//! Programs that never end and keep one part of the chip busy, and a chip that runs one: for benchmarks.

use ferrite_hdl::Bits;
use ferrite_hdl::flat::Flat;
use ferrite_hw::config::TensorConfig;
use ferrite_hw::map::RAM_BASE;
use ferrite_hw::soc::Soc;
use ferrite_model::isa::{Asm, Reg, reg::*};
use ferrite_model::iss::memory_map::EXTERNAL_BASE;
use ferrite_nn::lists::{Command, Convolve, Loop, Transfer};
use ferrite_sim::Simulator;

/// Where programs keep their data; code lies below.
const DATA: i32 = (RAM_BASE + 0x1000) as i32;

fn finished(asm: Asm) -> Vec<u8> {
    asm.finish().expect("a correct program").bytes
}

/// A step of Marsaglia's 32-bit xorshift generator ("Xorshift RNGs", 2003), which never gives 0 unless it is given 0.
fn xorshift(asm: &mut Asm, value: Reg, scratch: Reg) {
    asm.slli(scratch, value, 13);
    asm.xor(value, value, scratch);
    asm.srli(scratch, value, 17);
    asm.xor(value, value, scratch);
    asm.slli(scratch, value, 5);
    asm.xor(value, value, scratch);
}

/// The core jumps to where it is; the tensor unit rests.
pub fn idle() -> Vec<u8> {
    let mut asm = Asm::new(RAM_BASE);
    let forever = asm.here("forever");
    asm.j(forever);
    finished(asm)
}

/// The core waits for an interrupt that does not come; the tensor unit rests.
pub fn asleep() -> Vec<u8> {
    let mut asm = Asm::new(RAM_BASE);
    let forever = asm.here("forever");
    asm.wfi();
    asm.j(forever);
    finished(asm)
}

/// The core replaces the words of a table by random ones and counts their low bytes, with branches that nobody can predict and a call for every word;
/// the tensor unit rests.
pub fn core_only() -> Vec<u8> {
    const WORDS: i32 = 256;
    let mut asm = Asm::new(RAM_BASE);
    let (table, end, counts, random, sum) = (S0, S1, S2, S3, S4);
    asm.li(random, 12345);
    asm.li(counts, DATA + 4 * WORDS);
    let again = asm.here("again");
    asm.li(table, DATA);
    asm.li(end, DATA + 4 * WORDS);
    let mix = asm.label("mix");
    let word = asm.here("word");
    asm.lw(A0, 0, table);
    asm.call(mix);
    asm.sw(A0, 0, table);
    let even = asm.local();
    asm.andi(T0, A0, 1);
    asm.beqz(T0, even);
    asm.add(sum, sum, A0);
    asm.bind(even);
    asm.andi(T1, A0, 0xff);
    asm.add(T1, T1, counts);
    asm.lbu(T2, 0, T1);
    asm.addi(T2, T2, 1);
    asm.sb(T2, 0, T1);
    asm.addi(table, table, 4);
    asm.bne(table, end, word);
    asm.mul(sum, sum, random);
    asm.j(again);
    asm.bind(mix);
    xorshift(&mut asm, random, T3);
    asm.add(A0, A0, random);
    asm.ret();
    finished(asm)
}

/// Bytes of random numbers that [`gemm`] makes.
const RANDOM_BYTES: u32 = 2048;

/// The tensor unit multiplies two int8 matrices again and again: `acc_rows / 2` by `2 R` times `2 R` by `2 C` of dense random numbers, in four tiles. The
/// core waits until it can push the next command.
pub fn gemm(unit: &TensorConfig) -> Vec<u8> {
    let [rows, cols, outputs] = [unit.rows, unit.cols, unit.acc_rows / 2];
    let weight_bytes = 4 * rows * cols;
    let act_bytes = outputs * 2 * rows;
    let act = weight_bytes.next_multiple_of(RANDOM_BYTES);
    assert!(act + act_bytes <= unit.scratchpad_bytes, "the scratchpad holds both matrices");
    // The same random numbers again and again.
    let load = |local, bytes: u32| {
        Command::Load(Transfer {
            external: EXTERNAL_BASE,
            local,
            bytes: bytes.min(RANDOM_BYTES) as u16,
            runs: Loop {
                turns: bytes.div_ceil(RANDOM_BYTES) as u16,
                external_step: 0,
                local_step: RANDOM_BYTES,
            },
            repetitions: Loop::ONCE,
        })
    };
    let convolve = Command::Convolve(Convolve {
        act,
        weights: 0,
        accumulators: 0,
        accumulate: false,
        zero_point: 0,
        out: [outputs as u16, 1],
        in_tiles: 2,
        out_tiles: 2,
        kernel: [1, 1],
        image: [outputs as u16, 1],
        first: [0, 0],
        stride: [1, 1],
        dilation: [1, 1],
        pixel_step: 2 * rows,
        line_step: 0,
        in_tile_step: rows,
    });

    let mut asm = Asm::new(RAM_BASE);
    asm.li(A0, 12345);
    asm.li(S0, EXTERNAL_BASE as i32);
    asm.li(S1, (EXTERNAL_BASE + RANDOM_BYTES) as i32);
    let fill = asm.here("fill");
    xorshift(&mut asm, A0, T1);
    asm.sw(A0, 0, S0);
    asm.addi(S0, S0, 4);
    asm.bne(S0, S1, fill);

    let (push, loads, product) = (asm.label("push"), asm.label("loads"), asm.label("product"));
    asm.la(S0, loads);
    asm.li(S1, 2);
    asm.call(push);
    asm.li(A2, DATA);
    let again = asm.here("again");
    asm.la(S0, product);
    asm.li(S1, 1);
    asm.call(push);
    asm.addi(A3, A3, 1);
    asm.sw(A3, 0, A2);
    asm.j(again);

    // Pushes `S1` records from `S0` on.
    asm.bind(push);
    asm.slli(S1, S1, 6);
    asm.add(S1, S1, S0);
    let pair = asm.here("pair");
    asm.lw(A0, 0, S0);
    asm.lw(A1, 4, S0);
    asm.t_push(A0, A1);
    asm.addi(S0, S0, 8);
    asm.bne(S0, S1, pair);
    asm.ret();
    asm.align(8);
    let loaded = [load(0, weight_bytes), load(act, act_bytes)];
    for (label, commands) in [(loads, loaded.as_slice()), (product, &[convolve])] {
        asm.bind(label);
        commands.iter().flat_map(Command::encode).for_each(|word| asm.word(word));
    }
    finished(asm)
}

/// A chip with a workload in its RAM, after reset.
pub struct Board {
    /// What simulates the chip.
    pub engine: Box<dyn Simulator>,
    /// What [`Simulator::run`] looks at in every cycle when `ferrite run` calls it.
    watched: [usize; 2],
}

impl Board {
    /// Loads a program into a chip at power-up, and resets the chip.
    ///
    /// # Panics
    /// If the engine does not run a chip, or one whose RAM is too small.
    pub fn new(mut engine: Box<dyn Simulator>, program: &[u8]) -> Board {
        let ram = memory(engine.flat(), Soc::RAM_WORDS);
        assert!(program.len() <= engine.flat().memories[ram].depth as usize * 4, "the program fits the RAM");
        for (k, bytes) in (0..).zip(program.chunks(4)) {
            let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            engine.write_memory(ram, k, &Bits::from_u64(32, word));
        }
        let reset = engine.input("rst").expect("a chip has a reset");
        engine.poke(reset, &Bits::ones(1));
        engine.step(1).expect("no property fails");
        engine.poke(reset, &Bits::zero(1));
        let watched = ["uart_tx", "exit_valid"].map(|name| engine.output(name).expect("a chip has this pin"));
        Board { engine, watched }
    }

    /// Goes on for so many cycles, as `ferrite run` does.
    ///
    /// # Panics
    /// If a property of the hardware does not hold, or the program prints or ends.
    pub fn run(&mut self, cycles: u64) {
        let passed = self.engine.run(cycles, &self.watched).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(passed, cycles, "a workload does not print and does not end");
    }

    /// Instructions that have retired since reset.
    pub fn retired(&mut self) -> u64 {
        let order = self.engine.output("rvfi_order").expect("a chip has this output");
        self.engine.peek(order).low_u64()
    }

    /// Multiply-accumulate operations that the tensor unit has counted; `None` if the engine does not show the counter.
    ///
    /// # Panics
    /// If the chip has no tensor unit.
    pub fn macs(&mut self) -> Option<u64> {
        let flat = self.engine.flat();
        let counter =
            (0..flat.signals.len()).find(|k| flat.signal_path(*k) == "tensor.unit.counters.products_low");
        let counter = counter.expect("a tensor unit counts its operations");
        self.engine.peek_signal(counter).map(|count| count.low_u64())
    }

    /// Where two chips of one design differ first, in an output or in a word of a memory.
    pub fn difference(&mut self, other: &mut Board) -> Option<String> {
        let outputs = 0..self.engine.flat().outputs.len();
        let differing = outputs.into_iter().find_map(|k| {
            let (a, b) = (self.engine.peek(k), other.engine.peek(k));
            (a != b).then(|| format!("{}: {a} and {b}", self.engine.flat().outputs[k].name))
        });
        let flat = self.engine.flat();
        let words =
            flat.memories.iter().enumerate().flat_map(|(k, m)| (0..m.depth).map(move |word| (k, word)));
        differing.or_else(|| {
            words.into_iter().find_map(|(k, word)| {
                let (a, b) = (self.engine.read_memory(k, word), other.engine.read_memory(k, word));
                (a != b).then(|| format!("{}[{word}]: {a} and {b}", flat.memories[k].path))
            })
        })
    }
}

fn memory(flat: &Flat, path: &str) -> usize {
    flat.memories.iter().position(|memory| memory.path == path).expect("a chip has this memory")
}
