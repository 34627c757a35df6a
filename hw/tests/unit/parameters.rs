//! Parameters of the output stage, as requantisations read them.

use ferrite_hw::compute::ComputeConfig;

use super::golden::Scale;

/// The parameters of all tiles of channels. Those of channels that are not there are 0, their shifts 1.
pub fn parameters(scale: &Scale, compute: &ComputeConfig) -> Vec<i8> {
    let (cols, word) = (compute.cols as usize, compute.word_bytes() as usize);
    let channels = scale.bias.len().next_multiple_of(word);
    let mut bytes = Vec::new();
    for first in (0..channels).step_by(cols) {
        for factors in [&scale.bias, &scale.multiplier] {
            let all = (first..first + cols).flat_map(|c| factors.get(c).copied().unwrap_or(0).to_le_bytes());
            bytes.extend(all.map(|byte| byte as i8));
            bytes.resize(bytes.len().next_multiple_of(word), 0);
        }
        bytes.extend((first..first + cols).map(|c| scale.shift.get(c).copied().unwrap_or(1) as i8));
        bytes.resize(bytes.len().next_multiple_of(word), 0);
    }
    bytes
}
