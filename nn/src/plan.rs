//! Where everything goes: layers cut into pieces, and the layouts of the scratchpad and of external memory.
//!
//! Activations alternate between two areas of the scratchpad: layer 0 reads area 0 and writes area 1, layer 1 reads area 1 and writes area 0, and so on. The rest of the
//! scratchpad is a ring, through which weights and parameters are streamed in *pieces*: a piece is a load from consecutive addresses, and what the array does with it. Several fit
//! into the ring, so that the next are loaded while one is computed with; the unit itself takes care that none is overwritten too early. A batch too large for
//! the scratchpad or the accumulators is cut into passes: fully connected layers treat every row alike, so that a pass runs the whole network on its rows.

use crate::error::CompileError;
use crate::lists::RECORD_BYTES;
use crate::lower::{Chain, FullyConnected};
use crate::program::Region;
use crate::schedule;
use crate::target::Target;

/// What pieces are made to come near to, measured with layers of 128 x 128 and 640 x 128 at batch 1 (decision 16): larger ones let the array wait for the first, smaller ones cost
/// more commands than the unit takes up meanwhile.
const PIECE_BYTES: u32 = 8192;
/// Pieces that the ring shall hold at least, if activations leave room for them.
const RING_PIECES: u32 = 4;
/// Rows that the fields of commands can count.
const MOST_ROWS: u64 = 0xFFFF;
/// What tensors and tables in external memory start at a multiple of: the widest bus takes so much at once.
const EXTERNAL_ALIGNMENT: u64 = 64;

/// A network cut to the size of a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Rows of every pass but the last, which may have fewer.
    pub pass_rows: u32,
    /// How many passes make the batch.
    pub passes: u32,
    /// Bytes of both activation areas together, from address 0 of the scratchpad.
    pub activation_bytes: u32,
    /// The rest of the scratchpad.
    pub ring: Region,
    /// The matrices of activations: the network's input, then each layer's output.
    pub activations: Vec<Activations>,
    /// One per layer.
    pub layers: Vec<LayerPlan>,
    /// Where tensors stand in external memory.
    pub external: ExternalPlan,
}

/// A matrix of activations in the scratchpad: one row per batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activations {
    /// Scratchpad address of the first row.
    pub address: u32,
    /// Channels of a row that mean something.
    pub width: u32,
    /// Bytes from one row to the next.
    pub row_bytes: u32,
}

/// How a layer is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerPlan {
    /// Its pieces, one behind the other in external memory.
    pub pieces: Vec<Piece>,
    /// Where they stand there.
    pub data: Region,
}

/// A stretch of a layer's weights: all of some tiles of output channels, or some tiles of input channels of one. Where the last tiles of input channels are among them, the parameters of
/// the output channels stand before the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Tiles of output channels: the first, and how many.
    pub out_tiles: (u32, u32),
    /// Tiles of input channels: the first, and how many.
    pub in_tiles: (u32, u32),
    /// Whether sums are complete with it.
    pub is_last: bool,
    /// Address in external memory.
    pub address: u32,
    /// Bytes of parameters.
    pub parameter_bytes: u32,
    /// Bytes of weights.
    pub weight_bytes: u32,
}

impl Piece {
    /// Parameters and weights.
    pub fn bytes(&self) -> u32 {
        self.parameter_bytes + self.weight_bytes
    }
}

/// Places in external memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalPlan {
    /// Zeros that both activation areas are filled with at the start; none if every byte is written anyway.
    pub zeros: Region,
    /// The command lists.
    pub lists: Region,
    /// The input tensor.
    pub input: Region,
    /// The output tensor.
    pub output: Region,
}

