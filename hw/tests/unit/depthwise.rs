//! Depthwise layers of 3x3 taps: how they lie in external memory, and the commands for them.

use super::golden::Layer;
use super::parameters::parameters;
use super::record::{Depthwise, Record, Requantise, Transfer};
use super::rig::Rig;

/// A layer whose image stays in the scratchpad; the array has rows for all taps.
pub struct DepthwiseLayer {
    pub layer: Layer,
    /// Rows of the output that are made one after the other: few at the beginning, which then comes early, and at the end.
    pub blocks: Vec<usize>,
}

/// Where things lie, in external memory and in the scratchpad, and what a pixel takes.
struct At {
    weights: u32,
    parameters: u32,
    out: u32,
    pixel: u32,
    tiles: u32,
}

impl DepthwiseLayer {
    fn at(&self, rig: &Rig) -> At {
        let compute = rig.config.compute;
        let align = |address: u32| address.next_multiple_of(32);
        let pixel = (self.layer.in_channels as u32).next_multiple_of(compute.word_bytes());
        let tiles = pixel / compute.cols;
        let weights = align((self.layer.width * self.layer.height) as u32 * pixel);
        let parameters = align(weights + tiles * compute.rows * compute.cols);
        At { weights, parameters, out: align(parameters + tiles * compute.parameter_bytes()), pixel, tiles }
    }

    /// Puts the operands into memory.
    pub fn place(&self, rig: &mut Rig) {
        let compute = rig.config.compute;
        let At { weights, parameters: scales, pixel, tiles, .. } = self.at(rig);
        let mut image = Vec::new();
        for channels in self.layer.input.chunks(self.layer.in_channels) {
            image.extend_from_slice(channels);
            image.resize(image.len().next_multiple_of(pixel as usize), 0);
        }
        rig.write(0, &image);
        let mut taps = Vec::new();
        for tile in 0..tiles {
            let channels = (tile * compute.cols) as usize..((tile + 1) * compute.cols) as usize;
            for tap in 0..compute.rows as usize {
                let weight = |channel: usize| match tap < 9 {
                    true => self.layer.weights.get(channel * 9 + tap).copied().unwrap_or(0),
                    false => 0,
                };
                taps.extend(channels.clone().map(weight));
            }
        }
        rig.write(weights, &taps);
        rig.write(scales, &parameters(&self.layer.scale, &compute));
    }

    /// Whether the array has rows for all taps, the layer fits into the scratchpad, its blocks into the accumulators, and its lines into their ring.
    pub fn fits(&self, rig: &Rig) -> bool {
        let compute = rig.config.compute;
        let At { out, pixel, .. } = self.at(rig);
        let most = *self.blocks.iter().max().unwrap() * self.layer.out[0];
        compute.rows >= 9
            && out + 2 * most as u32 * pixel <= compute.scratchpad_bytes
            && most as u32 <= compute.accumulator_rows / 4
    }

    /// The commands: all channels of some rows, and then of the next.
    pub fn commands(&self, rig: &Rig) -> Vec<Record> {
        let compute = rig.config.compute;
        let At { weights, parameters, out, pixel, tiles } = self.at(rig);
        let layer = &self.layer;
        let (line, out_line) = (layer.width as u32 * pixel, layer.out[0] as u32 * pixel);
        let out_bytes = *self.blocks.iter().max().unwrap() as u32 * out_line;
        assert!(self.fits(rig), "{} bytes of the scratchpad", out + 2 * out_bytes);
        // Tiles of channels take turns with four parts of the accumulators, so that none waits for the output stage.
        let part = compute.accumulator_rows / 4;
        // What is needed first comes first: the weights of a tile, some lines, the other weights and the parameters.
        let tile_bytes = compute.rows * compute.cols;
        let mut records = vec![Transfer::run(weights, weights, tile_bytes).load()];
        let mut constants =
            vec![Transfer::run(parameters, parameters, tiles * compute.parameter_bytes()).load()];
        if tiles > 1 {
            let (from, bytes) = (weights + tile_bytes, (tiles - 1) * tile_bytes);
            constants.insert(0, Transfer::run(from, from, bytes).load());
        }
        // The lines of the image that rows of the output need, from the first to behind the last.
        let lines = |row: usize, rows: usize| {
            let first = (row * layer.stride[1]) as i32 - layer.padding[1] as i32;
            let behind = first + ((rows - 1) * layer.stride[1] + 3) as i32;
            (first, first.max(0) as u32, behind.min(layer.height as i32) as u32)
        };
        let (mut row, mut loaded, mut unit) = (0, 0, 0);
        for (block, rows) in self.blocks.iter().enumerate() {
            let (first, top, bottom) = lines(row, *rows);
            // What this block needs, and what the next one does, which then comes while this one is computed.
            let next = self.blocks.get(block + 1).map(|next| lines(row + rows, *next).2);
            for behind in [Some(bottom), next].into_iter().flatten() {
                if behind > loaded {
                    let (from, bytes) = (loaded * line, (behind - loaded) * line);
                    records.push(Transfer::run(from, from, bytes).load());
                    loaded = behind;
                    records.append(&mut constants);
                }
            }
            let output = out + block as u32 % 2 * out_bytes;
            let out_size = [layer.out[0] as u32, *rows as u32];
            for tile in 0..tiles {
                let accumulators = unit % 4 * part;
                let depthwise = Depthwise {
                    act: top * line + tile * compute.cols,
                    weights: weights + tile * compute.rows * compute.cols,
                    accumulators,
                    accumulate: false,
                    zero_point: layer.zero_point,
                    out: out_size,
                    tiles: 1,
                    image: [layer.width as u32, bottom - top],
                    first: [-(layer.padding[0] as i32), first - top as i32],
                    stride: layer.stride.map(|stride| stride as u32),
                    pixel_step: pixel,
                    line_step: line,
                    tile_step: compute.cols,
                };
                records.push(depthwise.record());
                let requantise = Requantise {
                    parameters: parameters + tile * compute.parameter_bytes(),
                    output: output + tile * compute.cols,
                    accumulators,
                    out: out_size,
                    tiles: 1,
                    column_step: pixel,
                    row_step: out_line,
                    tile_step: compute.cols,
                    zero_point: layer.scale.zero_point,
                    min: layer.scale.min,
                    max: layer.scale.max,
                };
                records.push(requantise.record());
                unit += 1;
            }
            let bytes = *rows as u32 * out_line;
            records.push(Transfer::run(out + row as u32 * out_line, output, bytes).store());
            row += rows;
        }
        assert_eq!(row, layer.out[1]);
        records
    }

    /// The outputs, as they stand in memory.
    pub fn outputs(&self, rig: &mut Rig) -> Vec<i8> {
        let At { out, pixel, .. } = self.at(rig);
        let pixels = (self.layer.out[0] * self.layer.out[1]) as u32;
        (0..pixels).flat_map(|k| rig.read(out + k * pixel, self.layer.out_channels as u32)).collect()
    }
}
