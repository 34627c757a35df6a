//! What the tensor unit does, in which order: a plan as lists of commands.
//!
//! The program waits for the unit between two steps, so that it can tell what each layer took. The first piece of a layer's weights is loaded by the list of the step before: the
//! memory has something to do while that ends, and the array can begin at once.

use crate::lists::{Command, Convolve, Loop, Requantise, Transfer};
use crate::lower::{Chain, FullyConnected};
use crate::plan::{Activations, Piece, Plan};
use crate::program::Region;
use crate::target::Target;

/// Bytes of the zeros in external memory: a multiple of every scratchpad's words.
pub const ZERO_BYTES: u32 = 1024;
/// Commands that clear the activation areas, at most.
pub const CLEARING_RECORDS: u64 = 2;

/// Pieces of the next layer that a list loads, at most. More of them would be waited for at the list's end, while the array could begin with the first.
const PIECES_AHEAD: usize = 1;
/// Bytes of the runs of rows that are longer than a run can be; a multiple of every scratchpad's words.
const LONG_RUN_BYTES: u32 = 1 << 15;

/// Commands for which the program waits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the time is counted for: 0 for the input's way in, then the layers from 1 on, then the output's way out.
    pub part: usize,
    /// The commands.
    pub commands: Vec<Command>,
}

/// A step of one pass before weights are loaded ahead.
struct Stage {
    part: usize,
    /// Loads at the beginning that need nothing of the step before.
    ahead: Vec<Command>,
    rest: Vec<Command>,
}

/// The parts that time is counted for.
pub fn parts(chain: &Chain) -> usize {
    chain.layers.len() + 2
}

/// All steps of a network.
pub fn schedule(chain: &Chain, plan: &Plan, target: &Target) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut ring = Ring { region: plan.ring, next: 0 };
    let mut rows_before = 0;
    for pass in 0..plan.passes {
        let rows = plan.pass_rows.min(chain.batches as u32 - rows_before);
        let mut stages = Vec::with_capacity(parts(chain));
        let input = rows_of(plan.external.input, rows_before, rows, &plan.activations[0]);
        let mut rest = if pass == 0 { clearing(plan) } else { Vec::new() };
        rest.extend(input.into_iter().map(Command::Load));
        stages.push(Stage { part: 0, ahead: Vec::new(), rest });
        for index in 0..chain.layers.len() {
            stages.push(layer_stage(chain, plan, target, index, rows, &mut ring));
        }
        let last = &plan.activations[chain.layers.len()];
        let output = rows_of(plan.external.output, rows_before, rows, last);
        let rest = output.into_iter().map(Command::Store).collect();
        stages.push(Stage { part: parts(chain) - 1, ahead: Vec::new(), rest });
        rows_before += rows;
        steps.extend(join(stages));
    }
    steps
}

/// Commands of a pass, but for [`CLEARING_RECORDS`] of the first.
pub(crate) fn records_of_a_pass(layers: &[crate::plan::LayerPlan], activations: &[Activations]) -> u64 {
    let of_a_layer = |pieces: &[Piece]| {
        2 * pieces.len() as u64 + pieces.iter().filter(|piece| piece.is_last).count() as u64
    };
    let of_rows = |matrix: Option<&Activations>| matrix.map_or(0, |matrix| transfers_of(matrix.width));
    let layers: u64 = layers.iter().map(|layer| of_a_layer(&layer.pieces)).sum();
    layers + of_rows(activations.first()) + of_rows(activations.last())
}

/// Moves the loads with which a stage begins to the end of the one before.
fn join(stages: Vec<Stage>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(stages.len());
    for Stage { part, ahead, rest } in stages {
        if let Some(before) = steps.last_mut() {
            before.commands.extend(ahead);
        }
        steps.push(Step { part, commands: rest });
    }
    steps
}

/// Gives out the ring's places, one behind the other. What is given out together and has no more than half of it does not overlap.
struct Ring {
    region: Region,
    next: u32,
}

impl Ring {
    fn take(&mut self, bytes: u32) -> u32 {
        if self.next + bytes > self.region.bytes {
            self.next = 0;
        }
        let address = self.region.address + self.next;
        self.next += bytes;
        address
    }
}

/// Fills the activation areas with zeros. Bytes of a row behind its last channel meet weights of 0, so that their values do not matter; but
/// memory that has never been written may hold no value at all in simulation.
fn clearing(plan: &Plan) -> Vec<Command> {
    let zeros = plan.external.zeros;
    if zeros.bytes == 0 {
        return Vec::new();
    }
    let clear = |local: u32, bytes: u32, turns: u32| {
        let runs = Loop { turns: turns as u16, external_step: 0, local_step: ZERO_BYTES };
        let runs = if turns == 1 { Loop::ONCE } else { runs };
        let transfer =
            Transfer { external: zeros.address, local, bytes: bytes as u16, runs, repetitions: Loop::ONCE };
        (turns > 0 && bytes > 0).then_some(Command::Load(transfer))
    };
    let (turns, rest) = (plan.activation_bytes / ZERO_BYTES, plan.activation_bytes % ZERO_BYTES);
    [clear(0, ZERO_BYTES, turns), clear(turns * ZERO_BYTES, rest, 1)].into_iter().flatten().collect()
}

