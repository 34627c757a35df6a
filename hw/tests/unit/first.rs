//! First layers: few input channels, several taps in an activation row.

use super::UnitConfig;
use super::golden::Layer;
use super::layers::same;
use super::parameters::parameters;
use super::random::Random;
use super::record::{Packed, Record, Requantise, Transfer};
use super::rig::Rig;

/// Kernel rows of which a tile has taps.
const SEGMENTS: usize = 4;

/// A layer whose image and outputs stay in the scratchpad.
pub struct FirstLayer {
    pub layer: Layer,
    /// Rows of the output that are made one after the other.
    pub blocks: Vec<usize>,
}

/// Where things lie, in external memory and in the scratchpad.
struct At {
    weights: u32,
    parameters: u32,
    out: u32,
    out_pixel: u32,
    out_tiles: u32,
    /// Behind all.
    end: u32,
}

impl FirstLayer {
    /// The taps of the tiles: kernel rows and bytes of them.
    fn taps(&self, rows: usize) -> Vec<Vec<[usize; 2]>> {
        let run = self.layer.kernel_width * self.layer.in_channels;
        let mut tiles: Vec<Vec<[usize; 2]>> = vec![vec![]];
        for tap in (0..self.layer.kernel_height).flat_map(|row| (0..run).map(move |byte| [row, byte])) {
            let tile = tiles.last_mut().unwrap();
            if tile.len() < rows && tile.first().is_none_or(|first| tap[0] < first[0] + SEGMENTS) {
                tile.push(tap);
            } else {
                tiles.push(vec![tap]);
            }
        }
        tiles
    }

    fn at(&self, rig: &Rig) -> At {
        let compute = rig.config.compute;
        let align = |address: u32| address.next_multiple_of(64);
        let out_pixel = (self.layer.out_channels as u32).next_multiple_of(compute.word_bytes());
        let out_tiles = out_pixel / compute.cols;
        let tiles = self.taps(compute.rows as usize).len() as u32;
        let weights = align(self.layer.input.len() as u32);
        let parameters = align(weights + out_tiles * tiles * compute.rows * compute.cols);
        let out = align(parameters + out_tiles * compute.parameter_bytes());
        let end = out + (self.layer.out[0] * self.layer.out[1]) as u32 * out_pixel;
        At { weights, parameters, out, out_pixel, out_tiles, end }
    }

    /// Whether all of it fits into the scratchpad, and the sums of each block into half of the accumulators.
    pub fn fits(&self, rig: &Rig) -> bool {
        let compute = rig.config.compute;
        let At { out_tiles, end, .. } = self.at(rig);
        let rows = self.blocks.iter().max().copied().unwrap_or(0) * self.layer.out[0];
        end <= compute.scratchpad_bytes && rows as u32 * out_tiles <= compute.accumulator_rows / 2
    }

    pub fn place(&self, rig: &mut Rig) {
        let compute = rig.config.compute;
        let At { weights, parameters: scales, out_tiles, .. } = self.at(rig);
        let Layer { kernel_width, kernel_height, in_channels, out_channels, .. } = self.layer;
        rig.write(0, &self.layer.input);
        let mut all = vec![];
        for first in (0..out_tiles * compute.cols).step_by(compute.cols as usize) {
            for tile in self.taps(compute.rows as usize) {
                for k in 0..compute.rows as usize {
                    for channel in (first..first + compute.cols).map(|channel| channel as usize) {
                        // Rows behind the last tap do not count, whatever stands there.
                        all.push(match tile.get(k) {
                            Some([row, byte]) if channel < out_channels => {
                                let run = kernel_width * in_channels;
                                self.layer.weights[(channel * kernel_height + row) * run + byte]
                            }
                            Some(_) => 0,
                            None => 77,
                        });
                    }
                }
            }
        }
        rig.write(weights, &all);
        rig.write(scales, &parameters(&self.layer.scale, &compute));
    }

