//! `ferrite gen --core`

use clap::{Args, ValueEnum};
use ferrite_gen::atomic::OutputFolder;
use ferrite_gen::error::Error;
use ferrite_gen::march::{MABI, march};
use ferrite_gen::output::write_core;
use ferrite_hdl::design::Design;
use ferrite_hdl::elaborate;
use ferrite_hdl::verilog::EmitOptions;
use ferrite_hw::adapter::{Axi4LiteCore, NativeCore, Responses, Standalone, WishboneCore, WishboneMode};

use super::generate::Gen;
use super::numbers::grouped;
use super::report;

/// The core alone.
#[derive(Args)]
pub struct CoreAlone {
    /// Writes the RISC-V core alone, for a system of your own, instead of a chip.
    ///
    /// Verilog with a list of its files, and the core's parameters. Of those only `name` and `core.*` count, and `core.reset_vector` may be any
    /// multiple of 4. The top module has the chip's name with `_core` behind it. docs/core.md describes the ports.
    #[arg(long)]
    pub core: bool,
    /// The ports for instructions and data.
    #[arg(long, value_enum, requires = "core", value_name = "BUS")]
    bus: Option<BusKind>,
    /// Saves a cycle in each access over axi4-lite or wishbone-pipelined.
    ///
    /// The core sees responses of the bus in the cycle in which they come, not one later. A path then leads through it from each response to
    /// the next request.
    #[arg(long, requires = "bus")]
    direct_responses: bool,
    /// Adds a port for custom-0 instructions, which are illegal otherwise.
    #[arg(long, requires = "core")]
    coprocessor: bool,
    /// Adds ports that report every instruction (RISC-V Formal Interface) and the CSRs after it.
    #[arg(long, requires = "core")]
    rvfi: bool,
}

/// The buses that a core may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BusKind {
    /// The core's own: a request with valid and ready, a response with valid; the default.
    Native,
    /// AMBA AXI4-Lite, 32 bits.
    #[value(name = "axi4-lite")]
    Axi4Lite,
    /// Wishbone B4, classic, 32 bits.
    Wishbone,
    /// Wishbone B4, pipelined, 32 bits.
    WishbonePipelined,
}

impl CoreAlone {
    fn design(&self, core: Standalone) -> Result<Design, Error> {
        let bus = self.bus.unwrap_or(BusKind::Native);
        if self.direct_responses && matches!(bus, BusKind::Native | BusKind::Wishbone) {
            let reason = match bus {
                BusKind::Native => "the core's own buses are always direct",
                _ => {
                    "in classic mode a slave may answer in the cycle in which it is asked; choose --bus wishbone-pipelined"
                }
            };
            return Err(Error::Usage(format!("--direct-responses is for another bus: {reason}")));
        }
        let responses = if self.direct_responses { Responses::Direct } else { Responses::Registered };
        let design = match bus {
            BusKind::Native => elaborate(&NativeCore { core }),
            BusKind::Axi4Lite => elaborate(&Axi4LiteCore { core, responses }),
            BusKind::Wishbone => elaborate(&WishboneCore { core, mode: WishboneMode::Classic }),
            BusKind::WishbonePipelined => {
                elaborate(&WishboneCore { core, mode: WishboneMode::Pipelined(responses) })
            }
        };
        design.map_err(Error::Design)
    }
}

/// Writes the core alone.
pub fn generate(options: &Gen) -> Result<(), Error> {
    let alone = &options.alone;
    let chip = options.overrides.load_core(options.chip.as_ref())?;
    let top = format!("{}_core", chip.name);
    let core = Standalone {
        name: top.clone(),
        config: chip.core,
        has_coprocessor: alone.coprocessor,
        has_rvfi: alone.rvfi,
    };
    let design = alone.design(core)?;
    let folder = OutputFolder::create(&options.output)?;
    let emit = EmitOptions { source_lines: options.source_lines };
    let written = write_core(&folder, &chip, &top, &design, &emit)?;
    folder.commit()?;
    let place = options.output.display();
    let indent = " ".repeat(place.to_string().len() + 4);
    report::print(&format!(
        "{place}/rtl: {} modules, {} lines of Verilog\n\
         {indent}  top module `{top}`; {top}.f lists the files in order\n\
         {place}/core.toml: all parameters; programs are compiled with -march={} -mabi={MABI}\n",
        written.modules,
        grouped(written.lines as u64),
        march(&chip.core),
    ))
}
