//! All that computes, joined.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::array::ArrayIn;
use super::banks::{Banks, WordWrite};
use super::command::{Convolutions, Requantisations};
use super::output::{Output, OutputIn};
use super::sums::{Sums, SumsIn};
use super::tiles::{Frames, TileAddresses, TileStream, Tiles};
use super::weights::{Weights, WeightsIn};
use super::windows::{Windows, WindowsIn};
use crate::dma::WordRead;
use crate::record::RecordQueue;

/// Ports of the computing part.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ComputeIn<T> {
    /// Convolutions, one after the other.
    pub convolutions: Convolutions<T>,
    /// Requantisations, one after the other.
    pub requantisations: Requantisations<T>,
    /// Who fills the scratchpad.
    pub fill: WordWrite<T>,
    /// Who empties it.
    pub drain: WordRead<T>,
}

/// Outputs of the computing part.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ComputeOut<T> {
    /// A convolution is done: its sums are in the accumulators.
    pub convolved: T,
    /// A requantisation is done: its outputs are in the scratchpad.
    pub requantised: T,
    /// An activation row enters the array.
    pub multiplies: T,
}

/// The array, its scratchpad and accumulators, and the output stage. Convolutions and requantisations run at once, each in its order;
/// whoever orders them waits for one if the other needs what it makes.
#[module]
pub struct Compute {
    /// Sizes.
    pub config: ComputeConfig,
}

/// Tiles that are known ahead.
const TILES: u32 = 4;

/// Convolutions that are known ahead, one that is under way among them.
const FRAMES: u32 = 2;

impl Module for Compute {
    type In = ComputeIn<UInt>;
    type Out = ComputeOut<UInt>;

    fn name(&self) -> String {
        format!("Compute_{}", self.config.suffix())
    }
    fn inputs(&self) -> ComputeIn<Shape> {
        ComputeIn {
            convolutions: Convolutions::shape(&self.config),
            requantisations: Requantisations::shape(&self.config),
            fill: WordWrite::shape(&self.config),
            drain: self.config.word_read(),
        }
    }
    fn outputs(&self) -> ComputeOut<Shape> {
        ComputeOut { convolved: bit(), requantised: bit(), multiplies: bit() }
    }
    fn build(&self, m: &Builder, i: ComputeIn<UInt>) -> ComputeOut<UInt> {
        let config = self.config;
        let tiles = m.instance("tiles", &Tiles { config }).i;
        let windows = m.instance("windows", &Windows { config });
        let weights = m.instance("weights", &Weights { config });
        let array = m.instance("array", &config.array());
        let sums = m.instance("sums", &Sums { config });
        let output = m.instance("output_stage", &Output { config });
        let banks = m.instance("banks", &Banks { config, readers: 4, writers: 2 }).i;

        // From convolutions to tiles, and from tiles to activation rows and weights.
        m.connect(tiles.convolutions, i.convolutions);
        let frames = RecordQueue::new(m, "frames", FRAMES, Frames::shape(&config).frame);
        let tile_queue = RecordQueue::new(m, "tile_queue", TILES, TileStream::shape(&config).tile);
        let addresses = RecordQueue::new(m, "addresses", TILES, TileAddresses::shape(&config).address);
        frames.put(tiles.frames.valid, tiles.frames.frame);
        tiles.frames.ready.set(frames.ready & sums.i.start_ready);
        tile_queue.put(tiles.tiles.valid, tiles.tiles.tile);
        tiles.tiles.ready.set(tile_queue.ready);
        addresses.put(tiles.weights.valid, tiles.weights.address);
        tiles.weights.ready.set(addresses.ready);

        let WeightsIn { tiles: from_addresses, read: weight_read, claims } = weights.i;
        from_addresses.valid.set(addresses.valid);
        from_addresses.address.set(addresses.front);
        addresses.takes.set(from_addresses.ready);
        claims.set(windows.o.claims);

        let WindowsIn { frames: from_frames, tiles: from_tiles, available, read: act_read } = windows.i;
        from_frames.valid.set(frames.valid);
        m.connect(from_frames.frame, frames.front);
        frames.takes.set(from_frames.ready);
        from_tiles.valid.set(tile_queue.valid);
        m.connect(from_tiles.tile, tile_queue.front);
        tile_queue.takes.set(from_tiles.ready);
        available.set(weights.o.available);

        // Through the array into the accumulators, and out of them.
        let ArrayIn { act, swap, weight, shift } = array.i;
        m.connect(act, windows.o.act);
        swap.set(weights.o.swap);
        m.connect(weight, weights.o.weight);
        m.connect(shift, weights.o.shift);
        let SumsIn { enters, mark, sum, start_valid, start, start_ready: _, read: row_read } = sums.i;
        enters.set(windows.o.valid);
        m.connect(mark, windows.o.mark);
        m.connect(sum, array.o.sum);
        start_valid.set(tiles.frames.valid);
        start.set(tiles.frames.frame.accumulators);
        let OutputIn { requantisations, parameters, rows, write } = output.i;
        m.connect(requantisations, i.requantisations);
        m.connect(row_read, rows);

        // The scratchpad: the first ports never wait.
        let [first, second, third, fourth] = &banks.read[..] else { unreachable!("four ports read") };
        for (port, reader) in
            [(first, act_read), (second, weight_read), (third, parameters), (fourth, i.drain)]
        {
            m.connect(*port, reader);
        }
        let [first, second] = &banks.write[..] else { unreachable!("two ports write") };
        m.connect(*first, write);
        m.connect(*second, i.fill);

        ComputeOut { convolved: sums.o.done, requantised: output.o.done, multiplies: windows.o.valid }
    }
}
