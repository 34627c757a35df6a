//! The golden machine of a chip.

use ferrite_hw::config::{ChipConfig, CoreConfig, SocConfig};
use ferrite_hw::core::csr::EVENTS;
use ferrite_hw::core::{Extensions, Misaligned};
use ferrite_hw::map::{MemoryMap, clint, exit, uart};
use ferrite_model::iss::{self, Counters, HartConfig, Iss, Machine, MachineConfig, PmpRegions};
use ferrite_model::unit::{Port, Sizes};

/// Steps of a command or a list of the tensor unit that the golden model carries out: far more than any that simulating the chip could.
const MOST_WORK: u64 = 1 << 36;

/// The instruction-set simulator with the sizes of a valid chip, its memories still empty.
pub fn golden(chip: &ChipConfig) -> Iss<Machine> {
    let SocConfig { ram_bytes, rom_bytes, external_bytes, .. } = chip.soc;
    let sizes = MachineConfig { ram_bytes, rom_bytes, external_bytes };
    let unit = chip.tensor.as_ref().map(|tensor| {
        let sizes = Sizes {
            rows: tensor.rows,
            cols: tensor.cols,
            scratchpad_bytes: tensor.scratchpad_bytes,
            accumulator_rows: tensor.acc_rows,
        };
        Port::new(sizes, MOST_WORK).expect("chip and model allow the same sizes")
    });
    let mut machine = Machine::with_coprocessor(sizes, unit);
    let known = [exit::REGION, clint::REGION, uart::REGION].map(|region| region.base);
    for region in MemoryMap::of(chip).regions().iter().filter(|region| !region.is_memory()) {
        if !known.contains(&region.base) {
            machine.add_device(region.base, region.size);
        }
    }
    Iss::new(machine, hart(&chip.core))
}

/// The golden model's hart that a core with a valid configuration must be.
pub fn hart(core: &CoreConfig) -> HartConfig {
    let Extensions { m, c, zba, zbb, zbs } = core.extensions;
    HartConfig {
        reset_pc: core.reset_vector,
        m,
        c,
        zba,
        zbb,
        zbs,
        user_mode: core.user_mode,
        pmp_regions: match core.pmp_regions {
            0 => PmpRegions::None,
            1..=4 => PmpRegions::Four,
            5..=8 => PmpRegions::Eight,
            _ => PmpRegions::Sixteen,
        },
        counters: Counters {
            machine: core.counters,
            unprivileged: core.counters && core.user_mode,
            time: false,
            events: core.event_counters,
            event_mask: if core.event_counters > 0 { (1 << EVENTS) - 1 } else { 0 },
            inhibit: core.counters,
        },
        mtval: core.mtval,
        misaligned: match core.misaligned {
            Misaligned::Trap => iss::Misaligned::Trap,
            Misaligned::Handle => iss::Misaligned::Handled,
        },
        mhartid: core.hart_id,
        ..HartConfig::default()
    }
}