/// How many transfers [`rows_of`] makes for rows of `width` bytes.
fn transfers_of(width: u32) -> u64 {
    let is_long = width > u32::from(u16::MAX);
    if is_long && !width.is_multiple_of(LONG_RUN_BYTES) { 2 } else { 1 }
}

/// Rows of a tensor in external memory, where they follow each other without gaps, and of a matrix in the scratchpad.
fn rows_of(tensor: Region, first: u32, rows: u32, matrix: &Activations) -> Vec<Transfer> {
    let &Activations { address, width, row_bytes } = matrix;
    let external = tensor.address + first * width;
    let all_rows = match rows {
        1 => Loop::ONCE,
        _ => Loop { turns: rows as u16, external_step: width as i32, local_step: row_bytes },
    };
    if width <= u32::from(u16::MAX) {
        let bytes = width as u16;
        return vec![Transfer { external, local: address, bytes, runs: all_rows, repetitions: Loop::ONCE }];
    }
    let (turns, rest) = (width / LONG_RUN_BYTES, width % LONG_RUN_BYTES);
    let runs = Loop { turns: turns as u16, external_step: LONG_RUN_BYTES as i32, local_step: LONG_RUN_BYTES };
    let bytes = LONG_RUN_BYTES as u16;
    let mut transfers = vec![Transfer { external, local: address, bytes, runs, repetitions: all_rows }];
    if rest > 0 {
        let done = turns * LONG_RUN_BYTES;
        let (external, local, bytes) = (external + done, address + done, rest as u16);
        transfers.push(Transfer { external, local, bytes, runs: all_rows, repetitions: Loop::ONCE });
    }
    transfers
}

fn layer_stage(
    chain: &Chain,
    plan: &Plan,
    target: &Target,
    index: usize,
    rows: u32,
    ring: &mut Ring,
) -> Stage {
    let [input, output] = [plan.activations[index], plan.activations[index + 1]];
    let pieces = &plan.layers[index].pieces;
    let mut ahead = Vec::new();
    let mut rest = Vec::new();
    let mut bytes_ahead = 0;
    let mut is_ahead = true;
    // The array works in one half of the accumulators while the other half is turned into outputs.
    let mut half = 0;
    for (number, piece) in pieces.iter().enumerate() {
        let place = ring.take(piece.bytes());
        let load = Command::Load(Transfer {
            external: piece.address,
            local: place,
            bytes: piece.bytes() as u16,
            runs: Loop::ONCE,
            repetitions: Loop::ONCE,
        });
        bytes_ahead += piece.bytes();
        is_ahead &= number < PIECES_AHEAD && bytes_ahead <= plan.ring.bytes / 2;
        if is_ahead {
            ahead.push(load)
        } else {
            rest.push(load)
        }

        let accumulators = (half * (target.acc_rows / 2)) as u16;
        let weights = place + piece.parameter_bytes;
        rest.push(Command::Convolve(product(piece, &input, weights, accumulators, rows, target)));
        if piece.is_last {
            let layer = &chain.layers[index];
            rest.push(Command::Requantise(outputs(layer, piece, &output, place, accumulators, rows, target)));
            half = 1 - half;
        }
    }
    Stage { part: index + 1, ahead, rest }
}

/// Rows times a piece's weights: a convolution with a kernel of one over an image of one line.
fn product(
    piece: &Piece,
    input: &Activations,
    weights: u32,
    accumulators: u16,
    rows: u32,
    target: &Target,
) -> Convolve {
    let size = [rows as u16, 1];
    Convolve {
        act: input.address + piece.in_tiles.0 * target.rows,
        weights,
        accumulators,
        accumulate: piece.in_tiles.0 > 0,
        zero_point: 0,
        out: size,
        in_tiles: piece.in_tiles.1 as u16,
        out_tiles: piece.out_tiles.1 as u16,
        kernel: [1, 1],
        image: size,
        first: [0, 0],
        stride: [1, 1],
        dilation: [1, 1],
        pixel_step: step(rows, input.row_bytes),
        line_step: 0,
        in_tile_step: step(piece.in_tiles.1, target.rows),
    }
}

fn outputs(
    layer: &FullyConnected,
    piece: &Piece,
    output: &Activations,
    parameters: u32,
    accumulators: u16,
    rows: u32,
    target: &Target,
) -> Requantise {
    Requantise {
        parameters,
        output: output.address + piece.out_tiles.0 * target.cols,
        accumulators,
        out: [rows as u16, 1],
        tiles: piece.out_tiles.1 as u16,
        column_step: step(rows, output.row_bytes),
        row_step: 0,
        tile_step: step(piece.out_tiles.1, target.cols),
        zero_point: layer.zero_point,
        range: layer.range,
    }
}

/// The step of a loop: none for a single turn, which a step might be too large for.
fn step(turns: u32, bytes: u32) -> u32 {
    if turns == 1 { 0 } else { bytes }
}
