//! Where everything goes: layers cut into tiles, and the scratchpad's layout.
//!
//! Activations alternate between two areas of the scratchpad: layer 0 reads area 0 and writes area 1, layer 1
//! reads area 1 and writes area 0, and so on. Behind them stand two places for weight tiles (one if there is
//! no more room), which are filled in turn. A batch too large for the scratchpad or the accumulators is cut
//! into passes of equal size: fully connected layers treat every row alike, so that a pass runs the whole
//! network on its rows.

use crate::error::CompileError;
use crate::lower::{Chain, FullyConnected};
use crate::target::Target;

/// The strides of `t.stride` must be below this.
const STRIDE_LIMIT: u64 = 1 << 16;
/// The rows of `t.matmul` must be below this.
const ROWS_LIMIT: usize = 1 << 16;

/// A network cut to the size of a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Rows of one pass.
    pub pass_rows: u32,
    /// How many passes make the batch.
    pub passes: u32,
    /// Bytes of both activation areas together, from address 0 of the scratchpad.
    pub activation_bytes: u32,
    /// Scratchpad addresses of the places for weight tiles; the same twice if there is room for only one.
    pub tile_slots: [u32; 2],
    /// The matrices of activations: the network's input, then each layer's output.
    pub activations: Vec<Activations>,
    /// One per layer.
    pub layers: Vec<LayerPlan>,
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

impl Activations {
    /// The stride to give to `t.stride`: 0 for a single row, which may be longer than strides can be.
    pub fn stride(&self, pass_rows: u32) -> u32 {
        if pass_rows == 1 { 0 } else { self.row_bytes }
    }
}

/// How often a layer's loops turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerPlan {
    /// Tiles along the input channels.
    pub row_blocks: u32,
    /// Tiles along the output channels.
    pub column_blocks: u32,
}

/// Plans a network for a chip.
///
/// # Errors
///
/// [`CompileError::Scratchpad`] if not even one row fits.
pub fn plan(chain: &Chain, target: &Target) -> Result<Plan, CompileError> {
    let widths: Vec<usize> =
        chain.layers.first().map(|layer| layer.inputs).into_iter().chain(outputs(&chain.layers)).collect();
    let alignment = u64::from(target.row_alignment());
    let row_bytes: Vec<u64> =
        widths.iter().map(|&width| (width as u64).next_multiple_of(alignment)).collect();
    let longest = |parity: usize| row_bytes.iter().skip(parity).step_by(2).copied().max().unwrap_or(0);
    let areas = [longest(0), longest(1)];
    let tile_bytes = u64::from(target.tile_bytes());

    let scratchpad = u64::from(target.scratchpad_bytes);
    let fits = |rows: u64| rows * (areas[0] + areas[1]) + tile_bytes <= scratchpad;
    if !fits(1) {
        let widest = chain.layers.iter().max_by_key(|layer| layer.inputs.max(layer.outputs));
        return Err(CompileError::Scratchpad {
            needed: areas[0] + areas[1] + tile_bytes,
            available: target.scratchpad_bytes,
            layer: widest.map(|layer| layer.name.clone()).unwrap_or_default(),
        });
    }
    let strides_allow_many = row_bytes.iter().all(|&bytes| bytes < STRIDE_LIMIT);
    let most = chain.batches.min(target.acc_rows as usize).min(ROWS_LIMIT - 1);
    let pass_rows = (1..=most)
        .rev()
        .find(|&rows| {
            chain.batches.is_multiple_of(rows) && fits(rows as u64) && (rows == 1 || strides_allow_many)
        })
        .unwrap_or(1);

    // All of these are below the scratchpad's size from here on.
    let area_start = [0, pass_rows as u32 * areas[0] as u32];
    let activation_bytes = pass_rows as u32 * (areas[0] + areas[1]) as u32;
    let first_slot = activation_bytes.next_multiple_of(target.cols);
    let second_slot = first_slot + target.tile_bytes();
    let has_room_for_two = second_slot + target.tile_bytes() <= target.scratchpad_bytes;
    let activations = widths.iter().zip(&row_bytes).enumerate().map(|(index, (&width, &row_bytes))| {
        Activations { address: area_start[index % 2], width: width as u32, row_bytes: row_bytes as u32 }
    });
    Ok(Plan {
        pass_rows: pass_rows as u32,
        passes: (chain.batches / pass_rows) as u32,
        activation_bytes,
        tile_slots: [first_slot, if has_room_for_two { second_slot } else { first_slot }],
        activations: activations.collect(),
        layers: chain.layers.iter().map(|layer| cut(layer, target)).collect(),
    })
}

fn outputs(layers: &[FullyConnected]) -> impl Iterator<Item = usize> + '_ {
    layers.iter().map(|layer| layer.outputs)
}

fn cut(layer: &FullyConnected, target: &Target) -> LayerPlan {
    LayerPlan {
        row_blocks: layer.inputs.div_ceil(target.rows as usize) as u32,
        column_blocks: layer.outputs.div_ceil(target.cols as usize) as u32,
    }
}

/// The weights of a layer as the program streams them: for each block of output channels, for each block of
/// input channels, a tile of `R` rows of `C`. What lies outside of the layer is 0, so that whatever stands in
/// an activation row beyond its last channel counts for nothing.
pub fn tiles(layer: &FullyConnected, target: &Target) -> Vec<u8> {
    let (rows, cols) = (target.rows as usize, target.cols as usize);
    let LayerPlan { row_blocks, column_blocks } = cut(layer, target);
    let mut bytes = Vec::with_capacity(row_blocks as usize * column_blocks as usize * rows * cols);
    for column_block in 0..column_blocks as usize {
        for row in 0..row_blocks as usize * rows {
            for column in column_block * cols..(column_block + 1) * cols {
                let inside = row < layer.inputs && column < layer.outputs;
                bytes.push(if inside { layer.weights[column * layer.inputs + row] as u8 } else { 0 });
            }
        }
    }
    bytes
}
