//! All that computes, joined.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::array::ArrayIn;
use super::banks::{Banks, WordWrite, place};
use super::command::{Convolutions, OutputTasks};
use super::lines::{Lines, LinesIn, TAPS};
use super::output::{Output, OutputIn};
use super::packed::{Packed, PackedIn};
use super::sums::{Sums, SumsIn};
use super::tiles::{Frame, Frames, TileAddresses, TileStream, Tiles};
use super::weights::{Weights, WeightsIn};
use super::windows::{RowMark, Windows, WindowsIn};
use crate::countdown::Countdown;
use crate::dma::WordRead;
use crate::record::{RecordQueue, of_word, to_word};

/// Ports of the computing part.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ComputeIn<T> {
    /// Convolutions, one after the other.
    pub convolutions: Convolutions<T>,
    /// Tasks of the output stage, one after the other.
    pub outputs: OutputTasks<T>,
    /// Who fills the scratchpad.
    pub fill: WordWrite<T>,
    /// Who empties it.
    pub drain: WordRead<T>,
    /// What is under way ends as soon as it can, and leaves anything in accumulators and scratchpad.
    pub halt: T,
}

/// Outputs of the computing part.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ComputeOut<T> {
    /// A convolution is done: its sums are in the accumulators.
    pub convolved: T,
    /// A task of the output stage is done: its outputs are in the scratchpad.
    pub put_out: T,
    /// What the array does.
    pub activity: Activity<T>,
}

/// What the array does in a cycle.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Activity<T> {
    /// An activation row enters it.
    pub multiplies: T,
    /// That row is one of a depthwise convolution.
    pub depthwise: T,
    /// A convolution has rows that have not been read.
    pub has_rows: T,
    /// The next tile's weights are not there.
    pub waits_for_weights: T,
    /// Pixels are read of which no product comes yet.
    pub waits_for_activations: T,
}

impl Activity<Shape> {
    pub(crate) fn shape() -> Activity<Shape> {
        Activity {
            multiplies: bit(),
            depthwise: bit(),
            has_rows: bit(),
            waits_for_weights: bit(),
            waits_for_activations: bit(),
        }
    }
}

/// The array, its scratchpad and accumulators, and the output stage. Convolutions and the output stage run at once, each in its order;
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

/// Cycles from a word's request to the array, at most.
const WAY: u32 = 16;

/// Room in a queue, out of a register: what is put in takes the cycle after it, for nothing comes in every cycle that comes here.
fn room(m: &Builder, name: &str, ready: UInt, puts: UInt) -> UInt {
    let room = m.reg(name, 1).reset_to(1);
    room.set(ready & !puts);
    m.assert(&format!("{name}_is_there"), !room | ready);
    room
}

/// Something happened in one of the last [`WAY`] cycles.
fn under_way(m: &Builder, happens: UInt) -> UInt {
    let way = Countdown::new(m, "way", WAY.ilog2() + 1, 0).reset_done();
    m.when(happens, || way.load(m.constant(Bits::from_u64(way.left.width(), WAY.into()))))
        .otherwise_when(!way.done, || way.step());
    !way.done
}

impl Module for Compute {
    type In = ComputeIn<UInt>;
    type Out = ComputeOut<UInt>;

