//! What a node is, beyond what its operator says.

use std::collections::HashSet;

use crate::ir::{Node, NodeId, Op, SignalId};

/// Expressions of more levels than this get wires within: nobody reads a deeper one, and writing it out recurses.
const MAX_LEVELS: u32 = 100;

/// The node without the casts around it: the same bits.
pub(super) fn without_casts(nodes: &[Node], mut id: NodeId) -> NodeId {
    while let Op::Cast(inner) = nodes[id.index()].op {
        id = inner;
    }
    id
}

/// For a slice that is one bit of a signal at a variable place: the signal and the place.
pub(super) fn indexed_bit(nodes: &[Node], whole: NodeId, low: u32, width: u32) -> Option<(SignalId, NodeId)> {
    let node = |id: NodeId| &nodes[id.index()];
    match node(whole).op {
        Op::Shr(word, index)
            if (low, width) == (0, 1)
                && node(index).width < 32
                && node(word).width == 1 << node(index).width =>
        {
            match node(word).op {
                Op::Read(signal) => Some((signal, index)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Every node with a whole number of times [`MAX_LEVELS`] levels below it.
pub(super) fn deep(nodes: &[Node]) -> HashSet<NodeId> {
    let mut levels: Vec<u32> = Vec::with_capacity(nodes.len());
    let mut deep = HashSet::new();
    for (k, node) in nodes.iter().enumerate() {
        let below = node.op.operands().iter().map(|n| levels[n.index()]).max();
        levels.push(match below {
            Some(MAX_LEVELS) => {
                deep.insert(NodeId(k as u32));
                0
            }
            below => below.map_or(0, |levels| levels + 1),
        });
    }
    deep
}

/// What a comparison with the smallest or largest number says of every value; linters take it for a mistake.
pub(super) fn known_comparison(nodes: &[Node], op: &Op<NodeId>) -> Option<bool> {
    let is = |id: NodeId, largest: bool| {
        let node = &nodes[id.index()];
        let Op::Const(value, _) = &node.op else {
            return false;
        };
        let sign = node.signed as u64;
        let ones = if largest { u64::from(node.width) - sign } else { sign };
        // The largest number has all bits set but the sign; the smallest none but the sign.
        value.count_ones() == ones && (!node.signed || value.msb() != largest)
    };
    match op {
        Op::Lt(a, b) if is(*b, false) || is(*a, true) => Some(false),
        Op::Le(a, b) if is(*a, false) || is(*b, true) => Some(true),
        _ => None,
    }
}
