//! Convolution layers: how they lie in external memory, and the commands for them.

use super::golden::Layer;
use super::parameters::parameters;
use super::record::{Convolve, Record, Requantise, Transfer};
use super::rig::Rig;

/// A layer whose image and weights stay in the scratchpad.
pub struct Conv {
    pub layer: Layer,
    /// Rows of the output that a command makes.
    pub rows: usize,
}

/// Where things lie, in external memory or in the scratchpad.
struct At {
    image: u32,
    weights: u32,
    parameters: u32,
    out: u32,
}

/// Bytes of things.
struct Sizes {
    in_pixel: u32,
    out_pixel: u32,
    out_tiles: u32,
    /// Weights of one tile of output channels.
    tile: u32,
}

impl Conv {
    fn sizes(&self, rig: &Rig) -> Sizes {
        let compute = rig.config.compute;
        let in_pixel = (self.layer.in_channels as u32).next_multiple_of(compute.word_bytes());
        let out_pixel = (self.layer.out_channels as u32).next_multiple_of(compute.word_bytes());
        let taps = (self.layer.kernel_width * self.layer.kernel_height) as u32;
        Sizes {
            in_pixel,
            out_pixel,
            out_tiles: out_pixel / compute.cols,
            tile: taps * in_pixel * compute.cols,
        }
    }

    fn image_bytes(&self, rig: &Rig) -> u32 {
        (self.layer.width * self.layer.height) as u32 * self.sizes(rig).in_pixel
    }

    fn at(&self, rig: &Rig) -> At {
        let Sizes { out_tiles, tile, .. } = self.sizes(rig);
        // At beats of external memory, which are words of the scratchpad or several.
        let align = |address: u32| address.next_multiple_of(32);
        let weights = align(self.image_bytes(rig));
        let parameters = align(weights + out_tiles * tile);
        let out = align(parameters + out_tiles * rig.config.compute.parameter_bytes());
        At { image: 0, weights, parameters, out }
    }

    /// Puts the operands into memory.
    pub fn place(&self, rig: &mut Rig) {
        let compute = rig.config.compute;
        let at = self.at(rig);
        let Sizes { in_pixel, out_pixel, .. } = self.sizes(rig);
        let Layer { in_channels, out_channels, input, weights, .. } = &self.layer;
        let mut image = Vec::new();
        for pixel in input.chunks(*in_channels) {
            image.extend_from_slice(pixel);
            image.resize(image.len().next_multiple_of(in_pixel as usize), 0);
        }
        rig.write(at.image, &image);
        let taps = self.layer.kernel_width * self.layer.kernel_height;
        let mut tiles = Vec::new();
        for first in (0..out_pixel as usize).step_by(compute.cols as usize) {
            let columns = first..first + compute.cols as usize;
            for tap in 0..taps {
                for k in 0..in_pixel as usize {
                    for channel in columns.clone() {
                        let there = channel < *out_channels && k < *in_channels;
                        tiles.push(if there { weights[(channel * taps + tap) * in_channels + k] } else { 0 });
                    }
                }
            }
        }
        rig.write(at.weights, &tiles);
        rig.write(at.parameters, &parameters(&self.layer.scale, &compute));
    }

    /// Whether the layer fits into the scratchpad, and its blocks into the accumulators.
    pub fn fits(&self, rig: &Rig) -> bool {
        let compute = rig.config.compute;
        self.at(rig).out + 2 * self.out_bytes(rig) <= compute.scratchpad_bytes
            && (self.rows * self.layer.out[0]) as u32 <= compute.accumulator_rows / 2
    }

    /// Bytes of a block of outputs in the scratchpad.
    fn out_bytes(&self, rig: &Rig) -> u32 {
        let compute = rig.config.compute;
        (self.rows * self.layer.out[0]) as u32 * compute.cols.max(compute.word_bytes())
    }

