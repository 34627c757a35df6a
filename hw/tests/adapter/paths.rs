//! Which outputs depend on which inputs without a clock edge between.

use std::collections::BTreeSet;

use ferrite_hdl::elaborate;
use ferrite_hdl::prelude::*;
use ferrite_hw::adapter::{Axi4LiteCore, Responses, Standalone, WishboneCore, WishboneMode};
use ferrite_hw::core::CoreConfig;

/// The inputs on which an output of the bus depends: pairs of an output and an input, by their names.
fn paths(module: &impl Module, prefix: &str) -> BTreeSet<(String, String)> {
    let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let flat = &design.flat;
    let mut found = BTreeSet::new();
    for output in flat.outputs.iter().filter(|port| port.name.starts_with(prefix)) {
        let mut seen = vec![false; flat.nodes.len()];
        let mut work = vec![output.node];
        while let Some(node) = work.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                work.extend(flat.nodes[node as usize].op.operands());
            }
        }
        let inputs = flat.inputs.iter().filter(|port| seen[port.node as usize]);
        let inputs = inputs.filter(|port| port.name.starts_with(prefix));
        found.extend(inputs.map(|input| (output.name.clone(), input.name.clone())));
    }
    found
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
