//! What limits a netlist's speed, estimated without placing it: seconds instead of ten minutes, and all paths at once instead of the longest.
//!
//! Each cell has a fixed delay, near what nextpnr tells for an ECP5 of speed grade 6, and each wire one that grows with its fan-out. Paths come out shorter than nextpnr's by a tenth to a fourth, for it
//! has to go around things; their order is mostly right.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::tools::{read_json, signal};

/// ns from a pin of a cell to another one.
const LUT: f64 = 0.24;
const LUT_RAM_READ: f64 = 0.24;
const CARRY_IN_TO_OUT: f64 = 0.07;
const OPERAND_TO_CARRY: f64 = 0.45;
const TO_SUM: f64 = 0.45;
const MULTIPLIER: f64 = 3.93;
/// ns from the clock's edge to an output.
const FLIP_FLOP: f64 = 0.52;
const LUT_RAM: f64 = 0.6;
const BLOCK_RAM: f64 = 5.7;
/// ns of an input before the clock's edge, roughly.
const SETUP: f64 = 0.2;
/// ns of a wire to one input, and what each doubling of their number adds.
const WIRE: f64 = 0.9;
const WIRE_DOUBLED: f64 = 0.12;

/// The longest path between two parts.
pub struct Estimate {
    /// Its delay, in ns.
    pub ns: f64,
    /// The signal whose register or memory it leaves.
    pub from: String,
    /// The signal to whose register or memory it goes.
    pub to: String,
    /// Signals on the way.
    pub through: Vec<String>,
}

/// A way through a cell, into the net of its output.
struct Arc {
    from: usize,
    ns: f64,
    /// Carries have a wire of their own.
    is_carry: bool,
}

#[derive(Default)]
struct Net {
    name: String,
    fan_out: u32,
    arcs: Vec<Arc>,
    /// When it is there, if a register or memory drives it.
    start: Option<f64>,
}

struct End {
    net: usize,
    to: String,
}

/// The longest path from each signal's module to each module, the longest first.
pub fn estimate(netlist: &Path, top: &str) -> Result<Vec<Estimate>, String> {
    let json = read_json(netlist)?;
    let (nets, ends) = read(&json["modules"][top])
        .ok_or_else(|| format!("{} has no module {top} as Yosys writes them", netlist.display()))?;
    let arrivals = arrivals(&nets);
    let mut longest: HashMap<(String, String), (f64, usize, &End)> = HashMap::new();
    for end in &ends {
        let ns = arrivals[end.net].0 + wire(&nets[end.net]) + SETUP;
        let mut first = end.net;
        while let Some(before) = arrivals[first].1 {
            first = before;
        }
        let of = |name: &str| name.rsplit_once('.').map_or("", |(module, _)| module).to_string();
        let key = (of(&nets[first].name), of(&end.to));
        let known = longest.entry(key).or_insert((ns, first, end));
        if known.0 < ns {
            *known = (ns, first, end);
        }
    }
    let mut paths: Vec<Estimate> = longest
        .into_values()
        .map(|(ns, first, end)| {
            let mut through = vec![];
            let mut net = end.net;
            while let Some(before) = arrivals[net].1 {
                through.push(nets[net].name.clone());
                net = before;
            }
            through.reverse();
            through.dedup();
            Estimate { ns, from: nets[first].name.clone(), to: end.to.clone(), through }
        })
        .collect();
    paths.sort_by(|a, b| b.ns.total_cmp(&a.ns));
    Ok(paths)
}

fn wire(net: &Net) -> f64 {
    WIRE + WIRE_DOUBLED * f64::from(net.fan_out.max(1)).log2()
}

