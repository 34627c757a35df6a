//! The golden machine of a chip.

use ferrite_hw::config::ChipConfig;
use ferrite_model::iss::{HartConfig, Iss, Machine, MachineConfig};
use ferrite_model::tensor::{TensorConfig, TensorUnit};

/// The instruction-set simulator with the sizes of a valid chip, its RAM still empty.
pub fn golden(chip: &ChipConfig) -> Iss<Machine> {
    let sizes = MachineConfig { ram_bytes: chip.soc.ram_bytes, rom_bytes: chip.soc.rom_bytes };
    let unit = chip.tensor.as_ref().map(|tensor| {
        let config = TensorConfig {
            rows: tensor.rows,
            cols: tensor.cols,
            scratchpad_bytes: tensor.scratchpad_bytes,
            acc_rows: tensor.acc_rows,
        };
        TensorUnit::new(config).expect("chip and model allow the same sizes")
    });
    let machine = Machine::with_coprocessor(sizes, unit);
    Iss::new(machine, HartConfig { reset_pc: chip.core.reset_vector, ..HartConfig::default() })
}
