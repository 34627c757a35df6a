//! A program from outside, measured.

use std::path::Path;

use ferrite_gen::config::parse;
use ferrite_gen::elf;
use ferrite_hw::config::ChipConfig;
use ferrite_sim::KeptSignals;
use ferrite_tests::bench::{LIMITS, design, small_chip};
use ferrite_tests::hotspots::{Hotspots, table};
use ferrite_tests::kernels::Kernel;
use ferrite_tests::stalls::profile_each;
use ferrite_tests::workloads::Board;

/// So many instructions are named.
const WORST: usize = 40;

/// Prints where the cycles of a program go.
pub fn measure(path: &Path, set: &[String]) -> Result<(), String> {
    let core = parse(None, set).map_err(|error| error.to_string())?.core;
    let small = small_chip();
    let mut config = ChipConfig { core, ..small };
    config.soc.ram_bytes = 256 << 10;
    let loaded = elf::load(path, &config).map_err(|error| error.to_string())?;
    let program = Kernel {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        expected: String::new(),
        segments: loaded.segments.into_iter().map(|segment| (segment.address, segment.bytes)).collect(),
    };
    let mut board = Board::new(super::native(&design(&config), KeptSignals::All)?, &program.image());
    let mut hotspots = Hotspots::default();
    let breakdown = profile_each(&mut *board.engine, LIMITS.max_cycles, |cycle| hotspots.count(cycle))
        .map_err(|error| error.to_string())?;
    let Some(breakdown) = breakdown else {
        return Err(format!(
            "{}: the hints that begin and end what is measured (`slti zero, zero, 1` and `slti zero, zero, 2`) did not both \
             retire within {} cycles",
            path.display(),
            LIMITS.max_cycles
        ));
    };
    println!("{}", super::report(&[(&program.name, breakdown)]));
    println!("{}", table(&hotspots.worst(WORST), &loaded.symbols));
    Ok(())
}