/// When each net is there at the latest, and by which one before it.
fn arrivals(nets: &[Net]) -> Vec<(f64, Option<usize>)> {
    let mut known: Vec<Option<(f64, Option<usize>)>> = nets.iter().map(|_| None).collect();
    let mut entered = vec![false; nets.len()];
    for root in 0..nets.len() {
        let mut stack = vec![root];
        while let Some(&net) = stack.last() {
            if known[net].is_some() {
                stack.pop();
                continue;
            }
            // A net is looked at twice: before those that it waits for, and after them. A loop without a register, which no design of ours has, would be cut here.
            if !entered[net] {
                entered[net] = true;
                stack.extend(nets[net].arcs.iter().map(|arc| arc.from).filter(|from| !entered[*from]));
                continue;
            }
            let begin = (nets[net].start.unwrap_or(0.0), None);
            let latest = nets[net].arcs.iter().fold(begin, |latest, arc| {
                let way = if arc.is_carry { 0.0 } else { wire(&nets[arc.from]) };
                match known[arc.from].map(|(ns, _)| ns + way + arc.ns) {
                    Some(ns) if ns > latest.0 => (ns, Some(arc.from)),
                    _ => latest,
                }
            });
            known[net] = Some(latest);
            stack.pop();
        }
    }
    known.into_iter().map(|known| known.unwrap_or((0.0, None))).collect()
}

/// Nets and ends of paths of a module; nothing if it is none of Yosys's.
fn read(module: &Value) -> Option<(Vec<Net>, Vec<End>)> {
    let mut nets: Vec<Net> = vec![];
    let named = |nets: &mut Vec<Net>, bit: &Value| -> Option<usize> {
        let index = usize::try_from(bit.as_u64()?).ok()?;
        if nets.len() <= index {
            nets.resize_with(index + 1, Net::default);
        }
        Some(index)
    };
    for (name, net) in module["netnames"].as_object()? {
        for bit in net["bits"].as_array()? {
            let Some(index) = named(&mut nets, bit) else { continue };
            // The shortest of a net's names is the one of the design.
            let name = signal(name);
            let old = &mut nets[index].name;
            if old.is_empty() || name.len() < old.len() {
                *old = name;
            }
        }
    }
    let mut ends = vec![];
    for (name, cell) in module["cells"].as_object()? {
        let kind = cell["type"].as_str()?;
        let (mut inputs, mut outputs) = (vec![], vec![]);
        for (port, bits) in cell["connections"].as_object()? {
            let is_input = cell["port_directions"][port] == "input";
            for bit in bits.as_array()? {
                let Some(net) = named(&mut nets, bit) else { continue };
                if is_input {
                    nets[net].fan_out += 1;
                    inputs.push((port.as_str(), net));
                } else {
                    outputs.push((port.as_str(), net));
                }
            }
        }
        let is_clock = |port: &str| port == "WCK" || port.starts_with("CLK");
        for &(output, net) in &outputs {
            let start = match kind {
                "TRELLIS_FF" => Some(FLIP_FLOP),
                "DP16KD" => Some(BLOCK_RAM),
                "TRELLIS_DPR16X4" => Some(LUT_RAM),
                _ => None,
            };
            nets[net].start = start;
            for &(input, from) in &inputs {
                let is_carry = input == "CIN";
                let ns = match kind {
                    "LUT4" | "PFUMX" | "L6MUX21" => Some(LUT),
                    "MULT18X18D" => input.starts_with(['A', 'B']).then_some(MULTIPLIER),
                    "TRELLIS_DPR16X4" => (input == "RAD").then_some(LUT_RAM_READ),
                    "CCU2C" => match (output, input) {
                        ("COUT", "CIN") => Some(CARRY_IN_TO_OUT),
                        ("COUT", _) => Some(OPERAND_TO_CARRY),
                        ("S0", input) if input.ends_with('1') => None,
                        _ => Some(TO_SUM),
                    },
                    _ => None,
                };
                nets[net].arcs.extend(ns.map(|ns| Arc { from, ns, is_carry }));
            }
        }
        let to = outputs.first().map_or_else(|| signal(name), |(_, net)| nets[*net].name.clone());
        let keeps = matches!(kind, "TRELLIS_FF" | "DP16KD" | "TRELLIS_DPR16X4");
        let into = inputs.iter().filter(|(port, _)| keeps && !is_clock(port) && *port != "RAD");
        ends.extend(into.map(|(_, net)| End { net: *net, to: to.clone() }));
    }
    Some((nets, ends))
}
