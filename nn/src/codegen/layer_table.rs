//! The table of layers that the code walks, and the columns' biases and scales.

use ferrite_model::isa::Asm;
use ferrite_model::kernels::Multiplier;

use super::{ALIGNMENT, LayerData};
use crate::lower::{Chain, FullyConnected};
use crate::plan::Plan;
use crate::target::Target;

/// RAM address of the weight tiles, in the order in which they are used.
pub(super) const WEIGHTS: i32 = 0;
/// RAM address of the biases, a word for each column of each column block.
pub(super) const BIASES: i32 = 4;
/// RAM address of the scales: the two operands of `t.scale` for each column of one column block, or of each.
pub(super) const SCALES: i32 = 8;
/// 1 if each column block has scales of its own, 0 if all share those of the first.
pub(super) const SCALES_DIFFER: i32 = 12;
/// How many tiles the output channels make.
pub(super) const COLUMN_BLOCKS: i32 = 16;
/// How many tiles the input channels make.
pub(super) const ROW_BLOCKS: i32 = 20;
/// Scratchpad address of the input.
pub(super) const ACT_ADDRESS: i32 = 24;
/// Scratchpad address of the output.
pub(super) const OUT_ADDRESS: i32 = 28;
/// The operands of `t.stride`.
pub(super) const ACT_STRIDE: i32 = 32;
/// See [`ACT_STRIDE`].
pub(super) const OUT_STRIDE: i32 = 36;
/// The operand of `t.output`.
pub(super) const OUTPUT: i32 = 40;
/// Size of an entry; the last word is not used.
pub(super) const ENTRY_BYTES: u32 = 48;

/// Appends a layer's entry.
pub(super) fn emit_entry(asm: &mut Asm, data: &LayerData, chain: &Chain, plan: &Plan, index: usize) {
    let layer = &chain.layers[index];
    let cut = plan.layers[index];
    let [input, output] = [plan.activations[index], plan.activations[index + 1]];
    asm.word_of(data.weights);
    asm.word_of(data.biases);
    asm.word_of(data.scales);
    asm.word((layer.multipliers.len() > 1).into());
    asm.word(cut.column_blocks);
    asm.word(cut.row_blocks);
    asm.word(input.address);
    asm.word(output.address);
    asm.word(input.stride(plan.pass_rows));
    asm.word(output.stride(plan.pass_rows));
    let (min, max) = layer.range;
    asm.word(u32::from_le_bytes([layer.zero_point as u8, min as u8, max as u8, 0]));
    asm.word(0);
}

/// Appends a layer's biases and scales. Columns that are padding get bias 0 and any scale: their outputs meet
/// weights of 0.
pub(super) fn emit_columns(asm: &mut Asm, data: &LayerData, layer: &FullyConnected, target: &Target) {
    let cols = target.cols as usize;
    let columns = layer.outputs.next_multiple_of(cols);
    asm.bind(data.biases);
    for column in 0..columns {
        asm.word(layer.biases.get(column).copied().unwrap_or(0) as u32);
    }
    asm.align(ALIGNMENT);
    asm.bind(data.scales);
    let multipliers = match layer.multipliers.as_slice() {
        &[shared] => vec![shared; cols],
        each => {
            let padding = columns - each.len();
            each.iter().copied().chain(std::iter::repeat_n(Multiplier::default(), padding)).collect()
        }
    };
    for (column, multiplier) in multipliers.into_iter().enumerate() {
        asm.word((column % cols) as u32 | multiplier.shift() << 16);
        asm.word(multiplier.q31 as u32);
    }
    asm.align(ALIGNMENT);
}
