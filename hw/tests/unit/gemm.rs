//! Products of matrices: how they lie in external memory, and the commands for them.

use super::golden::Layer;
use super::parameters::parameters;
use super::record::{Convolve, Record, Requantise, Transfer};
use super::rig::Rig;

/// `M` rows times `K`, by `K` times `N`.
pub struct Gemm {
    pub m: u32,
    pub k: u32,
    pub n: u32,
    pub layer: Layer,
    /// Rows of the left matrix that a command takes.
    pub rows: u32,
    /// Tiles of columns that a command makes.
    pub tiles: u32,
}

/// Where things lie in external memory.
struct External {
    left: u32,
    left_pitch: u32,
    right: u32,
    parameters: u32,
    out: u32,
    out_pitch: u32,
}

impl Gemm {
    fn padded(&self, rig: &Rig) -> (u32, u32) {
        let compute = rig.config.compute;
        (self.k.next_multiple_of(compute.word_bytes()), self.n.next_multiple_of(compute.word_bytes()))
    }

    fn external(&self, rig: &Rig) -> External {
        let compute = rig.config.compute;
        let (k, n) = self.padded(rig);
        let right = self.m * k;
        let parameters = right + k * n;
        let out = parameters + n / compute.cols * compute.parameter_bytes();
        let align = |address: u32| address.next_multiple_of(64);
        External {
            left: 0,
            left_pitch: k,
            right: align(right),
            parameters: align(parameters) + 64,
            out: align(out) + 128,
            out_pitch: n,
        }
    }

    /// Bytes of external memory.
    pub fn bytes(&self, rig: &Rig) -> u32 {
        let external = self.external(rig);
        external.out + self.m * external.out_pitch
    }

    /// Puts the operands into memory.
    pub fn place(&self, rig: &mut Rig) {
        let compute = rig.config.compute;
        let at = self.external(rig);
        let (k, n) = self.padded(rig);
        let mut left = vec![0; (self.m * k) as usize];
        for row in 0..self.m as usize {
            let from = row * self.k as usize;
            left[row * k as usize..][..self.k as usize]
                .copy_from_slice(&self.layer.input[from..from + self.k as usize]);
        }
        rig.write(at.left, &left);
        let mut right = Vec::new();
        for tile in 0..n / compute.cols {
            for k in 0..k {
                for col in 0..compute.cols {
                    let channel = tile * compute.cols + col;
                    let there = channel < self.n && k < self.k;
                    right.push(if there { self.layer.weights[(channel * self.k + k) as usize] } else { 0 });
                }
            }
        }
        rig.write(at.right, &right);
        rig.write(at.parameters, &parameters(&self.layer.scale, &compute));
    }

    /// Whether the blocks fit into scratchpad and accumulators.
    pub fn fits(&self, rig: &Rig) -> bool {
        let compute = rig.config.compute;
        self.scratchpad_bytes(rig) <= compute.scratchpad_bytes
            && self.rows * self.tiles <= compute.accumulator_rows / 2
    }

    fn scratchpad_bytes(&self, rig: &Rig) -> u32 {
        let compute = rig.config.compute;
        let (k, n) = self.padded(rig);
        let columns = self.tiles * compute.cols;
        let (left, right) = (self.rows * k, columns * k);
        let out = self.rows * columns.next_multiple_of(compute.word_bytes());
        n / compute.cols * compute.parameter_bytes() + 2 * left + 3 * right + 2 * out
    }

    /// The commands: blocks of rows stay for all columns, tiles of columns come for each of them.
    pub fn commands(&self, rig: &Rig) -> Vec<Record> {
        let compute = rig.config.compute;
        let at = self.external(rig);
        let (k, n) = self.padded(rig);
        let word = compute.word_bytes();
        let all_tiles = n / compute.cols;
        let in_tiles = k / compute.rows;

        // The scratchpad: parameters, two blocks of rows, three of columns, two of outputs.
        let tile_bytes = k * compute.cols;
        let columns_bytes = self.tiles * tile_bytes;
        let out_pitch = (self.tiles * compute.cols).next_multiple_of(word);
        let parameter_bytes = all_tiles * compute.parameter_bytes();
        let left = parameter_bytes;
        let left_bytes = self.rows * k;
        let right = left + 2 * left_bytes;
        let out = right + 3 * columns_bytes;
        let out_bytes = self.rows * out_pitch;
        assert_eq!(out + 2 * out_bytes, self.scratchpad_bytes(rig));
        assert!(self.fits(rig), "{} bytes of the scratchpad", self.scratchpad_bytes(rig));
        let accumulators = compute.accumulator_rows / 2;

        let mut records = Vec::new();
        let mut unit = 0;
        for (block, row) in (0..self.m).step_by(self.rows as usize).enumerate() {
            let rows = self.rows.min(self.m - row);
            let left = left + block as u32 % 2 * left_bytes;
            for tile in (0..all_tiles).step_by(self.tiles as usize) {
                let tiles = self.tiles.min(all_tiles - tile);
                let right = right + unit % 3 * columns_bytes;
                let out = out + unit % 2 * out_bytes;
                let accumulators = unit % 2 * accumulators;
                if tile == 0 {
                    records.push(Transfer::rows(at.left + row * at.left_pitch, left, k, rows, k, k).load());
                }
                records.push(Transfer::run(at.right + tile * tile_bytes, right, tiles * tile_bytes).load());
                if unit == 0 {
                    records.push(Transfer::run(at.parameters, 0, parameter_bytes).load());
                }
                let convolve = Convolve {
                    act: left,
                    weights: right,
                    accumulators,
                    accumulate: false,
                    zero_point: self.layer.zero_point,
                    out: [rows, 1],
                    in_tiles,
                    out_tiles: tiles,
                    kernel: [1, 1],
                    image: [rows, 1],
                    first: [0, 0],
                    stride: [1, 1],
                    dilation: [1, 1],
                    pixel_step: k,
                    line_step: 0,
                    in_tile_step: compute.rows,
                };
                records.push(convolve.record());
                let requantise = Requantise {
                    parameters: tile * compute.parameter_bytes(),
                    output: out,
                    accumulators,
                    out: [rows, 1],
                    tiles,
                    column_step: out_pitch,
                    row_step: 0,
                    tile_step: compute.cols,
                    zero_point: self.layer.scale.zero_point,
                    min: self.layer.scale.min,
                    max: self.layer.scale.max,
                };
                records.push(requantise.record());
                let to = at.out + row * at.out_pitch + tile * compute.cols;
                let bytes = tiles * compute.cols;
                records.push(Transfer::rows(to, out, bytes, rows, at.out_pitch, out_pitch).store());
                unit += 1;
            }
        }
        records
    }

    /// The outputs, as they stand in memory.
    pub fn outputs(&self, rig: &mut Rig) -> Vec<i8> {
        let at = self.external(rig);
        (0..self.m).flat_map(|row| rig.read(at.out + row * at.out_pitch, self.n)).collect()
    }
}
