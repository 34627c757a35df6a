//! Expressions as Verilog text.
//!
//! Every text's self-determined width (IEEE 1364-2005, 5.4) is the node's width and the operands of an operator have equal
//! widths, so that Verilog never extends anything by itself. Two exceptions stand directly behind an `=` only:
//! a product, and a sum with its carry, whose operands the left side extends.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::bits::Bits;
use crate::ir::{Node, NodeId, Op};
use crate::shape::{EncodingInfo, Shape};
use crate::verilog::names::{Taken, upper_snake};
use crate::verilog::nodes::{deep, indexed_bit, known_comparison, without_casts};

/// How tightly a text binds; larger is tighter.
type Level = u8;
const PRIMARY: Level = 100;
const UNARY: Level = 90;
const PRODUCT: Level = 80;
const SUM: Level = 70;
const SHIFT: Level = 60;
const ORDER: Level = 50;
const EQUAL: Level = 45;
const AND: Level = 40;
const XOR: Level = 38;
const OR: Level = 36;
const CHOICE: Level = 10;

/// Expressions of more operators than this that are used more than once get a wire.
const MAX_REPEATED: u32 = 2;

/// A wire made for an expression.
pub(super) struct Hoisted {
    pub name: String,
    pub text: String,
    pub width: u32,
    pub signed: bool,
}

/// An enum constant. The derived order is that of the declarations: by enum, then by code.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Constant {
    pub encoding: &'static str,
    /// Tells enums of one name apart.
    pub variants: &'static [(&'static str, u64)],
    pub code: u64,
    pub width: u32,
}

pub(super) struct Expressions<'a> {
    nodes: &'a [Node],
    /// The Verilog name of every signal.
    signals: &'a [String],
    uses: Vec<u32>,
    sizes: Vec<u32>,
    /// Nodes of which some bits are taken, for which they need a name. Every use then goes through that name, so that what the text reads
    /// of it is what [`usage`](crate::verilog::usage) says.
    in_parts: Vec<bool>,
    /// Nodes that get a wire since too many levels lie below them; empty if there are none.
    deep: HashSet<NodeId>,
    hoisted: HashMap<NodeId, String>,
    /// Wires made so far and not yet written.
    pub made: Vec<Hoisted>,
    pub taken: Taken,
    /// Enum constants that were used: their names in Verilog by enum and code.
    pub constants: BTreeMap<Constant, String>,
    /// What the current expression is for; wires made for parts of it are named after that.
    pub target: String,
}

