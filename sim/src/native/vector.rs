//! Code for lanes: four clusters of a group at a time, in vectors of four 32-bit lanes.

use std::collections::{BTreeMap, HashMap};

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I32X4, I64};
use cranelift_codegen::ir::{InstBuilder, Value};

use super::body::flags;
use super::graph::{Comparison, Id, Op};
use super::lanes::{EXTERNAL, Lane, LaneBlock, Template};
use super::layout::Place;
use super::operation::code;
use super::scalar::Scalar;

const LANES: usize = 4;

/// Values of the lanes at hand.
#[derive(Clone, Copy)]
struct Held {
    value: Value,
    /// Bits above the width are 0.
    clean: bool,
}

/// Four lanes, or fewer at the end of a block: then some values are computed twice.
struct Chunk<'p> {
    template: &'p Template,
    lanes: Vec<&'p Lane>,
    held: HashMap<u32, Held>,
    /// All bits of a lane set where a one-bit value is 1.
    masks: HashMap<u32, Value>,
}

impl Chunk<'_> {
    fn width(&self, operand: u32) -> u32 {
        match operand & EXTERNAL {
            0 => self.template.nodes[operand as usize].1,
            _ => self.template.externals[(operand & !EXTERNAL) as usize],
        }
    }
}

impl Scalar<'_, '_> {
    /// All that a block of lanes does when it is evaluated.
    pub fn lanes(&mut self, block: &LaneBlock) {
        let plan = self.plan;
        // How the stored values and the registers differ from before, by their position in the template.
        let mut stored: BTreeMap<u32, Value> = BTreeMap::new();
        let mut nexts: BTreeMap<usize, Value> = BTreeMap::new();
        for lanes in block.lanes.chunks(LANES) {
            // A block's last lanes are filled up with copies of the last of them, which is computed and stored again.
            let mut filled: Vec<&Lane> = lanes.iter().collect();
            filled.resize(LANES, &lanes[lanes.len() - 1]);
            let mut chunk = Chunk {
                template: &block.template,
                lanes: filled,
                held: HashMap::new(),
                masks: HashMap::new(),
            };
            for (position, (op, width)) in (0u32..).zip(&block.template.nodes) {
                self.lane_operation(&mut chunk, position, op, *width);
            }
            for position in &block.stored {
                let value = self.lane_clean(&mut chunk, *position);
                let places: Vec<Place> = chunk
                    .lanes
                    .iter()
                    .map(|lane| plan.layout.places[&lane.nodes[*position as usize]])
                    .collect();
                let change = self.replace_lanes(value, &places, 0);
                let before = stored.get(position).copied();
                stored.insert(*position, self.body.or_option(before, change));
            }
            for (role, (next, _)) in block.template.nexts.iter().enumerate() {
                let value = self.lane_clean(&mut chunk, *next);
                let places: Vec<Place> = chunk
                    .lanes
                    .iter()
                    .map(|lane| plan.layout.places[&plan.netlist.states[lane.states[role] as usize].id])
                    .collect();
                let change = self.replace_lanes(value, &places, plan.layout.shadow);
                let before = nexts.get(&role).copied();
                nexts.insert(role, self.body.or_option(before, change));
            }
        }
        for (position, change) in stored {
            let nodes = block.lanes.iter().map(|lane| lane.nodes[position as usize]);
            let mut readers: Vec<u32> = nodes.flat_map(|node| plan.readers(node)).copied().collect();
            readers.sort_unstable();
            readers.dedup();
            let changed = self.any_lane(change);
            self.body.raise(plan.layout.active, &readers, changed);
        }
        for (role, change) in nexts {
            let unit = plan.unit_of[block.lanes[0].states[role] as usize];
            let changed = self.any_lane(change);
            self.body.raise(plan.layout.pending, &[plan.layout.unit_bits[unit as usize]], changed);
        }
        self.body.flush();
    }

    fn any_lane(&mut self, change: Value) -> Value {
        let any = self.body.b.ins().vany_true(change);
        self.body.b.ins().uextend(I64, any)
    }

    /// Loads lanes from places: at once if they are neighbours.
    fn load_lanes(&mut self, places: &[Place], distance: u32) -> Value {
        if are_neighbours(places) {
            let offset = (places[0].offset + distance) as i32;
            return self.body.b.ins().load(I32X4, flags(), self.body.base, offset);
        }
        let mut lanes = Vec::new();
        for place in places {
            let loaded = self.body.load(Place { offset: place.offset + distance, ..*place });
            lanes.push(self.body.b.ins().ireduce(I32, loaded));
        }
        self.assemble(&lanes)
    }

