//! The options that choose a chip.

use std::path::PathBuf;

use clap::Args;
use ferrite_gen::config;
use ferrite_gen::error::Error;
use ferrite_hdl::design::Design;
use ferrite_hdl::{Diagnostics, elaborate};
use ferrite_hw::config::ChipConfig;
use ferrite_hw::soc::{MemoryTiming, SimulatedChip, Soc};

#[derive(Args)]
pub struct Overrides {
    /// Changes a parameter of the chip, as in --set tensor.rows=8 (see --help for all of them).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

impl Overrides {
    /// The chip of a description, or the default one, with these changes.
    pub fn load(&self, description: Option<&PathBuf>) -> Result<ChipConfig, Error> {
        config::load(description.map(PathBuf::as_path), &self.overrides)
    }

    /// As `load`, for a core without the chip around it.
    pub fn load_core(&self, description: Option<&PathBuf>) -> Result<ChipConfig, Error> {
        config::load_core(description.map(PathBuf::as_path), &self.overrides)
    }
}

/// A name that no module of the chip has.
const UNUSED_NAME: &str = "chip_of_another_name";

/// The hardware of a valid chip.
pub fn design(chip: &ChipConfig) -> Result<Design, Error> {
    described(chip, |chip| elaborate(&Soc { chip }))
}

/// The same with the memory that stands outside of it in simulation.
pub fn simulated(chip: &ChipConfig, timing: MemoryTiming) -> Result<Design, Error> {
    described(chip, |chip| elaborate(&SimulatedChip { chip, timing }))
}

fn described(
    chip: &ChipConfig,
    design: impl Fn(ChipConfig) -> Result<Design, Diagnostics>,
) -> Result<Design, Error> {
    design(chip.clone()).map_err(|mistakes| {
        // All that can be wrong with a valid chip is that its name is taken.
        let renamed = ChipConfig { name: UNUSED_NAME.to_string(), ..chip.clone() };
        match design(renamed) {
            Ok(_) => Error::ChipName { name: chip.name.clone() },
            Err(_) => Error::Design(mistakes),
        }
    })
}