impl<'a> Expressions<'a> {
    pub fn new(
        nodes: &'a [Node],
        signals: &'a [String],
        uses: Vec<u32>,
        checks: &[u32],
        taken: Taken,
    ) -> Expressions<'a> {
        let mut sizes: Vec<u32> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let own =
                !matches!(node.op, Op::Const(..) | Op::Read(_) | Op::Cast(_) | Op::Slice(..) | Op::Extend(_));
            let parts: u32 = node.op.operands().iter().fold(0, |sum, n| sizes[n.index()].saturating_add(sum));
            sizes.push(parts.saturating_add(own as u32));
        }
        let mut in_parts = vec![false; nodes.len()];
        let is_written = |k: &usize| uses[*k] > 0 || checks[*k] > 0;
        for node in (0..nodes.len()).filter(is_written).map(|k| &nodes[k]) {
            if let Op::Slice(whole, low) = node.op {
                let whole = without_casts(nodes, whole);
                in_parts[whole.index()] |= indexed_bit(nodes, whole, low, node.width).is_none();
            }
        }
        Expressions {
            nodes,
            signals,
            uses,
            sizes,
            in_parts,
            deep: deep(nodes),
            hoisted: HashMap::new(),
            made: Vec::new(),
            taken,
            constants: BTreeMap::new(),
            target: String::new(),
        }
    }

    fn node(&self, id: NodeId) -> &'a Node {
        &self.nodes[id.index()]
    }

    /// Makes wires for the deep nodes below a node, from the bottom up, so that what is left to write has few levels.
    fn shorten(&mut self, id: NodeId) {
        if self.deep.is_empty() {
            return;
        }
        let (mut found, mut seen, mut work) = (BTreeSet::new(), HashSet::new(), vec![id]);
        while let Some(node) = work.pop() {
            if self.hoisted.contains_key(&node) || !seen.insert(node) {
                continue;
            }
            work.extend(self.node(node).op.operands());
            if self.deep.contains(&node) {
                found.insert(node);
            }
        }
        for node in found {
            self.identifier(node);
        }
    }

    /// The text behind an `=` whose left side has the node's width.
    pub fn value(&mut self, id: NodeId) -> String {
        self.shorten(id);
        self.root(id)
    }

    /// The text of a port's connection.
    pub fn pin(&mut self, id: NodeId) -> String {
        self.shorten(id);
        self.text(id, 0)
    }

    /// An identifier with the node's value.
    pub fn name(&mut self, id: NodeId) -> String {
        self.shorten(id);
        self.identifier(id)
    }

    fn root(&mut self, id: NodeId) -> String {
        let id = self.without_casts(id);
        if self.hoisted.contains_key(&id) {
            return self.text(id, 0);
        }
        let node = self.node(id);
        match &node.op {
            Op::Mul(a, b) => format!("{} * {}", self.closed(*a), self.closed(*b)),
            Op::Add(a, b) => match (self.narrowed(*a, node), self.narrowed(*b, node)) {
                (Some(a), Some(b)) => format!("{a} + {b}"),
                _ => self.fresh_text(id).0,
            },
            _ => self.fresh_text(id).0,
        }
    }

    /// A text whose value does not change where Verilog makes it wider than it is: a name, a part, a concatenation, a
    /// function call. Anything that computes gets a wire.
    fn closed(&mut self, id: NodeId) -> String {
        let node = self.node(id);
        match &node.op {
            Op::Const(..) | Op::Read(_) | Op::Slice(..) | Op::Concat(_) | Op::Extend(_) => {
                self.text(id, UNARY)
            }
            Op::Cast(inner) if self.node(*inner).signed != node.signed => self.text(id, UNARY),
            Op::Cast(inner) => self.closed(*inner),
            _ => self.identifier(id),
        }
    }

    /// An operand of a sum with carry, without the bit by which it was extended.
    fn narrowed(&mut self, id: NodeId, sum: &Node) -> Option<String> {
        match &self.node(id).op {
            Op::Extend(inner) if self.node(*inner).width + 1 == sum.width => Some(self.closed(*inner)),
            _ => None,
        }
    }

    fn without_casts(&self, id: NodeId) -> NodeId {
        without_casts(self.nodes, id)
    }

    /// A single bit as a condition.
    pub fn condition(&mut self, id: NodeId) -> String {
        self.shorten(id);
        self.text(id, 0)
    }

    /// Whether a property fails: it is looked at, and does not hold.
    pub fn fails(&mut self, enable: Option<NodeId>, cond: NodeId) -> String {
        enable.into_iter().chain([cond]).for_each(|id| self.shorten(id));
        let inverse = match self.node(cond).op {
            _ if self.hoisted.contains_key(&cond) => None,
            Op::Not(a) => Some(self.text(a, CHOICE + 1)),
            Op::Eq(a, b) => Some(self.binary(a, "!=", b, EQUAL + 1)),
            Op::Ne(a, b) => Some(self.binary(a, "==", b, EQUAL + 1)),
            _ => None,
        };
        let inverse = inverse.unwrap_or_else(|| format!("!{}", self.text(cond, PRIMARY)));
        match enable {
            None => inverse,
            Some(enable) => format!("{} && {inverse}", self.text(enable, CHOICE + 1)),
        }
    }

    /// An index into a memory or a vector. Anything that computes gets a wire: Icarus Verilog 11 evaluates sums in an index wider
    /// than they are, so that they do not wrap.
    pub fn index(&mut self, id: NodeId) -> String {
        self.shorten(id);
        let id = self.without_casts(id);
        match self.node(id).op {
            Op::Const(..) | Op::Read(_) | Op::Slice(..) | Op::Concat(_) | Op::Extend(_) => self.text(id, 0),
            _ => self.identifier(id),
        }
    }

    /// The text anywhere, in parentheses if it binds less tightly than asked.
    fn text(&mut self, id: NodeId, at_least: Level) -> String {
        if let Some(name) = self.hoisted.get(&id) {
            return name.clone();
        }
        if self.uses[id.index()] > 1 && self.sizes[id.index()] > MAX_REPEATED {
            return self.hoist(id);
        }
        match self.node(id).op {
            Op::Read(_) => {}
            Op::Mul(..) => return self.hoist(id),
            _ if self.in_parts[id.index()] => return self.hoist(id),
            _ => {}
        }
        let (text, level) = self.fresh_text(id);
        if level < at_least { format!("({text})") } else { text }
    }

    /// An identifier with the node's value.
    fn identifier(&mut self, id: NodeId) -> String {
        match self.node(id).op {
            Op::Read(signal) => self.signals[signal.index()].clone(),
            Op::Cast(inner) => self.identifier(inner),
            _ => match self.hoisted.get(&id) {
                Some(name) => name.clone(),
                None => self.hoist(id),
            },
        }
    }

    fn hoist(&mut self, id: NodeId) -> String {
        let text = self.root(id);
        let node = self.node(id);
        let noun = match node.op {
            Op::Not(_) => "inverted",
            Op::And(..) => "masked",
            Op::Or(..) => "joined",
            Op::Xor(..) => "mixed",
            Op::Add(..) => "sum",
            Op::Sub(..) => "difference",
            Op::Mul(..) => "product",
            Op::Eq(..) => "equal",
            Op::Ne(..) => "differs",
            Op::Lt(..) | Op::Le(..) => "less",
            Op::Shl(..) | Op::Shr(..) => "shifted",
            Op::Mux(..) => "choice",
            Op::Concat(_) => "word",
            Op::Slice(..) => "part",
            Op::Extend(_) => "extended",
            Op::ReduceAnd(_) => "all",
            Op::ReduceOr(_) => "any",
            Op::ReduceXor(_) => "parity",
            Op::Const(..) | Op::Read(_) | Op::Cast(_) => "value",
        };
        let name = self.taken.fresh(&format!("{}_{noun}", self.target));
        self.hoisted.insert(id, name.clone());
        self.made.push(Hoisted { name: name.clone(), text, width: node.width, signed: node.signed });
        name
    }

    fn binary(&mut self, a: NodeId, sign: &str, b: NodeId, level: Level) -> String {
        let (left, right) = (self.text(a, level), self.text(b, level + 1));
        format!("{left} {sign} {right}")
    }

    /// Bitwise operators: only the same operator goes without parentheses.
    fn bitwise(&mut self, a: NodeId, sign: &str, b: NodeId, level: Level) -> String {
        let mut side = |id: NodeId| {
            let same = match (&self.node(id).op, sign) {
                (Op::And(..), "&") | (Op::Or(..), "|") | (Op::Xor(..), "^") => level,
                _ => UNARY,
            };
            self.text(id, same)
        };
        let (left, right) = (side(a), side(b));
        format!("{left} {sign} {right}")
    }

    fn fresh_text(&mut self, id: NodeId) -> (String, Level) {
        let node = self.node(id);
        if let Some(value) = known_comparison(self.nodes, &node.op) {
            return literal(&Bits::from_bool(value), false);
        }
        match &node.op {
            Op::Const(value, encoding) => self.constant(value, node.signed, *encoding),
            Op::Read(signal) => (self.signals[signal.index()].clone(), PRIMARY),
            Op::Not(a) => {
                let sign = if node.width == 1 { "!" } else { "~" };
                (format!("{sign}{}", self.text(*a, PRIMARY)), UNARY)
            }
            Op::And(a, b) => (self.bitwise(*a, "&", *b, AND), AND),
            Op::Or(a, b) => (self.bitwise(*a, "|", *b, OR), OR),
            Op::Xor(a, b) => (self.bitwise(*a, "^", *b, XOR), XOR),
            Op::Add(a, b) => (self.binary(*a, "+", *b, SUM), SUM),
            Op::Sub(a, b) => (self.binary(*a, "-", *b, SUM), SUM),
            Op::Mul(a, b) => (self.binary(*a, "*", *b, PRODUCT), PRODUCT),
            Op::Eq(a, b) => (self.binary(*a, "==", *b, EQUAL + 1), EQUAL),
            Op::Ne(a, b) => (self.binary(*a, "!=", *b, EQUAL + 1), EQUAL),
            Op::Lt(a, b) => (self.binary(*a, "<", *b, ORDER + 1), ORDER),
            Op::Le(a, b) => (self.binary(*a, "<=", *b, ORDER + 1), ORDER),
            Op::Shl(a, b) => (self.shift(*a, "<<", *b), SHIFT),
            Op::Shr(a, b) => (self.shift(*a, if node.signed { ">>>" } else { ">>" }, *b), SHIFT),
            Op::Mux(c, a, b) => {
                let condition = self.text(*c, CHOICE + 1);
                let (yes, no) = (self.text(*a, CHOICE + 1), self.text(*b, CHOICE));
                (format!("{condition} ? {yes} : {no}"), CHOICE)
            }
            Op::Concat(parts) => (self.concat(parts), PRIMARY),
            Op::Slice(a, low) => self.slice(*a, *low, node.width),
            Op::Extend(a) => (self.extend(*a, node.width), PRIMARY),
            Op::Cast(a) => {
                let function = if node.signed { "$signed" } else { "$unsigned" };
                match self.node(*a).signed == node.signed {
                    true => (self.text(*a, PRIMARY), PRIMARY),
                    false => (format!("{function}({})", self.text(*a, 0)), PRIMARY),
                }
            }
            Op::ReduceAnd(a) => (format!("&{}", self.text(*a, PRIMARY)), UNARY),
            Op::ReduceOr(a) => (format!("|{}", self.text(*a, PRIMARY)), UNARY),
            Op::ReduceXor(a) => (format!("^{}", self.text(*a, PRIMARY)), UNARY),
        }
    }

    fn shift(&mut self, a: NodeId, sign: &str, b: NodeId) -> String {
        // Few readers know how tightly shifts bind.
        let left = self.text(a, UNARY);
        match &self.node(b).op {
            // All amounts from the width on do the same, and tools refuse numbers of more than 32 bits here.
            Op::Const(amount, None) => {
                let width = u64::from(self.node(a).width);
                format!("{left} {sign} {}", amount.to_u64().map_or(width, |amount| amount.min(width)))
            }
            _ => format!("{left} {sign} {}", self.text(b, UNARY)),
        }
    }

    fn concat(&mut self, parts: &[NodeId]) -> String {
        if parts.len() > 1 && parts.iter().all(|p| *p == parts[0]) {
            let part = self.without_casts(parts[0]);
            return format!("{{{}{{{}}}}}", parts.len(), self.text(part, 0));
        }
        let texts: Vec<String> = parts.iter().map(|p| self.text(self.without_casts(*p), 0)).collect();
        format!("{{{}}}", texts.join(", "))
    }

    fn slice(&mut self, a: NodeId, low: u32, width: u32) -> (String, Level) {
        let a = self.without_casts(a);
        let whole = self.node(a).width;
        if let Some((signal, index)) = indexed_bit(self.nodes, a, low, width) {
            let index = self.index(index);
            return (format!("{}[{index}]", self.signals[signal.index()]), PRIMARY);
        }
        let name = self.identifier(a);
        let text = match (whole, width) {
            (1, _) => name,
            (_, 1) => format!("{name}[{low}]"),
            (whole, width) if whole == width => name,
            _ => format!("{name}[{}:{low}]", low + width - 1),
        };
        (text, PRIMARY)
    }

    fn extend(&mut self, a: NodeId, width: u32) -> String {
        let inner = self.node(a);
        let more = width - inner.width;
        if !inner.signed {
            let zeros = format!("{more}'d0");
            let a = self.without_casts(a);
            return match &self.node(a).op {
                Op::Concat(parts) if !self.hoisted.contains_key(&a) && self.uses[a.index()] < 2 => {
                    let texts: Vec<String> =
                        parts.iter().map(|p| self.text(self.without_casts(*p), 0)).collect();
                    format!("{{{zeros}, {}}}", texts.join(", "))
                }
                _ => format!("{{{zeros}, {}}}", self.text(a, 0)),
            };
        }
        let name = self.identifier(a);
        let sign = if inner.width == 1 { name.clone() } else { format!("{name}[{}]", inner.width - 1) };
        let signs = if more == 1 { sign } else { format!("{{{more}{{{sign}}}}}") };
        format!("$signed({{{signs}, {name}}})")
    }

    /// What a register starts with: a variant by its name, else a number.
    pub fn reset_text(&mut self, value: &Bits, shape: Shape) -> String {
        self.constant(value, shape.signed, shape.encoding).0
    }

    /// The wires made for expressions, with what they carry.
    pub fn hoisted_names(&self) -> Vec<(NodeId, String)> {
        let mut all: Vec<_> = self.hoisted.iter().map(|(node, name)| (*node, name.clone())).collect();
        all.sort();
        all
    }

    fn constant(
        &mut self,
        value: &Bits,
        signed: bool,
        encoding: Option<&'static EncodingInfo>,
    ) -> (String, Level) {
        let code = value.to_u64().unwrap_or(0);
        if let Some(encoding) = encoding
            && let Some(variant) = encoding.name_of(code)
        {
            let key = Constant {
                encoding: encoding.name,
                variants: encoding.variants,
                code,
                width: encoding.width,
            };
            let taken = &mut self.taken;
            let name = self.constants.entry(key).or_insert_with(|| {
                taken.fresh(&format!("{}_{}", upper_snake(encoding.name), upper_snake(variant)))
            });
            return (name.clone(), PRIMARY);
        }
        literal(value, signed)
    }
}

/// A number with its width.
pub(super) fn literal(value: &Bits, signed: bool) -> (String, Level) {
    let width = value.width();
    if signed {
        let number = value.to_bigint();
        let smallest = value.msb() && value.count_ones() == 1;
        return match number.sign() {
            num_bigint::Sign::Minus if smallest => (format!("{width}'sh{value:x}"), PRIMARY),
            num_bigint::Sign::Minus => (format!("-{width}'sd{}", number.magnitude()), UNARY),
            _ => (format!("{width}'sd{number}"), PRIMARY),
        };
    }
    let text = match value.to_u64() {
        Some(v) if width == 1 => format!("1'b{v}"),
        Some(v) if v < 1024 => format!("{width}'d{v}"),
        _ => format!("{width}'h{value:x}"),
    };
    (text, PRIMARY)
}
