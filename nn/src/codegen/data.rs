//! Weights and parameters as pieces have them.

use ferrite_model::kernels::Multiplier;

use crate::lower::FullyConnected;
use crate::plan::Piece;
use crate::target::Target;

/// Appends a piece. What lies outside of the layer is 0, so that whatever stands in an activation row behind its last channel counts for nothing.
pub(super) fn append(bytes: &mut Vec<u8>, layer: &FullyConnected, piece: &Piece, target: &Target) {
    let (first_out, outs) = piece.out_tiles;
    let (first_in, ins) = piece.in_tiles;
    if piece.is_last {
        (first_out..first_out + outs).for_each(|tile| append_parameters(bytes, layer, tile, target));
    }
    for out_tile in first_out..first_out + outs {
        let columns = out_tile * target.cols..(out_tile + 1) * target.cols;
        for row in first_in * target.rows..(first_in + ins) * target.rows {
            for column in columns.clone() {
                let (row, column) = (row as usize, column as usize);
                let is_inside = row < layer.inputs && column < layer.outputs;
                bytes.push(if is_inside { layer.weights[column * layer.inputs + row] as u8 } else { 0 });
            }
        }
    }
}

/// Biases, multipliers, shifts; each group begins with a word of the scratchpad.
fn append_parameters(bytes: &mut Vec<u8>, layer: &FullyConnected, tile: u32, target: &Target) {
    let first = (tile * target.cols) as usize;
    let columns = first..first + target.cols as usize;
    let multiplier = |column: usize| match layer.multipliers.as_slice() {
        &[shared] => shared,
        each => each.get(column).copied().unwrap_or_default(),
    };
    let group = |bytes: &mut Vec<u8>, words: &mut dyn Iterator<Item = u32>| {
        let end = bytes.len() + target.group_bytes() as usize;
        words.for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.resize(end, 0);
    };
    let bias = |column: usize| layer.biases.get(column).copied().unwrap_or(0) as u32;
    group(bytes, &mut columns.clone().map(bias));
    group(bytes, &mut columns.clone().map(|column| multiplier(column).q31 as u32));
    let end = bytes.len() + target.word_bytes() as usize;
    bytes.extend(columns.map(|column| Multiplier::shift(multiplier(column)) as u8));
    bytes.resize(end, 0);
}
