//! Initial contents of memories as other tools read them.

mod tools;

use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, FileKind, MAX_INLINE_WORDS};
use tools::{run, silent, written};

#[derive(Clone, Bundle)]
struct RomIn<T> {
    addr: T,
}

#[derive(Clone, Bundle)]
struct RomOut<T> {
    word: T,
}

/// Word `k` is `7 k + 3`, but for the last ones, which are not given.
#[module]
struct Rom {
    depth: u32,
    given: u32,
}

fn word(k: u32) -> u64 {
    u64::from(7 * k + 3) & 0xffff
}

impl Module for Rom {
    type In = RomIn<UInt>;
    type Out = RomOut<UInt>;

    fn inputs(&self) -> RomIn<Shape> {
        RomIn { addr: bits(index_width(self.depth as usize)) }
    }
    fn outputs(&self) -> RomOut<Shape> {
        RomOut { word: bits(16) }
    }
    fn build(&self, m: &Builder, i: RomIn<UInt>) -> RomOut<UInt> {
        let words = m
            .memory("words", self.depth, 16)
            .with_contents((0..self.given).map(|k| Bits::from_u64(16, word(k))));
        RomOut { word: words.read("word_q", i.addr) }
    }
}

/// All words as Icarus Verilog reads them; `None` without Icarus Verilog.
fn simulated(rom: &Rom, elsewhere: bool) -> Option<Vec<u64>> {
    let (folder, _) = written(rom, &EmitOptions::default());
    let (depth, width) = (rom.depth, index_width(rom.depth as usize));
    let bench = format!(
        "module bench;
  reg clk = 0;
  reg [{}:0] addr = 0;
  wire [15:0] word;
  Rom rom (.clk(clk), .addr(addr), .word(word));
  integer k;
  initial for (k = 0; k < {depth}; k = k + 1) begin
    addr = k;
    #1 clk = 1;
    #1 clk = 0;
    $display(\"%0d\", word);
  end
endmodule
",
        width - 1
    );
    std::fs::write(folder.path().join("bench.v"), bench).expect("the folder is writable");
    let other = tempfile::tempdir().expect("another folder");
    let define = format!("-DFERRITE_MEMORY_FOLDER=\"{}/\"", folder.path().display());
    let defines = if elsewhere { vec![define.as_str()] } else { vec![] };
    let arguments = [&["-g2005", "-o", "bench.vvp", "Rom.v", "bench.v"], defines.as_slice()].concat();
    let (compiled, said) = run(folder.path(), "iverilog", &arguments)?;
    assert!(compiled, "{said}");
    let at = if elsewhere { other.path() } else { folder.path() };
    let (succeeded, said) = run(at, "vvp", &["-n", &folder.path().join("bench.vvp").display().to_string()])?;
    assert!(succeeded, "{said}");
    Some(said.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{line}"))).collect())
}

#[test]
fn simulation_starts_with_the_given_words_and_zeros_behind_them() {
    for (depth, given) in [(64, 64), (64, 10), (128, 128), (256, 70), (256, 1)] {
        for elsewhere in [false, true] {
            let Some(words) = simulated(&Rom { depth, given }, elsewhere) else { return };
            let expected: Vec<u64> = (0..depth).map(|k| if k < given { word(k) } else { 0 }).collect();
            assert_eq!(words, expected, "{given} of {depth}");
        }
    }
}

#[test]
fn only_contents_of_large_memories_are_files() {
    let kinds = |depth| {
        let (_, files) = written(&Rom { depth, given: 5 }, &EmitOptions::default());
        files.into_iter().map(|f| (f.name, f.kind)).collect::<Vec<_>>()
    };
    let verilog = ("Rom.v".to_string(), FileKind::Verilog);
    assert_eq!(kinds(MAX_INLINE_WORDS), std::slice::from_ref(&verilog));
    let contents = ("Rom_words.hex".to_string(), FileKind::MemoryContents);
    assert_eq!(kinds(2 * MAX_INLINE_WORDS), [contents, verilog]);
}

#[test]
fn memories_with_contents_become_block_ram() {
    let (folder, _) = written(&Rom { depth: 1024, given: 1000 }, &EmitOptions::default());
    for (synth, cell) in [("synth_ice40", "SB_RAM40_4K"), ("synth_ecp5", "DP16KD")] {
        let script = format!(
            "read_verilog Rom.v; {synth} -top Rom; select -assert-min 1 t:{cell}; select -assert-max 40 t:*DFF* t:TRELLIS_FF"
        );
        silent(folder.path(), "yosys", &["-q", "-p", &script]);
    }
}
