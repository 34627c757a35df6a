//! Waveforms drawn in characters, for snapshots that show behaviour.

use ferrite_hdl::Bits;
use ferrite_hdl::flat::{Flat, FlatPort};

use crate::engine::Simulator;

/// Recorded values of the ports of a design, one sample per cycle.
#[derive(Clone, Debug)]
pub struct Waves {
    inputs: Vec<FlatPort>,
    outputs: Vec<FlatPort>,
    /// Per port, inputs first, the samples.
    samples: Vec<Vec<Bits>>,
}

impl Waves {
    /// All ports of the top module, nothing recorded yet.
    pub fn of_ports(flat: &Flat) -> Waves {
        let (inputs, outputs) = (flat.inputs.clone(), flat.outputs.clone());
        let samples = vec![Vec::new(); inputs.len() + outputs.len()];
        Waves { inputs, outputs, samples }
    }

    /// Takes the values that the ports have now.
    pub fn sample(&mut self, engine: &mut dyn Simulator) {
        for (k, port) in self.inputs.iter().enumerate() {
            let signal = engine.flat().signals.iter().position(|s| s.node == port.node);
            let value = signal.and_then(|signal| engine.peek_signal(signal));
            self.samples[k].push(value.unwrap_or(Bits::zero(port.shape.width)));
        }
        for k in 0..self.outputs.len() {
            let value = engine.peek(k);
            self.samples[self.inputs.len() + k].push(value);
        }
    }

    /// A line per port: single bits as levels, words as their values (names, for enums) between `|` where they change.
    pub fn text(&self) -> String {
        let ports = || self.inputs.iter().chain(&self.outputs);
        let widest = ports().map(|p| p.name.len()).max().unwrap_or(0);
        let shown: Vec<Vec<String>> = ports()
            .zip(&self.samples)
            .map(|(port, samples)| samples.iter().map(|v| port.shape.show(v)).collect())
            .collect();
        let words = ports().zip(&shown).filter(|(p, _)| p.shape.width > 1).flat_map(|(_, s)| s);
        let cell = words.map(|w| w.chars().count()).max().unwrap_or(0).max(2) + 1;
        let mut out = String::new();
        for (port, values) in ports().zip(&shown) {
            let mut line = format!("{:widest$}  ", port.name);
            for (k, value) in values.iter().enumerate() {
                let same = k > 0 && values[k - 1] == *value;
                if port.shape.width == 1 && port.shape.encoding.is_none() {
                    let high = value == "1";
                    let (level, edge) = if high { ('▔', '/') } else { ('▁', '\\') };
                    line.push(if same || k == 0 { level } else { edge });
                    line.extend(std::iter::repeat_n(level, cell - 1));
                } else if same {
                    line.extend(std::iter::repeat_n(' ', cell));
                } else {
                    line.push_str(&format!("|{value:width$}", width = cell - 1));
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}
