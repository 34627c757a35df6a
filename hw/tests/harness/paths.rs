//! Which outputs depend on which inputs without a clock edge between.

use std::collections::BTreeSet;

use ferrite_hdl::elaborate;
use ferrite_hdl::prelude::*;

/// Pairs of an output and an input on which it depends in the same cycle, by their names, of those outputs and inputs whose names begin so.
pub fn paths(module: &impl Module, outputs: &str, inputs: &str) -> BTreeSet<(String, String)> {
    let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let flat = &design.flat;
    let mut found = BTreeSet::new();
    for output in flat.outputs.iter().filter(|port| port.name.starts_with(outputs)) {
        let mut seen = vec![false; flat.nodes.len()];
        let mut work = vec![output.node];
        while let Some(node) = work.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                work.extend(flat.nodes[node as usize].op.operands());
            }
        }
        let met = flat.inputs.iter().filter(|port| seen[port.node as usize]);
        let met = met.filter(|port| port.name.starts_with(inputs));
        found.extend(met.map(|input| (output.name.clone(), input.name.clone())));
    }
    found
}
