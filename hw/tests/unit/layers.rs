//! Layers with random data.

use super::gemm::Gemm;
use super::golden::{Layer, Scale};
use super::random::Random;

pub fn int8s(count: u32, random: &mut Random) -> Vec<i8> {
    (0..count).map(|_| random.word() as i8).collect()
}

/// A product of matrices, with the blocks in which it is computed.
pub fn product(m: u32, k: u32, n: u32, rows: u32, tiles: u32, random: &mut Random) -> Gemm {
    let layer = Layer {
        width: m as usize,
        height: 1,
        in_channels: k as usize,
        out_channels: n as usize,
        kernel_width: 1,
        kernel_height: 1,
        stride: [1, 1],
        dilation: [1, 1],
        padding: [0, 0],
        out: [m as usize, 1],
        zero_point: 0,
        input: int8s(m * k, random),
        weights: int8s(k * n, random),
        scale: Scale::random(n as usize, random),
    };
    Gemm { m, k, n, layer, rows, tiles }
}

/// A layer of stride 1 whose output is as large as its image.
pub fn same(image: [usize; 2], channels: [usize; 2], kernel: [usize; 2], random: &mut Random) -> Layer {
    let taps = (kernel[0] * kernel[1]) as u32;
    Layer {
        width: image[0],
        height: image[1],
        in_channels: channels[0],
        out_channels: channels[1],
        kernel_width: kernel[0],
        kernel_height: kernel[1],
        stride: [1, 1],
        dilation: [1, 1],
        padding: kernel.map(|taps| (taps - 1) / 2),
        out: image,
        zero_point: random.word() as i8,
        input: int8s((image[0] * image[1] * channels[0]) as u32, random),
        weights: int8s(taps * (channels[0] * channels[1]) as u32, random),
        scale: Scale::random(channels[1], random),
    }
}
