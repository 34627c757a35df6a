//! Programs that never end and keep one part of the chip busy, and a chip that runs one: for benchmarks.

use ferrite_hdl::Bits;
use ferrite_hdl::flat::Flat;
use ferrite_hw::config::TensorConfig;
use ferrite_hw::map::RAM_BASE;
use ferrite_hw::soc::Soc;
use ferrite_model::isa::{Asm, Reg, reg::*};
use ferrite_model::iss::memory_map::EXTERNAL_BASE;
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

/// The tensor unit multiplies two int8 matrices of dense random numbers again and again, in four tiles: `acc_rows / 4` by `2 R` times `2 R` by `2 C`, with sums
/// in one half of the accumulators and then in the other. The core waits until it can give the next list.
pub fn gemm(unit: &TensorConfig) -> Vec<u8> {
    const LIST: u32 = EXTERNAL_BASE;
    const OPERANDS: u32 = EXTERNAL_BASE + 0x1000;
    let TensorConfig { rows, cols, scratchpad_bytes, acc_rows, .. } = *unit;
    let (tile_bytes, outputs) = (rows * cols, acc_rows / 4);
    let bytes = 4 * tile_bytes + 2 * rows * outputs;
    assert!(bytes <= scratchpad_bytes, "the scratchpad holds both matrices");
    // Runs of a tile, of which the scratchpad has a power of two.
    let load = [1, OPERANDS, 0, tile_bytes, bytes.div_ceil(tile_bytes) | 1 << 16, tile_bytes, 0, tile_bytes];
    let convolve = |sums| {
        let words = [3, 4 * tile_bytes, 0, sums, 1 << 16 | outputs, 2 << 16 | 2, 0x101, 1 << 16 | outputs, 0];
        [words.as_slice(), &[0x0101_0101, 2 * rows, 0, rows]].concat()
    };
    let records = [load.to_vec(), convolve(0), convolve(acc_rows / 2)];
    let mut asm = Asm::new(RAM_BASE);
    let table = asm.label("table");
    asm.t_clear();
    asm.li(A0, 12345);
    asm.li(A1, OPERANDS as i32);
    asm.li(A2, (OPERANDS + bytes) as i32);
    let fill = asm.here("fill");
    xorshift(&mut asm, A0, T1);
    asm.sw(A0, 0, A1);
    asm.addi(A1, A1, 4);
    asm.bltu(A1, A2, fill);
    asm.li(S0, LIST as i32);
    asm.la(A1, table);
    asm.addi(A2, A1, 64 * records.len() as i32);
    asm.mv(A3, S0);
    let copy = asm.here("copy");
    asm.lw(A0, 0, A1);
    asm.sw(A0, 0, A3);
    asm.addi(A1, A1, 4);
    asm.addi(A3, A3, 4);
    asm.bltu(A1, A2, copy);

    asm.li(S1, 1);
    asm.t_run(S0, S1);
    asm.addi(S0, S0, 64);
    asm.li(S1, 2);
    asm.li(A2, DATA);
    asm.li(A3, 0);
    let again = asm.here("again");
    asm.t_run(S0, S1);
    asm.addi(A3, A3, 1);
    asm.sw(A3, 0, A2);
    asm.j(again);
    asm.bind(table);
    for record in records {
        (0..16).for_each(|word| asm.word(record.get(word).copied().unwrap_or(0)));
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
        let counter = (0..flat.signals.len()).find(|k| flat.signal_path(*k) == "tensor.counters.macs");
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