/// Plans a network for a chip.
///
/// # Errors
///
/// [`CompileError::Scratchpad`] if not even one row fits, [`CompileError::External`] if external memory does not hold weights, tensors and lists.
pub fn plan(chain: &Chain, target: &Target) -> Result<Plan, CompileError> {
    let widths: Vec<usize> =
        chain.layers.first().map(|layer| layer.inputs).into_iter().chain(outputs(&chain.layers)).collect();
    let word = u64::from(target.word_bytes());
    let row_bytes: Vec<u64> = widths.iter().map(|&width| (width as u64).next_multiple_of(word)).collect();
    let longest = |parity: usize| row_bytes.iter().skip(parity).step_by(2).copied().max().unwrap_or(0);
    let areas = [longest(0), longest(1)];
    let both = areas[0] + areas[1];

    let scratchpad = u64::from(target.scratchpad_bytes);
    let smallest_piece = u64::from(target.parameter_bytes() + target.tile_bytes());
    if both + smallest_piece > scratchpad {
        let widest = chain.layers.iter().max_by_key(|layer| layer.inputs.max(layer.outputs));
        return Err(CompileError::Scratchpad {
            needed: both + smallest_piece,
            available: target.scratchpad_bytes,
            layer: widest.map(|layer| layer.name.clone()).unwrap_or_default(),
        });
    }
    // Half of the accumulators receive sums while the other half is turned into outputs.
    let wanted_ring = u64::from(RING_PIECES * PIECE_BYTES).min(scratchpad / 2);
    let most_rows = (chain.batches as u64)
        .min(u64::from(target.acc_rows / 2))
        .min(MOST_ROWS)
        .min((scratchpad - wanted_ring) / both)
        .max(1);
    let passes = (chain.batches as u64).div_ceil(most_rows);
    let pass_rows = (chain.batches as u64).div_ceil(passes) as u32;

    // All of these are at most the scratchpad's size from here on.
    let activation_bytes = pass_rows * both as u32;
    let ring = Region { address: activation_bytes, bytes: target.scratchpad_bytes - activation_bytes };
    let area_start = [0, pass_rows * areas[0] as u32];
    let activations = widths.iter().zip(&row_bytes).enumerate().map(|(index, (&width, &row_bytes))| {
        Activations { address: area_start[index % 2], width: width as u32, row_bytes: row_bytes as u32 }
    });
    let activations: Vec<Activations> = activations.collect();

    let mut external = Bump::new(target);
    let data: Vec<Region> =
        chain.layers.iter().map(|layer| external.take(data_bytes(layer, target))).collect();
    // Before anything large is made, so that a network of any size costs no more than a sum.
    external.check()?;
    let cut = |(layer, data)| LayerPlan { pieces: cut(layer, data, pass_rows, ring, target), data };
    let layers: Vec<LayerPlan> = chain.layers.iter().zip(data).map(cut).collect();
    let are_all_written = |pair: &[usize]| {
        // What a layer writes, and what the next one reads of it.
        let [written, read] = [target.cols, target.rows].map(|tile| pair[0].next_multiple_of(tile as usize));
        written >= read
    };
    let needs_zeros = !widths[1..].windows(2).all(are_all_written);
    let zeros = external.take(if needs_zeros { schedule::ZERO_BYTES.into() } else { 0 });
    let records = schedule::records_of_a_pass(&layers, &activations);
    let lists = external.take((passes * records + schedule::CLEARING_RECORDS) * u64::from(RECORD_BYTES));
    let input = external.take(chain.input.elements as u64);
    let output = external.take(chain.output.elements as u64);
    external.check()?;
    Ok(Plan {
        pass_rows,
        passes: passes as u32,
        activation_bytes,
        ring,
        activations,
        layers,
        external: ExternalPlan { zeros, lists, input, output },
    })
}

fn outputs(layers: &[FullyConnected]) -> impl Iterator<Item = usize> + '_ {
    layers.iter().map(|layer| layer.outputs)
}

/// Gives out external memory from its start on, also where there is none left: [`Bump::check`] tells.
struct Bump {
    base: u32,
    used: u64,
    available: u32,
}

impl Bump {
    fn new(target: &Target) -> Bump {
        Bump { base: target.external_base, used: 0, available: target.external_bytes }
    }

    fn take(&mut self, bytes: u64) -> Region {
        let address = self.base.wrapping_add(self.used as u32);
        self.used = (self.used + bytes).next_multiple_of(EXTERNAL_ALIGNMENT);
        Region { address, bytes: bytes as u32 }
    }

    fn check(&self) -> Result<(), CompileError> {
        if self.used > u64::from(self.available) {
            return Err(CompileError::External { needed: self.used, available: self.available });
        }
        Ok(())
    }
}

/// Tiles of input and of output channels.
fn tiles(layer: &FullyConnected, target: &Target) -> (u32, u32) {
    let tiles = |channels: usize, at_once: u32| channels.div_ceil(at_once as usize) as u32;
    (tiles(layer.inputs, target.rows), tiles(layer.outputs, target.cols))
}

/// Bytes of a layer's weights and parameters.
fn data_bytes(layer: &FullyConnected, target: &Target) -> u64 {
    let (in_tiles, out_tiles) = tiles(layer, target);
    let of_a_tile =
        u64::from(in_tiles) * u64::from(target.tile_bytes()) + u64::from(target.parameter_bytes());
    u64::from(out_tiles) * of_a_tile
}

fn cut(layer: &FullyConnected, data: Region, rows: u32, ring: Region, target: &Target) -> Vec<Piece> {
    let (tile, parameters) = (target.tile_bytes(), target.parameter_bytes());
    let (in_tiles, out_tiles) = tiles(layer, target);
    // Two pieces in the ring, if that leaves them a tile each.
    let half = Some(ring.bytes / 2).filter(|&half| half >= parameters + tile).unwrap_or(ring.bytes);
    let limit = half.min(PIECE_BYTES.max(parameters + tile));
    let whole = u64::from(parameters) + u64::from(in_tiles) * u64::from(tile);
    // Pieces of one layer are as equal as tiles allow.
    let evenly = |tiles: u32, most: u32| tiles.div_ceil(tiles.div_ceil(most.max(1)));
    let (most_ins, most_outs) = if whole > u64::from(limit) {
        (evenly(in_tiles, (limit - parameters) / tile), 1)
    } else {
        let most = limit / whole as u32;
        (in_tiles, evenly(out_tiles, most.min(target.acc_rows / 2 / rows)))
    };
    let mut pieces = Vec::new();
    let mut address = data.address;
    for first_out in (0..out_tiles).step_by(most_outs as usize) {
        let outs = most_outs.min(out_tiles - first_out);
        for first_in in (0..in_tiles).step_by(most_ins as usize) {
            let ins = most_ins.min(in_tiles - first_in);
            let is_last = first_in + ins == in_tiles;
            let piece = Piece {
                out_tiles: (first_out, outs),
                in_tiles: (first_in, ins),
                is_last,
                address,
                parameter_bytes: if is_last { outs * parameters } else { 0 },
                weight_bytes: outs * ins * tile,
            };
            address += piece.bytes();
            pieces.push(piece);
        }
    }
    pieces
}
