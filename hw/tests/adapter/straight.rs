//! How fast straight code runs over each bus, with memory that never hesitates.

use ferrite_hdl::prelude::*;
use ferrite_hw::adapter::{Axi4LiteCore, Responses, Standalone, WishboneCore, WishboneMode};
use ferrite_hw::core::{CoreConfig, Extensions};

use super::dut::Dut;

const NOP: u32 = 0x13;
const CYCLES: u64 = 200;

/// Instructions that retire in [`CYCLES`]; `memory` answers a fetch in each of them.
fn retired<M: Module>(module: &M, mut memory: impl FnMut(&mut Dut<M>)) -> u64 {
    let mut dut = Dut::new(module);
    dut.poke("rst", 1u8);
    dut.edge();
    dut.poke("rst", 0u8);
    let mut count = 0;
    for cycle in 0..20 + CYCLES {
        memory(&mut dut);
        count += if cycle < 20 { 0 } else { dut.peek("rvfi_valid") };
        dut.edge();
    }
    count
}

fn standalone(config: CoreConfig) -> Standalone {
    Standalone { name: "alone".to_string(), config, has_coprocessor: false, has_rvfi: true }
}

#[test]
fn straight_code_takes_as_many_cycles_as_its_fetches() {
    // Every instruction is a word.
    let fast = CoreConfig { extensions: Extensions { c: false, ..Extensions::ALL }, ..CoreConfig::FAST };
    for (config, responses, instructions) in [
        (CoreConfig::SMALL, Responses::Direct, CYCLES),
        (fast, Responses::Direct, CYCLES),
        (CoreConfig::SMALL, Responses::Registered, CYCLES / 2),
        (fast, Responses::Registered, CYCLES / 2),
    ] {
        let mut asked = false;
        let over_axi = retired(&Axi4LiteCore { core: standalone(config), responses }, |dut| {
            dut.poke("m_axi_ibus_arready", 1u8);
            dut.poke("m_axi_ibus_rvalid", u8::from(asked));
            dut.poke("m_axi_ibus_rdata", NOP);
            asked = dut.peek("m_axi_ibus_arvalid") == 1;
        });
        let mut asked = false;
        let mode = WishboneMode::Pipelined(responses);
        let over_wishbone = retired(&WishboneCore { core: standalone(config), mode }, |dut| {
            dut.poke("wbm_ibus_ack_i", u8::from(asked));
            dut.poke("wbm_ibus_dat_i", NOP);
            asked = dut.peek("wbm_ibus_stb_o") == 1;
        });
        assert_eq!([over_axi, over_wishbone], [instructions; 2], "{responses:?}, {config:?}");
        // Memory that answers at once.
        let classic = WishboneCore { core: standalone(config), mode: WishboneMode::Classic };
        let over_classic = retired(&classic, |dut| {
            let asks = dut.peek("wbm_ibus_stb_o") == 1;
            dut.poke("wbm_ibus_ack_i", u8::from(asks));
            dut.poke("wbm_ibus_dat_i", NOP);
        });
        assert_eq!(over_classic, CYCLES, "{config:?}");
    }
}