    fn assemble(&mut self, lanes: &[Value]) -> Value {
        if lanes.iter().all(|lane| *lane == lanes[0]) {
            return self.body.b.ins().splat(I32X4, lanes[0]);
        }
        let mut vector = self.body.b.ins().scalar_to_vector(I32X4, lanes[0]);
        for (k, lane) in lanes.iter().enumerate().skip(1) {
            vector = self.body.b.ins().insertlane(vector, *lane, k as u8);
        }
        vector
    }

    /// Stores lanes `distance` bytes behind some places; tells how they differ from what is at the places.
    fn replace_lanes(&mut self, value: Value, places: &[Place], distance: u32) -> Value {
        let before = self.load_lanes(places, 0);
        let change = self.body.b.ins().bxor(before, value);
        if are_neighbours(places) {
            self.body.store_as(value, places[0].offset + distance);
        } else {
            for (k, place) in places.iter().enumerate() {
                let lane = self.body.b.ins().extractlane(value, k as u8);
                let lane = self.body.b.ins().uextend(I64, lane);
                self.body.store(Place { offset: place.offset + distance, ..*place }, lane);
            }
        }
        change
    }

    fn operand(&mut self, chunk: &mut Chunk, operand: u32) -> Held {
        if let Some(held) = chunk.held.get(&operand) {
            return *held;
        }
        let held = if operand & EXTERNAL == 0 {
            // Only comparisons are kept as masks.
            let one = self.splat(1);
            Held { value: self.body.b.ins().band(chunk.masks[&operand], one), clean: true }
        } else {
            let k = (operand & !EXTERNAL) as usize;
            let ids: Vec<Id> = chunk.lanes.iter().map(|lane| lane.externals[k]).collect();
            let value = self.external(&ids);
            Held { value, clean: true }
        };
        chunk.held.insert(operand, held);
        held
    }

    /// Values from outside, one for each lane.
    fn external(&mut self, ids: &[Id]) -> Value {
        let plan = self.plan;
        if ids.iter().all(|id| *id == ids[0]) {
            if let Some(value) = self.splats.get(&ids[0]) {
                return *value;
            }
            let value = self.clean(ids[0]);
            let value = self.body.b.ins().ireduce(I32, value);
            let value = self.body.b.ins().splat(I32X4, value);
            self.splats.insert(ids[0], value);
            return value;
        }
        let places: Option<Vec<Place>> = ids.iter().map(|id| plan.layout.places.get(id).copied()).collect();
        if let Some(places) = places {
            if are_neighbours(&places) {
                return self.load_lanes(&places, 0);
            }
            // At the edge of an array one lane comes from elsewhere.
            let shifted = Place { offset: places[1].offset.wrapping_sub(4), bytes: 4 };
            if places[1].offset >= 4 && are_neighbours(&[shifted, places[1], places[2], places[3]]) {
                let others = self.body.b.ins().load(I32X4, flags(), self.body.base, shifted.offset as i32);
                let first = self.body.load(places[0]);
                let first = self.body.b.ins().ireduce(I32, first);
                return self.body.b.ins().insertlane(others, first, 0u8);
            }
        }
        let mut lanes = Vec::new();
        for id in ids {
            let value = self.clean(*id);
            lanes.push(self.body.b.ins().ireduce(I32, value));
        }
        self.assemble(&lanes)
    }

    fn splat(&mut self, value: u32) -> Value {
        let value = self.body.b.ins().iconst(I32, i64::from(value));
        self.body.b.ins().splat(I32X4, value)
    }

    fn lane_clean(&mut self, chunk: &mut Chunk, operand: u32) -> Value {
        let held = self.operand(chunk, operand);
        let width = chunk.width(operand);
        if held.clean || width == 32 {
            return held.value;
        }
        let mask = self.splat((1u32 << width) - 1);
        let value = self.body.b.ins().band(held.value, mask);
        chunk.held.insert(operand, Held { value, clean: true });
        value
    }