    fn name(&self) -> String {
        format!("Compute_{}", self.config.suffix())
    }
    fn inputs(&self) -> ComputeIn<Shape> {
        ComputeIn {
            convolutions: Convolutions::shape(&self.config),
            outputs: OutputTasks::shape(&self.config),
            fill: WordWrite::shape(&self.config),
            drain: self.config.word_read(),
            halt: bit(),
        }
    }
    fn outputs(&self) -> ComputeOut<Shape> {
        ComputeOut { convolved: bit(), put_out: bit(), activity: Activity::shape() }
    }
    fn build(&self, m: &Builder, i: ComputeIn<UInt>) -> ComputeOut<UInt> {
        let config = self.config;
        let tiles = m.instance("tiles", &Tiles { config }).i;
        let windows = m.instance("windows", &Windows { config });
        let lines = m.instance("lines", &Lines { config });
        let packed = m.instance("packed_rows", &Packed { config });
        let weights = m.instance("weights", &Weights { config });
        let array = m.instance("array", &config.array());
        let sums = m.instance("sums", &Sums { config });
        let output = m.instance("output_stage", &Output { config });
        let banks = m.instance("banks", &Banks { config, readers: 4, writers: 2 }).i;

        // From convolutions to tiles, and from tiles to activation rows and weights.
        m.connect(tiles.convolutions, i.convolutions);
        tiles.halt.set(i.halt);
        let frames = RecordQueue::new(m, "frames", FRAMES, Frames::shape(&config).frame);
        let tile_queue = RecordQueue::new(m, "tile_queue", TILES, TileStream::shape(&config).tile);
        let addresses = RecordQueue::new(m, "addresses", TILES, TileAddresses::shape(&config).address);
        frames.put(tiles.frames.valid, tiles.frames.frame);
        let frame_room = room(m, "frame_room", frames.ready & sums.i.start_ready, tiles.frames.valid);
        tiles.frames.ready.set(frame_room);
        // A tile goes into both queues at once.
        let puts_tile = tiles.tiles.valid & tiles.weights.valid;
        // Known ahead are those in the queue and the one that has left it and waits.
        let ahead = m.reg("tiles_ahead", TILES.ilog2() + 1).reset_to(0);
        let tile_room = room(m, "tile_room", ahead.lt(TILES) & addresses.ready, puts_tile);
        m.assert("tiles_have_room", !tile_room | tile_queue.ready);
        tile_queue.put(tiles.tiles.valid, tiles.tiles.tile);
        tiles.tiles.ready.set(tile_room);
        addresses.put(tiles.weights.valid, tiles.weights.address);
        tiles.weights.ready.set(tile_room);

        let WeightsIn { tiles: from_addresses, read: weight_read, claims } = weights.i;
        from_addresses.valid.set(addresses.valid);
        from_addresses.address.set(addresses.front);
        addresses.takes.set(from_addresses.ready);
        claims.set(windows.o.claims | lines.o.claims | packed.o.claims);

        // Windows, lines and packed rows take turns: one of them begins when the others have left the array.
        let depthwise = m.reg("depthwise", 1).reset_to(0);
        let packs = m.reg("packs", 1).reset_to(0);
        // The frame of now, out of the queue, whose memory would be in the way to the scratchpad.
        let frame = m.regs("frame", Frames::shape(&config).frame);
        let has_frame = m.reg("has_frame", 1).reset_to(0);
        let frame_goes = m.wire("frame_goes", 1);
        wire!(m, frame_free = !has_frame | frame_goes);
        frames.takes.set(frame_free);
        // It has another's turn; known when it comes, for all that begins asks for it.
        let changes = m.reg("changes", 1).reset_to(0);
        let turns = ["windows", "lines", "packed"].map(|who| m.reg(&format!("turn_of_{who}"), 1).reset_to(0));
        let kinds = |frame: Frame<UInt>| {
            let (depthwise, packed) = (frame.depthwise, frame.packing.packed);
            [!depthwise & !packed, depthwise & !packed, packed]
        };
        m.when(frame_free, || {
            has_frame.set(frames.valid);
            m.connect(frame, frames.front);
            let next = frames.front;
            wire!(m, other = next.depthwise.ne(depthwise) | next.packing.packed.ne(packs));
            changes.set(frames.valid & other);
            for (turn, kind) in turns.into_iter().zip(kinds(next)) {
                turn.set(frames.valid & kind & !other);
            }
        });
        wire!(m, walks = windows.o.active | lines.o.active | packed.o.active);
        // Nothing begins to walk with a frame that waits for its turn, so that who walks now did so a cycle ago.
        wire!(m, quiet = sums.o.empty & !under_way(m, walks));
        m.when(changes & quiet, || {
            depthwise.set(frame.depthwise);
            packs.set(frame.packing.packed);
            changes.set(0);
            for (turn, kind) in turns.into_iter().zip(kinds(frame)) {
                turn.set(kind);
            }
        });
        let WindowsIn { frames: window_frames, tiles: window_tiles, available, read: window_read } =
            windows.i;
        available.set(weights.o.available);
        let LinesIn { frames: line_frames, tiles: line_tiles, available, read: line_read, halt } = lines.i;
        halt.set(i.halt);
        available.set(weights.o.available);
        let PackedIn { frames: packed_frames, tiles: packed_tiles, available, read: packed_read, halt } =
            packed.i;
        // Its lines come in before the weights are there.
        halt.set(i.halt);
        available.set(weights.o.available);
        // The next tile, out of its queue as well.
        let tile = m.regs("next_tile", TileStream::shape(&config).tile);
        let has_tile = m.reg("has_tile", 1).reset_to(0);
        wire!(m, tile_goes = window_tiles.ready | line_tiles.ready | packed_tiles.ready);
        wire!(m, tile_free = !has_tile | tile_goes);
        tile_queue.takes.set(tile_free);
        let took_tile = m.reg("took_tile", 1).reset_to(0);
        took_tile.set(has_tile & tile_goes);
        m.when(puts_tile & !took_tile, || ahead.set(ahead.wrapping_add(1)));
        m.when(!puts_tile & took_tile, || ahead.set(ahead.wrapping_sub(1)));
        m.when(tile_free, || {
            has_tile.set(tile_queue.valid);
            m.connect(tile, tile_queue.front);
        });
        let takers =
            [(window_frames, window_tiles), (line_frames, line_tiles), (packed_frames, packed_tiles)];
        for (turn, (to_frames, to_tiles)) in turns.into_iter().zip(takers) {
            to_frames.valid.set(turn);
            m.connect(to_frames.frame, frame);
            to_tiles.valid.set(has_tile);
            m.connect(to_tiles.tile, tile);
        }
        frame_goes.set(window_frames.ready | line_frames.ready | packed_frames.ready);
        // A register for the request: who asks takes long to know whether, and the scratchpad's grants take long themselves.
        let act_read = m.wires("act_read", config.word_read());
        let asks = m.reg("asks", 1).reset_to(0);
        asks.set(window_read.valid | line_read.valid | packed_read.valid);
        act_read.valid.set(asks);
        let other_address = packs.mux(packed_read.address, window_read.address);
        act_read.address.set(m.delay("asked_place", place(depthwise.mux(line_read.address, other_address))));
        m.assert("activations_never_wait", !asks | act_read.ready);
        let always = m.constant(Bits::ones(1));
        for read in [window_read, line_read, packed_read] {
            read.ready.set(always);
            read.data_valid.set(act_read.data_valid);
            read.data.set(act_read.data);
        }

        // Through the array into the accumulators, and out of them.
        let ArrayIn { act, swap, weight, shift, depthwise: by_columns, lines: line_words } = array.i;
        by_columns.set(depthwise);
        m.connect(line_words, lines.o.words);
        // Rows that lines do not feed multiply 0 in depthwise convolutions.
        let fed = (config.depthwise_rows() * TAPS) as usize;
        for (row, (to, from)) in act.into_iter().zip(windows.o.act.into_iter().zip(packed.o.act)).enumerate()
        {
            let from = packs.mux(from.1, from.0);
            // A wire of its own: Yosys takes no choice of signed values as an instance's input.
            let act = m.wire(&format!("act_{row}"), signed(8));
            act.set(if row < fed { from } else { depthwise.mux(0, from) });
            to.set(act);
        }
        swap.set(weights.o.swap);
        m.connect(weight, weights.o.weight);
        m.connect(shift, weights.o.shift);
        let SumsIn {
            enters,
            mark,
            depthwise: sums_by_columns,
            sum,
            start_valid,
            start,
            start_ready: _,
            read: row_read,
            halt,
        } = sums.i;
        halt.set(i.halt);
        wire!(m, multiplies = windows.o.valid | lines.o.valid | packed.o.valid);
        enters.set(multiplies);
        sums_by_columns.set(depthwise);
        let of_rows = packs.mux(to_word(packed.o.mark), to_word(windows.o.mark));
        let chosen = depthwise.mux(to_word(lines.o.mark), of_rows);
        m.connect(mark, of_word(RowMark::shape(), chosen));
        m.connect(sum, array.o.sum);
        start_valid.set(tiles.frames.valid);
        start.set(tiles.frames.frame.accumulators);
        let OutputIn { tasks, read: operands, rows, write, halt } = output.i;
        halt.set(i.halt);
        m.connect(tasks, i.outputs);
        m.connect(row_read, rows);

        // The scratchpad: the first ports never wait.
        let [first, second, third, fourth] = &banks.read[..] else { unreachable!("four ports read") };
        // A register for the requests from outside, as for those of the activations.
        let drains = RecordQueue::stage(m, "drains", bits(config.word_address_bits()));
        drains.put(i.drain.valid, place(i.drain.address));
        i.drain.ready.set(drains.ready);
        let drain = WordRead { valid: drains.valid, address: drains.front, ready: drains.takes, ..i.drain };
        let readers = [act_read, weight_read, operands, drain];
        for (port, reader) in [first, second, third, fourth].into_iter().zip(readers) {
            m.connect(*port, reader);
        }
        let [first, second] = &banks.write[..] else { unreachable!("two ports write") };
        for (port, writer) in [(first, write), (second, i.fill)] {
            m.connect(*port, WordWrite { address: place(writer.address), ..writer });
        }

        let reads = windows.o.active | lines.o.active | packed.o.active;
        let waits = has_frame & has_tile & !changes & !weights.o.available;
        let activity = Activity {
            multiplies,
            depthwise,
            has_rows: has_frame,
            waits_for_weights: (waits & !reads) | lines.o.waits | packed.o.waits,
            waits_for_activations: (lines.o.active & !lines.o.waits) | (packed.o.active & !packed.o.waits),
        };
        ComputeOut { convolved: sums.o.done, put_out: output.o.done, activity }
    }
}
