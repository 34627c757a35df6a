//! What is driven twice, partly or not at all.

use std::collections::BTreeSet;

use super::{Double, Segment, Walk, is_driven};
use crate::diagnostic::{Diagnostic, Kind};
use crate::ir::{Loc, SignalId, SignalKind};

impl Walk<'_> {
    fn show(&self, id: SignalId) -> String {
        let signal = self.module.signal(id);
        match signal.kind {
            SignalKind::ToInstance(i) => format!("{}.{}", self.module.instances[i.index()].name, signal.name),
            _ => signal.name.clone(),
        }
    }

    pub(super) fn judge(&self, diagnostics: &mut Vec<Diagnostic>) {
        for Double { target, first, second, both } in &self.double {
            let name = self.show(*target);
            let (message, before, help) = match both {
                None => (
                    format!("`{name}` is set again, which makes an earlier value useless"),
                    "this has no effect",
                    "remove one of them, or put the second under a `when`",
                ),
                Some((low, end)) => (
                    format!(
                        "{} of `{name}` {} set twice",
                        runs(&[(*low, *end)]),
                        if end - low == 1 { "is" } else { "are" }
                    ),
                    "set before",
                    "set each bit once; only a default may come before, which sets all of these bits and more",
                ),
            };
            let diagnostic = Diagnostic::new(Kind::DoubleDrive, second, message);
            diagnostics.push(diagnostic.here("set again").label(first, before).help(help));
        }
        let untouched = |k: usize| self.segments[self.of_signal[k].clone()].iter().all(|s| s.sets.is_empty());
        let forgotten = self.forgotten(untouched);
        for (instance, _) in self.module.instances.iter().zip(&forgotten).filter(|i| *i.1) {
            let message = format!("instance `{}` is never connected", instance.name);
            diagnostics.push(
                Diagnostic::new(Kind::UnusedInstance, instance.loc, message)
                    .help("connect its inputs (`.connect(...)`), or remove it"),
            );
        }
        for (k, signal) in self.module.signals.iter().enumerate().filter(|s| is_driven(s.1)) {
            let name = self.show(SignalId(k as u32));
            let what = match signal.kind {
                SignalKind::ToInstance(_) => "input",
                SignalKind::Reg { .. } => "register",
                _ if signal.is_output => "output",
                _ => "wire",
            };
            if untouched(k) {
                let diagnostic = match signal.kind {
                    SignalKind::ToInstance(i) if forgotten[i.index()] => continue,
                    SignalKind::ToInstance(_) => {
                        let message = format!("{what} `{name}` of an instance is left open");
                        Diagnostic::new(Kind::PortOpen, signal.loc, message)
                            .help("set it; an unused input still needs a value")
                    }
                    _ => {
                        let help = match what {
                            "register" => "set it, or use a constant in its place",
                            "output" => "set it",
                            _ => "set it, or remove it",
                        };
                        let message = format!("{what} `{name}` is never set");
                        Diagnostic::new(Kind::Undriven, signal.loc, message).help(help)
                    }
                };
                diagnostics.push(diagnostic);
                continue;
            }
            let open = self.segments[self.of_signal[k].clone()].iter().filter(|s| s.value.is_none());
            let (unset, latched): (Vec<&Segment>, Vec<&Segment>) = open.partition(|s| s.sets.is_empty());
            if !unset.is_empty() {
                let message = format!("{} of {what} `{name}` {} never set", ranges(&unset), are(&unset));
                diagnostics.push(
                    Diagnostic::new(Kind::PartlyDriven, signal.loc, message).help("set all bits of it"),
                );
            }
            if !latched.is_empty() {
                let whole = latched.iter().map(|s| s.width).sum::<u32>() == signal.shape.width;
                let bits = if whole { String::new() } else { format!("{} of ", ranges(&latched)) };
                let verb = if whole { "is" } else { are(&latched) };
                let message =
                    format!("{bits}{what} `{name}` {verb} not set on every path, which would make a latch");
                let mut diagnostic = Diagnostic::new(Kind::PartlyDriven, signal.loc, message)
                    .help("give it a default before the `when`, or set it in an `otherwise` too");
                let places: BTreeSet<Loc> =
                    latched.iter().flat_map(|s| &s.sets).map(|set| self.sets[*set].loc).collect();
                for loc in places {
                    diagnostic = diagnostic.label(loc, "set under a condition");
                }
                diagnostics.push(diagnostic);
            }
        }
    }

    /// For every instance, whether it has inputs and none of them is set.
    fn forgotten(&self, untouched: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut inputs = vec![(0, 0); self.module.instances.len()];
        for (k, signal) in self.module.signals.iter().enumerate() {
            if let SignalKind::ToInstance(instance) = signal.kind {
                let (all, open) = &mut inputs[instance.index()];
                *all += 1;
                *open += untouched(k) as usize;
            }
        }
        inputs.into_iter().map(|(all, open)| all > 0 && all == open).collect()
    }
}

/// Bits for people: `bit 3`, `bits 0 to 3, 6`.
fn ranges(segments: &[&Segment]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for segment in segments {
        let end = segment.low + segment.width;
        match runs.last_mut() {
            Some((_, last)) if *last == segment.low => *last = end,
            _ => runs.push((segment.low, end)),
        }
    }
    self::runs(&runs)
}

/// Runs of bits, each up to before its second number, for people.
fn runs(runs: &[(u32, u32)]) -> String {
    let run = |(low, end): &(u32, u32)| match end - low {
        1 => low.to_string(),
        _ => format!("{low} to {}", end - 1),
    };
    let text: Vec<String> = runs.iter().map(run).collect();
    let count: u32 = runs.iter().map(|(low, end)| end - low).sum();
    format!("bit{} {}", if count == 1 { "" } else { "s" }, text.join(", "))
}

fn are(segments: &[&Segment]) -> &'static str {
    if segments.iter().map(|s| s.width).sum::<u32>() == 1 { "is" } else { "are" }
}
