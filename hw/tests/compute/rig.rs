//! The computing part with its memories as bytes, and layers laid out in them.

use ferrite_hdl::{Bits, elaborate};
use ferrite_hw::compute::{Compute, ComputeConfig};
use ferrite_sim::{Native, NativeOptions, Port, Sim};

use super::golden::{Layer, Scale};

/// Cycles after which a test gives up.
const MOST_CYCLES: u64 = 2_000_000;

pub struct Rig {
    pub sim: Sim<Compute>,
    pub config: ComputeConfig,
    banks: Vec<usize>,
    pub cycle: u64,
    pub convolved: u64,
    pub requantised: u64,
    /// Cycles in which an activation row entered the array.
    pub multiplied: u64,
}

/// Where a layer's data are.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub input: u32,
    pub weights: u32,
    pub parameters: u32,
    pub output: u32,
    /// Bytes from a pixel of the output to the next.
    pub out_pixel: u32,
    pub in_pixel: u32,
}

fn up(value: usize, to: u32) -> u32 {
    (value as u32).next_multiple_of(to)
}

impl Rig {
    pub fn new(config: ComputeConfig) -> Rig {
        let module = Compute { config };
        let design = elaborate(&module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let native = Native::new(&design, &NativeOptions::default()).unwrap();
        let mut sim = Sim::on(&module, Box::new(native));
        sim.reset();
        let memories = &sim.engine().flat().memories;
        let of = |bank: u32| {
            memories.iter().position(|memory| memory.path == format!("banks.bank_{bank}")).unwrap()
        };
        let banks = (0..4).map(of).collect();
        Rig { sim, config, banks, cycle: 0, convolved: 0, requantised: 0, multiplied: 0 }
    }

    /// Bank and place in it of a word: the exclusive or of the address's pairs of bits, and the address without the lowest.
    fn bank_of(&self, word: u32) -> (usize, u32) {
        let mut pairs = word;
        let mut bank = 0;
        while pairs != 0 {
            bank ^= pairs & 3;
            pairs >>= 2;
        }
        (self.banks[bank as usize], word >> 2)
    }

    pub fn write(&mut self, address: u32, bytes: &[i8]) {
        let length = self.config.word_bytes();
        for (k, byte) in bytes.iter().enumerate() {
            let address = address + k as u32;
            let (bank, place) = self.bank_of(address / length);
            let word = self.sim.engine().read_memory(bank, place);
            let part = Bits::from_u64(8, u64::from(*byte as u8));
            let word = word.with_slice(8 * (address % length), &part);
            self.sim.engine().write_memory(bank, place, &word);
        }
    }

    pub fn read(&mut self, address: u32, count: u32) -> Vec<i8> {
        let length = self.config.word_bytes();
        let byte = |address: u32| {
            let (bank, place) = self.bank_of(address / length);
            let word = self.sim.engine().read_memory(bank, place);
            word.slice(8 * (address % length), 8).low_u64() as i8
        };
        (address..address + count).map(byte).collect()
    }

    pub fn set(&mut self, port: Port, value: impl Into<i128>) {
        self.sim.set(port, value);
    }

    pub fn step(&mut self) {
        let o = self.sim.o;
        self.convolved += self.sim.get(o.convolved) as u64;
        self.requantised += self.sim.get(o.put_out) as u64;
        self.multiplied += self.sim.get(o.activity.multiplies) as u64;
        self.sim.step();
        self.cycle += 1;
        assert!(self.cycle < MOST_CYCLES, "it does not end");
    }

    /// Offers what is set until it is taken.
    fn offer(&mut self, valid: Port, ready: Port) {
        self.set(valid, 1);
        while self.sim.get(ready) == 0 {
            self.step();
        }
        self.step();
        self.set(valid, 0);
    }

    pub fn until(&mut self, done: impl Fn(&Rig) -> bool) {
        while !done(self) {
            self.step();
        }
    }

    /// Puts a layer's data into the scratchpad, one after the other.
    pub fn place(&mut self, layer: &Layer) -> Place {
        let ComputeConfig { rows, cols, .. } = self.config;
        let word = self.config.word_bytes();
        let in_pixel = up(layer.in_channels, rows);
        let out_pixel = up(layer.out_channels, cols);
        let pixels = (layer.width * layer.height) as u32;
        let input = 0;
        let weights = up((input + pixels * in_pixel) as usize, word);
        let (in_tiles, out_tiles) = (in_pixel / rows, out_pixel / cols);
        let taps = (layer.kernel_width * layer.kernel_height) as u32;
        let parameters = up((weights + in_tiles * out_tiles * taps * rows * cols) as usize, word);
        let factors = up(4 * cols as usize, word);
        let output = parameters + out_tiles * (2 * factors + word);
        let last = output + (layer.out[0] * layer.out[1]) as u32 * out_pixel;
        assert!(last <= self.config.scratchpad_bytes, "the layer takes {last} bytes");

        for pixel in 0..pixels {
            let from = pixel as usize * layer.in_channels;
            self.write(input + pixel * in_pixel, &layer.input[from..from + layer.in_channels]);
        }
        let mut at = weights;
        for out_tile in 0..out_tiles {
            for tap in 0..taps {
                for in_tile in 0..in_tiles {
                    for k in 0..rows {
                        let row: Vec<i8> = (0..cols)
                            .map(|col| {
                                let (channel, k) =
                                    ((out_tile * cols + col) as usize, (in_tile * rows + k) as usize);
                                if channel < layer.out_channels && k < layer.in_channels {
                                    layer.weights
                                        [(channel * taps as usize + tap as usize) * layer.in_channels + k]
                                } else {
                                    0
                                }
                            })
                            .collect();
                        self.write(at, &row);
                        at += cols;
                    }
                }
            }
        }
        self.place_parameters(&layer.scale, parameters, out_tiles);
        Place { input, weights, parameters, output, out_pixel, in_pixel }
    }

    /// Orders output rows `first..first + count` of the convolution, for `out_tiles` tiles from one on.
    pub fn convolve(&mut self, layer: &Layer, place: &Place, part: Part) {
        let ComputeConfig { rows, cols, scratchpad_bytes, .. } = self.config;
        let port = self.sim.i.convolutions;
        let c = port.next;
        let wrap = |address: i64| address.rem_euclid(i64::from(scratchpad_bytes));
        let (pixel, line) = (i64::from(place.in_pixel), i64::from(place.in_pixel) * layer.width as i64);
        let y = (part.row * layer.stride[1]) as i64 - layer.padding[1] as i64;
        let x = -(layer.padding[0] as i64);
        let taps = (layer.kernel_width * layer.kernel_height) as u32;
        let in_tiles = place.in_pixel / rows;
        self.set(c.act, wrap(i64::from(place.input) + y * line + x * pixel));
        self.set(c.weights, place.weights + part.tile * taps * in_tiles * rows * cols);
        self.set(c.accumulators, part.accumulators);
        self.set(c.accumulate, 0);
        self.set(c.depthwise, 0);
        self.set(c.steps.out_tile, 0);
        self.set(c.zero_point, layer.zero_point);
        self.set(c.counts.columns, layer.out[0] as u32);
        self.set(c.counts.rows, part.rows as u32);
        self.set(c.counts.in_tiles, in_tiles);
        self.set(c.counts.kernel_columns, layer.kernel_width as u32);
        self.set(c.counts.kernel_rows, layer.kernel_height as u32);
        self.set(c.counts.out_tiles, part.tiles);
        self.set(c.steps.column, wrap(pixel * layer.stride[0] as i64));
        self.set(c.steps.row, wrap(line * layer.stride[1] as i64));
        self.set(c.steps.in_tile, rows);
        self.set(c.steps.kernel_column, wrap(pixel * layer.dilation[0] as i64));
        self.set(c.steps.kernel_row, wrap(line * layer.dilation[1] as i64));
        self.set(c.image.width, layer.width as u32);
        self.set(c.image.height, layer.height as u32);
        self.set(c.image.x, x);
        self.set(c.image.y, y);
        self.set(c.image.stride_x, layer.stride[0] as u32);
        self.set(c.image.stride_y, layer.stride[1] as u32);
        self.set(c.image.dilation_x, layer.dilation[0] as u32);
        self.set(c.image.dilation_y, layer.dilation[1] as u32);
        self.offer(port.valid, port.ready);
    }

    /// Puts a depthwise layer's data into the scratchpad. Weights are by turn, then by tile of channels.
    pub fn place_depthwise(&mut self, layer: &Layer) -> (Place, Vec<Turn>) {
        let ComputeConfig { rows, cols, .. } = self.config;
        let word = self.config.word_bytes();
        let groups = self.config.depthwise_rows() as usize;
        let pixel = up(layer.in_channels, cols);
        let tiles = pixel / cols;
        let mut turns = Vec::new();
        for first_row in (0..layer.kernel_height).step_by(groups) {
            for first_column in (0..layer.kernel_width).step_by(3) {
                turns.push(Turn { first_row, first_column });
            }
        }
        let pixels = (layer.width * layer.height) as u32;
        let weights = up((pixels * pixel) as usize, word);
        let parameters = up((weights + turns.len() as u32 * tiles * rows * cols) as usize, word);
        let output = parameters + tiles * self.config.parameter_bytes();
        assert!(output + (layer.out[0] * layer.out[1]) as u32 * pixel <= self.config.scratchpad_bytes);
        for (k, channels) in layer.input.chunks(layer.in_channels).enumerate() {
            self.write(k as u32 * pixel, channels);
        }
        let mut at = weights;
        for turn in &turns {
            for tile in 0..tiles {
                for k in 0..rows as usize {
                    let (ky, kx) = (turn.first_row + k / 3, turn.first_column + k % 3);
                    let here = k / 3 < groups && ky < layer.kernel_height && kx < layer.kernel_width;
                    let weight = |channel: usize| match here && channel < layer.in_channels {
                        true => layer.weights[(channel * layer.kernel_height + ky) * layer.kernel_width + kx],
                        false => 0,
                    };
                    let row: Vec<i8> =
                        (tile * cols..(tile + 1) * cols).map(|channel| weight(channel as usize)).collect();
                    self.write(at, &row);
                    at += cols;
                }
            }
        }
        self.place_parameters(&layer.scale, parameters, tiles);
        (Place { input: 0, weights, parameters, output, out_pixel: pixel, in_pixel: pixel }, turns)
    }

    fn place_parameters(&mut self, scale: &Scale, parameters: u32, tiles: u32) {
        let ComputeConfig { cols, .. } = self.config;
        let factors = up(4 * cols as usize, self.config.word_bytes());
        for channel in 0..scale.bias.len().min((tiles * cols) as usize) {
            let (tile, col) = (channel as u32 / cols, channel as u32 % cols);
            let base = parameters + tile * self.config.parameter_bytes();
            let bytes = |value: i32| value.to_le_bytes().map(|byte| byte as i8);
            self.write(base + 4 * col, &bytes(scale.bias[channel]));
            self.write(base + factors + 4 * col, &bytes(scale.multiplier[channel]));
            self.write(base + 2 * factors + col, &[scale.shift[channel] as i8]);
        }
    }

    /// Orders the turns of a depthwise layer.
    pub fn convolve_depthwise(&mut self, layer: &Layer, place: &Place, turns: &[Turn]) {
        let ComputeConfig { rows, cols, scratchpad_bytes, .. } = self.config;
        let tiles = place.in_pixel / cols;
        let port = self.sim.i.convolutions;
        let c = port.next;
        let wrap = |address: i64| address.rem_euclid(i64::from(scratchpad_bytes));
        let (pixel, line) = (i64::from(place.in_pixel), i64::from(place.in_pixel) * layer.width as i64);
        for (number, turn) in turns.iter().enumerate() {
            let x = turn.first_column as i64 - layer.padding[0] as i64;
            let y = turn.first_row as i64 - layer.padding[1] as i64;
            self.set(c.act, wrap(i64::from(place.input) + y * line + x * pixel));
            self.set(c.weights, place.weights + number as u32 * tiles * rows * cols);
            self.set(c.accumulators, 0);
            self.set(c.accumulate, i128::from(number > 0));
            self.set(c.depthwise, 1);
            self.set(c.zero_point, layer.zero_point);
            for (count, value) in [
                (c.counts.columns, layer.out[0] as u32),
                (c.counts.rows, layer.out[1] as u32),
                (c.counts.in_tiles, 1),
                (c.counts.kernel_columns, 1),
                (c.counts.kernel_rows, 1),
                (c.counts.out_tiles, tiles),
            ] {
                self.set(count, value);
            }
            self.set(c.steps.out_tile, cols);
            self.set(c.steps.pixel, wrap(pixel));
            self.set(c.steps.line, wrap(line));
            self.set(c.image.width, layer.width as u32);
            self.set(c.image.height, layer.height as u32);
            self.set(c.image.x, x);
            self.set(c.image.y, y);
            self.set(c.image.stride_x, layer.stride[0] as u32);
            self.set(c.image.stride_y, layer.stride[1] as u32);
            self.offer(port.valid, port.ready);
        }
    }

    /// Orders the requantisation of the same part.
    pub fn requantise(&mut self, layer: &Layer, place: &Place, part: Part) {
        let cols = self.config.cols;
        let word = self.config.word_bytes();
        let port = self.sim.i.outputs;
        let r = port.next;
        let line = place.out_pixel * layer.out[0] as u32;
        self.set(r.accumulators, part.accumulators);
        self.set(r.source, place.parameters + part.tile * (2 * up(4 * cols as usize, word) + word));
        self.set(r.output, place.output + part.tile * cols + part.row as u32 * line);
        self.set(r.columns, layer.out[0] as u32);
        self.set(r.rows, part.rows as u32);
        self.set(r.tiles, part.tiles);
        self.set(r.column_step, place.out_pixel);
        self.set(r.row_step, line);
        self.set(r.tile_step, cols);
        self.set(r.range.zero_point, layer.scale.zero_point);
        self.set(r.range.min, layer.scale.min);
        self.set(r.range.max, layer.scale.max);
        self.offer(port.valid, port.ready);
    }

    /// The layer's outputs, as they stand in the scratchpad.
    pub fn outputs(&mut self, layer: &Layer, place: &Place) -> Vec<i8> {
        let pixels = (layer.out[0] * layer.out[1]) as u32;
        let channels = layer.out_channels as u32;
        (0..pixels).flat_map(|pixel| self.read(place.output + pixel * place.out_pixel, channels)).collect()
    }
}

/// The taps of a depthwise kernel that one command has.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub first_row: usize,
    pub first_column: usize,
}

/// Rows of the output image and tiles of its channels that one command makes.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub row: usize,
    pub rows: usize,
    pub tile: u32,
    pub tiles: u32,
    pub accumulators: u32,
}