    /// The commands: the rows of the image come as the first tile of output channels needs them.
    pub fn commands(&self, rig: &Rig) -> Vec<Record> {
        let compute = rig.config.compute;
        let external = self.at(rig);
        let local = self.at(rig);
        let Sizes { in_pixel, out_pixel, out_tiles, tile } = self.sizes(rig);
        let layer = &self.layer;
        let line = layer.width as u32 * in_pixel;
        let out_line = (layer.out[0] as u32) * compute.cols.max(compute.word_bytes());
        let out_bytes = self.out_bytes(rig);
        assert!(self.fits(rig), "{} bytes", local.out + 2 * out_bytes);
        let half = compute.accumulator_rows / 2;

        let mut records = Vec::new();
        let mut loaded = 0;
        let mut unit = 0;
        for row in (0..layer.out[1]).step_by(self.rows) {
            let rows = self.rows.min(layer.out[1] - row);
            // The lines of the image that these rows need.
            let first = (row * layer.stride[1]) as i32 - layer.padding[1] as i32;
            let reach = ((rows - 1) * layer.stride[1] + (layer.kernel_height - 1) * layer.dilation[1]) as i32;
            let top = first.max(0) as u32;
            let bottom = (first + reach + 1).min(layer.height as i32) as u32;
            if bottom > loaded {
                // In some commands, so that what is needed first is there first.
                let from = external.image + loaded * line;
                for (part, bytes) in runs((bottom - loaded) * line, compute.word_bytes()) {
                    records
                        .push(Transfer::run(from + part, local.image + loaded * line + part, bytes).load());
                }
                loaded = bottom;
            }
            for out_tile in 0..out_tiles {
                let weights = local.weights + out_tile * tile;
                if row == 0 {
                    records.push(Transfer::run(external.weights + out_tile * tile, weights, tile).load());
                }
                if unit == 0 {
                    let bytes = out_tiles * compute.parameter_bytes();
                    records.push(Transfer::run(external.parameters, local.parameters, bytes).load());
                }
                let accumulators = unit % 2 * half;
                let out = local.out + unit % 2 * out_bytes;
                let convolve = Convolve {
                    act: local.image + top * line,
                    weights,
                    accumulators,
                    accumulate: false,
                    zero_point: layer.zero_point,
                    out: [layer.out[0] as u32, rows as u32],
                    in_tiles: in_pixel / compute.rows,
                    out_tiles: 1,
                    kernel: [layer.kernel_width as u32, layer.kernel_height as u32],
                    image: [layer.width as u32, bottom - top],
                    first: [-(layer.padding[0] as i32), first - top as i32],
                    stride: layer.stride.map(|stride| stride as u32),
                    dilation: layer.dilation.map(|dilation| dilation as u32),
                    pixel_step: in_pixel,
                    line_step: line,
                    in_tile_step: compute.rows,
                };
                records.push(convolve.record());
                let out_step = out_line / layer.out[0] as u32;
                let requantise = Requantise {
                    parameters: local.parameters + out_tile * compute.parameter_bytes(),
                    output: out,
                    accumulators,
                    out: [layer.out[0] as u32, rows as u32],
                    tiles: 1,
                    column_step: out_step,
                    row_step: out_line,
                    tile_step: 0,
                    zero_point: layer.scale.zero_point,
                    min: layer.scale.min,
                    max: layer.scale.max,
                };
                records.push(requantise.record());
                let pixels = rows as u32 * layer.out[0] as u32;
                let to = external.out + (row * layer.out[0]) as u32 * out_pixel + out_tile * compute.cols;
                records.push(Transfer::rows(to, out, compute.cols, pixels, out_pixel, out_step).store());
                unit += 1;
            }
        }
        records
    }

    /// The outputs, as they stand in memory.
    pub fn outputs(&self, rig: &mut Rig) -> Vec<i8> {
        let at = self.at(rig);
        let Sizes { out_pixel, .. } = self.sizes(rig);
        let pixels = (self.layer.out[0] * self.layer.out[1]) as u32;
        let channels = self.layer.out_channels as u32;
        (0..pixels).flat_map(|pixel| rig.read(at.out + pixel * out_pixel, channels)).collect()
    }
}

/// Runs of whole words that are not longer than a run may be.
fn runs(bytes: u32, word: u32) -> impl Iterator<Item = (u32, u32)> {
    let most = 0xFFFF / word * word;
    (0..bytes).step_by(most as usize).map(move |from| (from, most.min(bytes - from)))
}