    fn lane_signed(&mut self, chunk: &mut Chunk, operand: u32) -> Value {
        let value = self.operand(chunk, operand).value;
        let width = chunk.width(operand);
        if width == 32 {
            return value;
        }
        let by = i64::from(32 - width);
        let up = self.body.b.ins().ishl_imm_u(value, by);
        self.body.b.ins().sshr_imm_u(up, by)
    }

    fn lane_mask(&mut self, chunk: &mut Chunk, operand: u32) -> Value {
        if let Some(mask) = chunk.masks.get(&operand) {
            return *mask;
        }
        let value = self.lane_clean(chunk, operand);
        let mask = self.body.b.ins().ineg(value);
        chunk.masks.insert(operand, mask);
        mask
    }

    fn lane_operation(&mut self, chunk: &mut Chunk, position: u32, op: &Op, width: u32) {
        let (value, clean) = match *op {
            Op::Not(a) => {
                let a = self.operand(chunk, a);
                (self.body.b.ins().bnot(a.value), false)
            }
            Op::And(a, b) => {
                let (a, b) = (self.operand(chunk, a), self.operand(chunk, b));
                (self.body.b.ins().band(a.value, b.value), a.clean || b.clean)
            }
            Op::Or(a, b) => {
                let (a, b) = (self.operand(chunk, a), self.operand(chunk, b));
                (self.body.b.ins().bor(a.value, b.value), a.clean && b.clean)
            }
            Op::Xor(a, b) => {
                let (a, b) = (self.operand(chunk, a), self.operand(chunk, b));
                (self.body.b.ins().bxor(a.value, b.value), a.clean && b.clean)
            }
            Op::Add(a, b) => {
                let (a, b) = (self.operand(chunk, a), self.operand(chunk, b));
                (self.body.b.ins().iadd(a.value, b.value), false)
            }
            Op::Sub(a, b) => {
                let (a, b) = (self.operand(chunk, a), self.operand(chunk, b));
                (self.body.b.ins().isub(a.value, b.value), false)
            }
            Op::Mul { a, b, signed } => {
                let (a, b) = if signed {
                    (self.lane_signed(chunk, a), self.lane_signed(chunk, b))
                } else {
                    (self.lane_clean(chunk, a), self.lane_clean(chunk, b))
                };
                (self.body.b.ins().imul(a, b), !signed)
            }
            Op::Compare(comparison, a, b) => {
                let (x, y) = match comparison {
                    Comparison::Less { signed: true } | Comparison::AtMost { signed: true } => {
                        (self.lane_signed(chunk, a), self.lane_signed(chunk, b))
                    }
                    _ => (self.lane_clean(chunk, a), self.lane_clean(chunk, b)),
                };
                let code: IntCC = code(comparison);
                let mask = self.body.b.ins().icmp(code, x, y);
                chunk.masks.insert(position, mask);
                return;
            }
            Op::Mux(c, a, b) => {
                let mask = self.lane_mask(chunk, c);
                let (a, b) = (self.operand(chunk, a), self.operand(chunk, b));
                (self.body.b.ins().bitselect(mask, a.value, b.value), a.clean && b.clean)
            }
            Op::Concat(ref parts) => {
                let mut joined = None;
                let mut at = width;
                for part in parts {
                    at -= chunk.width(*part);
                    let value = self.lane_clean(chunk, *part);
                    let value =
                        if at == 0 { value } else { self.body.b.ins().ishl_imm_u(value, i64::from(at)) };
                    joined = Some(self.body.or_option(joined, value));
                }
                let joined = joined.unwrap_or_else(|| self.splat(0));
                (joined, true)
            }
            Op::Slice(a, low) => {
                let end = low + width == chunk.width(a);
                let value = if end { self.lane_clean(chunk, a) } else { self.operand(chunk, a).value };
                let value =
                    if low == 0 { value } else { self.body.b.ins().ushr_imm_u(value, i64::from(low)) };
                (value, end)
            }
            Op::Extend { a, signed: true } => (self.lane_signed(chunk, a), width == 32),
            Op::Extend { a, .. } => (self.lane_clean(chunk, a), true),
            // Templates hold no others.
            _ => (self.splat(0), true),
        };
        chunk.held.insert(position, Held { value, clean: clean || width == 32 });
    }
}

/// Whether places are 4 bytes each, one after the other.
fn are_neighbours(places: &[Place]) -> bool {
    places.iter().all(|place| place.bytes == 4)
        && places.windows(2).all(|pair| pair[1].offset == pair[0].offset.wrapping_add(4))
}
