//! Combinational loops, told as chains of signals.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::diagnostic::{Diagnostic, Kind};
use crate::flat::Index;
use crate::flat::build::Raw;
use crate::flat::order::operands;
use crate::ir::Loc;

/// The signals of a loop that a message shows from either end; between them it counts.
const SHOWN: usize = 8;

/// One mistake for every group of nodes that feed each other; bits of one word, and instances of one module, count once.
pub(super) fn describe(raw: &Raw, groups: &[&Vec<Index>]) -> Vec<Diagnostic> {
    let mut seen: HashSet<Vec<Loc>> = HashSet::new();
    let mut found = Vec::new();
    for group in groups {
        let steps = steps(raw, &shortest(raw, group));
        let mut places: Vec<Loc> = steps.iter().map(|step| step.loc).collect();
        places.sort_unstable();
        if seen.insert(places) {
            found.extend(diagnostic(&steps));
        }
    }
    found
}

/// A signal of a loop.
struct Step {
    name: String,
    /// Where it is set.
    loc: Loc,
}

/// A shortest loop within a group, in the order in which values flow.
fn shortest(raw: &Raw, group: &[Index]) -> Vec<Index> {
    let members: HashSet<Index> = group.iter().copied().collect();
    // Every loop passes through a signal; it is told from the one made first.
    let made = |n: &Index| {
        raw.nodes[*n as usize].signal.map_or((usize::MAX, 0), |s| (s, raw.nodes[*n as usize].low))
    };
    let start = group.iter().copied().min_by_key(made).unwrap_or(group[0]);
    // Breadth first from the start along operands, until back at the start.
    let mut user: HashMap<Index, Index> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    'search: while let Some(node) = queue.pop_front() {
        for operand in operands(&raw.nodes[node as usize].op) {
            if members.contains(&operand) && !user.contains_key(&operand) {
                user.insert(operand, node);
                if operand == start {
                    break 'search;
                }
                queue.push_back(operand);
            }
        }
    }
    let mut chain = vec![start];
    let mut at = start;
    while let Some(next) = user.get(&at).copied().filter(|next| *next != start) {
        chain.push(next);
        at = next;
    }
    chain
}

fn steps(raw: &Raw, chain: &[Index]) -> Vec<Step> {
    let mut steps: Vec<(usize, u32)> = Vec::new();
    for node in chain.iter().map(|n| &raw.nodes[*n as usize]) {
        // Bits of one signal that follow each other are one step.
        if let Some(signal) = node.signal.filter(|s| steps.last().is_none_or(|last| last.0 != *s)) {
            steps.push((signal, node.low));
        }
    }
    if steps.len() > 1 && steps.first().map(|s| s.0) == steps.last().map(|s| s.0) {
        steps.pop();
    }
    let step = |(signal, bit): (usize, u32)| {
        let set = raw.set_at[signal].iter().rfind(|set| set.0 <= bit);
        Step {
            name: raw.flat.signal_path(signal),
            loc: set.map_or(raw.flat.signals[signal].loc, |set| set.1),
        }
    };
    steps.into_iter().map(step).collect()
}

fn diagnostic(steps: &[Step]) -> Option<Diagnostic> {
    let first = steps.first()?;
    let feeder = |k: usize| &steps[(k + steps.len() - 1) % steps.len()].name;
    let words = |k: usize| format!("`{}` depends on `{}`", steps[k].name, feeder(k));
    let hidden = SHOWN..steps.len().saturating_sub(SHOWN).max(SHOWN);
    let mut names: Vec<String> = Vec::new();
    for (k, step) in steps.iter().enumerate() {
        if k == hidden.start && !hidden.is_empty() {
            names.push(format!("({} more)", hidden.len()));
        }
        if !hidden.contains(&k) {
            names.push(step.name.clone());
        }
    }
    names.push(first.name.clone());
    let message = format!("combinational loop: {}", names.join(" -> "));
    let mut diagnostic = Diagnostic::new(Kind::CombinationalLoop, first.loc, message).here(words(0));
    for (k, step) in steps.iter().enumerate().skip(1).filter(|(k, _)| !hidden.contains(k)) {
        diagnostic = diagnostic.label(step.loc, words(k));
    }
    Some(diagnostic.help("put a register somewhere into the loop"))
}
