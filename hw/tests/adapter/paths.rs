//! Which outputs depend on which inputs without a clock edge between.

use std::collections::BTreeSet;

use ferrite_hdl::prelude::*;
use ferrite_hw::adapter::{Axi4LiteCore, Responses, Standalone, WishboneCore, WishboneMode};
use ferrite_hw::core::CoreConfig;

/// The outputs of a bus that depend on one of its inputs.
fn paths(module: &impl Module, bus: &str) -> BTreeSet<(String, String)> {
    super::depends::paths(module, bus, bus)
}

fn cores() -> impl Iterator<Item = Standalone> {
    [CoreConfig::SMALL, CoreConfig::FAST, CoreConfig { pmp_regions: 4, ..CoreConfig::FAST }].into_iter().map(
        |config| Standalone { name: "alone".to_string(), config, has_coprocessor: true, has_rvfi: false },
    )
}

#[test]
fn no_output_of_a_bus_depends_on_an_input_of_a_bus_with_registered_responses() {
    for core in cores() {
        let responses = Responses::Registered;
        assert_eq!(paths(&Axi4LiteCore { core: core.clone(), responses }, "m_axi"), BTreeSet::new());
        for mode in [WishboneMode::Classic, WishboneMode::Pipelined(responses)] {
            assert_eq!(paths(&WishboneCore { core: core.clone(), mode }, "wbm"), BTreeSet::new());
        }
    }
}

#[test]
fn with_direct_responses_nothing_depends_on_ready_or_stall() {
    for core in cores() {
        let responses = Responses::Direct;
        let axi = paths(&Axi4LiteCore { core: core.clone(), responses }, "m_axi");
        let wishbone = WishboneCore { core, mode: WishboneMode::Pipelined(responses) };
        let all: Vec<_> = axi.into_iter().chain(paths(&wishbone, "wbm")).collect();
        let forbidden: Vec<_> =
            all.iter().filter(|(_, input)| input.ends_with("ready") || input.ends_with("stall_i")).collect();
        assert!(forbidden.is_empty(), "{forbidden:?}");
        // The path that they are named for.
        for (output, input) in
            [("m_axi_dbus_arvalid", "m_axi_dbus_rvalid"), ("wbm_ibus_stb_o", "wbm_ibus_ack_i")]
        {
            assert!(all.contains(&(output.to_string(), input.to_string())), "{output} from {input}");
        }
    }
}
