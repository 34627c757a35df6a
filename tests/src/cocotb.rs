//! The ports of AXI4 and AXI4-Lite before somebody else's models: what the tests in Python drive, and how they are run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_hw::adapter::{Axi4LiteData, Responses};
use ferrite_hw::axi::{AxiBus, AxiMemory, AxiWidths};
use ferrite_hw::dma::{DescriptorStream, DmaConfig, DmaRead, DmaReadOut, DmaWrite, DmaWriteOut};

/// Widths of the ports; those in `tests/cocotb/top.v` are the same.
const AXI: AxiWidths = AxiWidths { data_bits: 64, id_bits: 1 };

/// Ports of the engines.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct EnginesIn<T> {
    /// What is to be read.
    pub reads: DescriptorStream<T>,
    /// What is to be written.
    pub writes: DescriptorStream<T>,
    /// External memory.
    #[flip]
    pub axi: AxiBus<T>,
}

/// Outputs of the engines.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct EnginesOut<T> {
    /// Of `DmaRead`.
    pub read: DmaReadOut<T>,
    /// Of `DmaWrite`.
    pub write: DmaWriteOut<T>,
}

/// Both DMA engines with a scratchpad between them.
#[module]
pub struct Engines {
    /// Sizes.
    pub config: DmaConfig,
}

impl Engines {
    fn read(&self) -> DmaRead {
        DmaRead { config: self.config }
    }

    fn write(&self) -> DmaWrite {
        DmaWrite { config: self.config }
    }
}

impl Module for Engines {
    type In = EnginesIn<UInt>;
    type Out = EnginesOut<UInt>;

    fn inputs(&self) -> EnginesIn<Shape> {
        let (reads, writes) = (self.read().inputs().descriptors, self.write().inputs().descriptors);
        EnginesIn { reads, writes, axi: AxiBus::shape(self.config.axi) }
    }
    fn outputs(&self) -> EnginesOut<Shape> {
        EnginesOut { read: self.read().outputs(), write: self.write().outputs() }
    }
    fn build(&self, m: &Builder, i: EnginesIn<UInt>) -> EnginesOut<UInt> {
        let read = m.instance("reader", &self.read());
        let write = m.instance("writer", &self.write());
        m.connect(read.i.descriptors, i.reads);
        m.connect(write.i.descriptors, i.writes);
        for stops in [read.i.abort, read.i.clear, write.i.abort, write.i.clear] {
            stops.set(0);
        }
        m.connect(i.axi.read(), read.i.axi);
        m.connect(i.axi.write(), write.i.axi);
        let scratch = m.memory("scratch", 1 << self.config.address_bits, 8 * self.config.word_bytes);
        let words = read.i.words;
        words.ready.set(1);
        m.when(words.valid, || scratch.write(words.address, words.data));
        let asks = write.i.read;
        asks.ready.set(1);
        asks.data_valid.set(m.delay("asked", asks.valid));
        asks.data.set(scratch.read("word", asks.address));
        EnginesOut { read: read.o, write: write.o }
    }
}

/// Cocotb with cocotbext-axi, as `make cocotb-tools` installs them.
pub struct Cocotb {
    folder: PathBuf,
}

impl Cocotb {
    /// That of the folder that the variable `FERRITE_COCOTB_TOOLS` names, else of `target/cocotb-tools`. Says so if there is none; fails then if
    /// `FERRITE_REQUIRE_TOOLS` is 1.
    pub fn find() -> Option<Cocotb> {
        let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), ".."].iter().collect();
        let folder =
            std::env::var_os("FERRITE_COCOTB_TOOLS").map_or(root.join("target/cocotb-tools"), PathBuf::from);
        if folder.join("installed").exists() {
            return Some(Cocotb { folder });
        }
        let required = std::env::var_os("FERRITE_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(!required, "`make cocotb-tools` must have installed cocotb: FERRITE_REQUIRE_TOOLS=1");
        // Not `eprintln!`, which the test runner hides while a test passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no cocotb in {}", folder.display());
        None
    }

    fn config(&self, arguments: &[&str]) -> String {
        let output = Command::new(self.folder.join("bin/cocotb-config")).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("cocotb-config does not start: {error}"));
        String::from_utf8_lossy(&output.stdout).trim().to_string()
    }

    /// Runs a module of tests in Python on Verilog that was compiled with Icarus; gives what came out and what cocotb left in its file of
    /// results.
    pub fn run(&self, folder: &Path, top: &str, tests: &str, seed: u32) -> (Output, String) {
        let python: PathBuf = [env!("CARGO_MANIFEST_DIR"), "cocotb"].iter().collect();
        let results = folder.join("results.xml");
        let library = self.config(&["--lib-name", "vpi", "icarus"]);
        let output = Command::new("vvp")
            .current_dir(folder)
            .args(["-M", &self.config(&["--lib-dir"]), "-m", &library, "sim.vvp"])
            .env("MODULE", tests)
            .env("TOPLEVEL", top)
            .env("TOPLEVEL_LANG", "verilog")
            .env("PYTHONPATH", python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("VIRTUAL_ENV", &self.folder)
            .env("LIBPYTHON_LOC", self.config(&["--libpython"]))
            .env("RANDOM_SEED", seed.to_string())
            .env("COCOTB_RESULTS_FILE", &results)
            .env("COCOTB_LOG_LEVEL", "WARNING")
            .output()
            .unwrap_or_else(|error| panic!("vvp does not start: {error}"));
        (output, fs::read_to_string(results).unwrap_or_default())
    }
}

/// Writes the Verilog of everything that `top.v` contains, with `top.v`, and gives the files' names.
pub fn sources(folder: &Path) -> Vec<String> {
    let config = DmaConfig { outstanding: 4, ..DmaConfig::new(AXI, 8, 9) };
    let designs = [
        elaborate(&Engines { config }),
        elaborate(&AxiMemory { latency: 5, ..AxiMemory::new(AXI, 1024) }),
        elaborate(&Axi4LiteData { responses: Responses::Registered }),
    ];
    let mut names = vec!["top.v".to_string()];
    fs::write(folder.join("top.v"), include_str!("../cocotb/top.v")).expect("the folder can be written to");
    for design in designs {
        let design = design.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        for file in emit(&design, &EmitOptions::default()) {
            fs::write(folder.join(&file.name), &file.text).expect("the folder can be written to");
            if file.is_source() && !names.contains(&file.name) {
                names.push(file.name);
            }
        }
    }
    names
}