    pub fn commands(&self, rig: &Rig) -> Vec<Record> {
        assert!(self.fits(rig));
        let compute = rig.config.compute;
        let At { weights, parameters, out, out_pixel, out_tiles, .. } = self.at(rig);
        let layer = &self.layer;
        let in_tiles = self.taps(compute.rows as usize).len() as u32;
        let line = (layer.width * layer.in_channels) as u32;
        let half = compute.accumulator_rows / 2;
        let columns = layer.out[0] as u32;
        let weight_bytes = out_tiles * in_tiles * compute.rows * compute.cols;
        let mut records = vec![Transfer::run(weights, weights, weight_bytes).load()];
        // Whole words of the image come, with what begins the next line.
        let (mut loaded, mut row) = (0, 0);
        for (block, rows) in self.blocks.iter().enumerate() {
            let first = (row * layer.stride[1]) as i32 - layer.padding[1] as i32;
            let behind = first + ((rows - 1) * layer.stride[1] + layer.kernel_height) as i32;
            let (top, bottom) = (first.max(0) as u32, (behind.max(1) as u32).min(layer.height as u32));
            let end = (bottom * line).next_multiple_of(compute.word_bytes());
            if end > loaded {
                records.push(Transfer::run(loaded, loaded, end - loaded).load());
                loaded = end;
            }
            // Blocks take turns with both halves of the accumulators, and in a half with its beginning and its end.
            let sums = *rows as u32 * columns * out_tiles;
            let block = block as u32;
            let accumulators = block % 2 * half + block / 2 % 2 * (half - sums);
            let packed = Packed {
                act: top * line,
                weights,
                accumulators,
                accumulate: false,
                zero_point: layer.zero_point,
                out: [columns, *rows as u32],
                in_tiles,
                out_tiles,
                kernel: [layer.kernel_width as u32, layer.kernel_height as u32],
                image: [layer.width as u32, bottom - top],
                first: [-(layer.padding[0] as i32), first - top as i32],
                stride: layer.stride.map(|stride| stride as u32),
                channels: layer.in_channels as u32,
                line_step: line,
            };
            records.push(packed.record());
            if block == 0 {
                let bytes = out_tiles * compute.parameter_bytes();
                records.push(Transfer::run(parameters, parameters, bytes).load());
            }
            let output = out + (row * layer.out[0]) as u32 * out_pixel;
            let requantise = Requantise {
                parameters,
                output,
                accumulators,
                out: [columns, *rows as u32],
                tiles: out_tiles,
                column_step: out_pixel,
                row_step: columns * out_pixel,
                tile_step: compute.cols,
                zero_point: layer.scale.zero_point,
                min: layer.scale.min,
                max: layer.scale.max,
            };
            records.push(requantise.record());
            records.push(Transfer::run(output, output, *rows as u32 * columns * out_pixel).store());
            row += rows;
        }
        assert_eq!(row, layer.out[1]);
        records
    }

    /// Computes and compares; gives the cycles.
    fn computes(&self, config: UnitConfig, stall: Option<u32>) -> u64 {
        let mut rig = Rig::new(config, 1 << 20);
        self.place(&mut rig);
        if let Some(seed) = stall {
            rig.stall(seed);
        }
        let run = rig.run(&self.commands(&rig));
        assert!(self.outputs(&mut rig) == self.layer.outputs(), "wrong outputs");
        run.cycles
    }

    pub fn outputs(&self, rig: &mut Rig) -> Vec<i8> {
        let At { out, out_pixel, .. } = self.at(rig);
        let pixels = (self.layer.out[0] * self.layer.out[1]) as u32;
        let channels = self.layer.out_channels as u32;
        (0..pixels).flat_map(|k| rig.read(out + k * out_pixel, channels)).collect()
    }
}

pub fn layer(
    image: [usize; 2],
    channels: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    random: &mut Random,
) -> Layer {
    // As TensorFlow Lite pads with SAME: the smaller half first.
    let out = [0, 1].map(|k| image[k].div_ceil(stride[k]));
    let padding = [0, 1].map(|k| ((out[k] - 1) * stride[k] + kernel[k]).saturating_sub(image[k]) / 2);
    Layer { stride, padding, out, ..same(image, channels, kernel, random) }
}

#[test]
fn first_layers_are_computed() {
    let mut random = Random::new(31);
    for (rows, cols) in [(16, 16), (8, 8), (4, 16), (32, 8), (32, 32)] {
        for (image, channels, kernel, stride) in [
            ([12, 9], [3, 8], [3, 3], [2, 2]),
            ([11, 7], [3, 20], [3, 3], [1, 1]),
            ([10, 49], [1, 9], [4, 10], [2, 2]),
            ([40, 20], [1, 8], [8, 10], [2, 2]),
            ([9, 9], [1, 5], [3, 3], [1, 1]),
            ([13, 5], [2, 4], [16, 2], [1, 3]),
        ] {
            let layer = layer(image, channels, kernel, stride, &mut random);
            let blocks = (0..layer.out[1]).step_by(4).map(|row| 4.min(layer.out[1] - row)).collect();
            let first = FirstLayer { layer, blocks };
            first.computes(super::rig::config(rows, cols), None);
            first.computes(super::rig::config(rows, cols), Some(random.word()));
        }
    }
}

#[test]
fn a_first_layer_fills_the_rows_of_the_array() {
    let mut random = Random::new(32);
    let layer = layer([96, 96], [3, 8], [3, 3], [2, 2], &mut random);
    let products = layer.products();
    let first = FirstLayer { layer, blocks: vec![2, 5, 5, 5, 5, 5, 5, 5, 5, 3, 2, 1] };
    let cycles = first.computes(super::rig::config(16, 16), None);
    let used = products as f64 / (256 * cycles) as f64;
    println!("3x3 stride 2, 3 to 8 channels, 96x96: {cycles} cycles, {:.1} %", 100.0 * used);
    assert!(used >= 0.35);
}

#[test]
fn a_layer_of_speech_fills_the_rows_of_the_array() {
    let mut random = Random::new(33);
    let layer = layer([40, 49], [1, 8], [8, 10], [2, 2], &mut random);
    let products = layer.products();
    let first = FirstLayer { layer, blocks: vec![2, 5, 8, 7, 3] };
    let cycles = first.computes(super::rig::config(16, 16), None);
    let used = products as f64 / (256 * cycles) as f64;
    println!("10x8 stride 2, 1 to 8 channels, 40x49: {cycles} cycles, {:.1} %", 100.0 * used);
}
