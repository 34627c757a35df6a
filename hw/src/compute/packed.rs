//! Convolutions of few input channels: an activation row has the bytes of several taps, and of several kernel rows.

use ferrite_hdl::prelude::*;

use super::command::{COUNT_BITS, KERNEL_BITS};
use super::parts::rotate;
use super::tiles::{Frames, Tile, TileStream};
use super::windows::RowMark;
use super::{ComputeConfig, READ_LATENCY};
use crate::countdown::Countdown;
use crate::delay::{late, late_bit};
use crate::dma::WordRead;
use crate::record::{RecordQueue, of_word, to_word};

/// Kernel rows of which an activation row has bytes, at most.
pub const SEGMENTS: u32 = 4;
/// Words of a line that are kept, at most.
const LINE_WORDS: u32 = 128;
/// Cycles from a word's request until it is written into its line: it stands in a register when it has come.
const KEPT: u32 = READ_LATENCY + 1;
/// Bits of a byte's place in a line, two's complement.
pub(crate) const LINE_PLACE_BITS: u32 = 24;

impl ComputeConfig {
    /// The most bytes of a line that the outputs of a row of a packed convolution need: a word less than is kept, since they may begin anywhere in one.
    pub fn packed_line_bytes(&self) -> u32 {
        (LINE_WORDS - 1) * self.word_bytes()
    }
}

/// What only packed convolutions have.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Packing<T> {
    /// It is one.
    pub packed: T,
    /// Bytes of a kernel row: of its pixels with all channels.
    pub run_bytes: T,
    /// Rows of the kernel.
    pub kernel_rows: T,
    /// Place in the line of a line's first tap; less than 0 where columns are padded.
    pub first_byte: T,
    /// Bytes of the image's lines.
    pub line_bytes: T,
    /// Bytes from the first output's first tap to the last one's.
    pub span: T,
}

impl Packing<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Packing<Shape> {
        let place = signed(LINE_PLACE_BITS);
        Packing {
            packed: bit(),
            run_bytes: bits(config.address_bits()),
            kernel_rows: bits(KERNEL_BITS),
            first_byte: place,
            line_bytes: place,
            span: bits(line_bits(config)),
        }
    }
}

/// Bits of a byte's place in what is kept of a line.
fn line_bits(config: &ComputeConfig) -> u32 {
    LINE_WORDS.ilog2() + config.offset_bits()
}

/// Inputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PackedIn<T> {
    /// One frame for each packed convolution.
    pub frames: Frames<T>,
    /// Its tiles.
    pub tiles: TileStream<T>,
    /// A tile may be begun.
    pub available: T,
    /// The scratchpad, which never makes this port wait; words come `READ_LATENCY` cycles after their request.
    #[flip]
    pub read: WordRead<T>,
    /// A tile ends with the row of outputs that is under way.
    pub halt: T,
}

/// Outputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct PackedOut<T> {
    /// A tile is begun.
    pub claims: T,
    /// Lines come in, or are used.
    pub active: T,
    /// Lines are complete, and the tile's weights are not there.
    pub waits: T,
    /// An activation row goes into the array.
    pub valid: T,
    /// It: one int8 for each row of the array.
    pub act: Vec<T>,
    /// What is known of it.
    pub mark: RowMark<T>,
}

/// What becomes of the lines that are kept for a row of outputs.
#[derive(Clone, Copy, Debug, Bundle)]
struct Row<T> {
    /// Columns but the first one.
    columns_behind: T,
    /// There are none.
    single: T,
    step: T,
    /// The first byte in the first word, of each segment.
    offsets: [T; SEGMENTS as usize],
    /// Where each segment but the first begins in activation rows, and where the last one ends.
    begins: [T; SEGMENTS as usize],
    first: T,
    mark: RowMark<T>,
}

/// What the part that fills lines does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
pub enum PackedState {
    /// Takes a tile.
    Take,
    /// Tells how many taps it has of a kernel row.
    Split,
    /// Goes on to the next kernel row, or behind these taps.
    Cut,
    /// Waits for a place for the lines of a row of outputs.
    Wait,
    /// Finds where a line begins.
    Line,
    /// Finds its words.
    Place,
    /// Reads its words.
    Words,
}

/// The taps of a kernel row stand behind each other in a line of the image, as those of the same row do for the next output, a stride further. For each row of outputs the lines that a tile meets are copied from the
/// scratchpad into memories of their own, with the zero point where they are left; from these an activation row is cut in every cycle, while the next row's lines come in. Even and odd words of a line are kept
/// in two memories, so that bytes can begin anywhere.
#[module]
pub struct Packed {
    /// Sizes.
    pub config: ComputeConfig,
}

impl Module for Packed {
    type In = PackedIn<UInt>;
    type Out = PackedOut<UInt>;

    fn name(&self) -> String {
        format!("Packed_{}", self.config.suffix())
    }
    fn inputs(&self) -> PackedIn<Shape> {
        PackedIn {
            frames: Frames::shape(&self.config),
            tiles: TileStream::shape(&self.config),
            available: bit(),
            read: self.config.word_read(),
            halt: bit(),
        }
    }
    fn outputs(&self) -> PackedOut<Shape> {
        let act = vec![signed(8); self.config.rows as usize];
        PackedOut { claims: bit(), active: bit(), waits: bit(), valid: bit(), act, mark: RowMark::shape() }
    }
    fn build(&self, m: &Builder, i: PackedIn<UInt>) -> PackedOut<UInt> {
        let config = &self.config;
        let fill = self.fill(m, &i);
        let half_bits = LINE_WORDS.ilog2() - 1;
        let place_bits = line_bits(config);

        // A row of outputs: an activation row in every cycle.
        let row = fill.rows.front;
        let half = m.reg("half", 1).reset_to(0);
        let begins_row = m.reg("begins_row", 1).reset_to(1);
        let columns = Countdown::new(m, "columns", COUNT_BITS, 1);
        // Words are written `KEPT` cycles after they are asked for, and a row is told of as if it were one: reads are late as well.
        let behind = KEPT - 1;
        // Tiles that begin, until they have been claimed.
        let begun = m.reg("begun", behind).reset_to(0);
        let claims = begun.msb();
        wire!(m, begins_tile = begins_row & row.first);
        // A cycle passes between two convolutions: the last sums of one may be the first that the next adds to.
        let ended = m.reg("ended", 1).reset_to(0);
        wire!(m, steps = fill.rows.valid & (!begins_tile | (i.available & !begun.any() & !ended)));
        begun.set(begun.truncate(behind - 1).concat(steps & begins_tile));
        wire!(m, ends_row = begins_row.mux(row.single, columns.done));
        ended.set(steps & ends_row & row.mark.ends);
        m.when(steps, || {
            m.when(begins_row, || columns.load(row.columns_behind)).otherwise(|| columns.step());
            begins_row.set(ends_row);
            m.when(ends_row, || half.set(!half));
        });
        fill.rows.takes.set(steps & ends_row);

        let read_half = late(m, "read_half", half, behind);
        let reads = late_bit(m, "reads", steps, behind);
        m.assert("lines_are_complete", !reads | !fill.fills | fill.half.ne(read_half));
        let names = [1, 2, 3, 4].map(|g| format!("begin_of_{g}"));
        let begins: [UInt; SEGMENTS as usize] =
            std::array::from_fn(|g| late(m, &names[g], row.begins[g], behind));
        // Two words of each line, and of their bytes as many as an activation row has, so that a segment stands where it belongs.
        let rotations = (2 * config.word_bytes()).ilog2();
        let fine = rotations / 2;
        let segments = fill.lines.iter().enumerate().map(|(g, [even, odd])| {
            let place = m.reg(&format!("place_{g}"), place_bits);
            let here = begins_row.mux(row.offsets[g].extend(place_bits), place);
            let here = m.node(&format!("here_{g}"), here);
            m.when(steps, || place.set(here.wrapping_add(row.step)));
            let before = late(m, &format!("here_{g}"), here, behind - 1);
            let word = before.slice(config.offset_bits(), LINE_WORDS.ilog2());
            let [odd_word, even_word] = [("odd", word), ("even", word.wrapping_add(1))]
                .map(|(name, word)| m.delay(&format!("{name}_at_{g}"), word.slice(1, half_bits)));
            let here = m.delay(&format!("place_of_{g}"), before.truncate(rotations));
            let even = even.read(&format!("even_{g}"), read_half.concat(even_word));
            let odd = odd.read(&format!("odd_{g}"), read_half.concat(odd_word));
            // Byte k of an activation row is byte `here + k - begin` of the line.
            let begin = match g {
                0 => m.constant(Bits::zero(rotations)),
                _ => begins[g - 1].extend(rotations),
            };
            let by = m.delay(&format!("by_{g}"), here.wrapping_sub(begin));
            let bytes: Vec<UInt> = bytes_of(odd.concat(even));
            let coarse = rotate(&bytes, by.slice(fine, rotations - fine), 1 << fine, bytes.len());
            let needed = config.rows as usize + (1 << fine) - 1;
            let coarse = coarse.into_iter().take(needed.min(bytes.len())).enumerate();
            let coarse: Vec<UInt> =
                coarse.map(|(k, byte)| m.delay(&format!("coarse_{g}_{k}"), byte)).collect();
            let by = m.delay(&format!("fine_by_{g}"), by.truncate(fine));
            let found = rotate(&coarse, by, 1, config.rows as usize);
            found.into_iter().enumerate().map(|(k, byte)| m.delay(&format!("fine_{g}_{k}"), byte)).collect()
        });
        let segments: Vec<Vec<UInt>> = segments.collect();

        // What goes with it.
        let mark = RowMark {
            first: begins_tile,
            starts: begins_tile & row.mark.starts,
            replaces: row.mark.replaces,
            ends: ends_row & row.mark.ends,
        };
        let stages = 4 + behind;
        let valid = late_bit(m, "valid", steps, stages);
        let mark = of_word(RowMark::shape(), late(m, "mark", to_word(mark), stages));
        let chosen_by: [UInt; SEGMENTS as usize] =
            std::array::from_fn(|g| late(m, &format!("{}_chosen", names[g]), begins[g], 3));
        let act = (0..config.rows).map(|k| {
            let of = |g: u32| segments[g as usize][k as usize];
            let behind = (1..=SEGMENTS).fold(of(0), |before, g| {
                let next = if g < SEGMENTS { of(g) } else { m.constant(Bits::zero(8)) };
                chosen_by[g as usize - 1].le(k).mux(next, before)
            });
            let act = m.reg(&format!("act_{k}"), signed(8));
            act.set(behind);
            act
        });
        let waits = fill.rows.valid & begins_tile & !i.available;
        PackedOut { claims, active: fill.active | fill.rows.valid, waits, valid, act: act.collect(), mark }
    }
}

/// The bytes of a word, the first one first.
fn bytes_of(word: UInt) -> Vec<UInt> {
    (0..word.width() / 8).map(|k| word.slice(8 * k, 8)).collect()
}

/// A two's complement number is more than a small one, which has some of the low bits.
fn exceeds(value: UInt, small: u32) -> UInt {
    let low = index_width(small as usize + 1);
    let high = value.slice(low, value.width() - 1 - low);
    !value.msb() & (high.any() | value.slice(0, low).gt(small))
}

/// Lines as they are filled.
struct Fill {
    /// A word of a line is written, and of which row of outputs.
    fills: UInt,
    half: UInt,
    active: UInt,
    /// Rows of outputs whose lines are complete.
    rows: RecordQueue<Row<Shape>>,
    /// The even and the odd words of each segment's line, of two rows of outputs.
    lines: Vec<[Memory; 2]>,
}

impl Packed {
    fn row_shape(&self) -> Row<Shape> {
        let begin = bits(self.config.rows.ilog2() + 1);
        Row {
            columns_behind: bits(COUNT_BITS),
            single: bit(),
            step: bits(line_bits(&self.config)),
            offsets: [bits(self.config.offset_bits()); SEGMENTS as usize],
            begins: [begin; SEGMENTS as usize],
            first: bit(),
            mark: RowMark::shape(),
        }
    }

    /// Fills lines.
    fn fill(&self, m: &Builder, i: &PackedIn<UInt>) -> Fill {
        let config = &self.config;
        let frame = i.frames.frame;
        let packing = frame.packing;
        let address_bits = config.address_bits();
        let all = config.rows;
        let state = m.reg("state", PackedState::shape()).reset_to(PackedState::Take);
        let is = |wanted: PackedState| state.is(wanted);
        let rows = RecordQueue::new(m, "rows", 2, self.row_shape());
        let Tile { place, starts, replaces, ends } = m.regs("tile", TileStream::shape(config).tile);

        // Where in the kernel the next tile begins: bytes left of the kernel row, kernel row, and where that one's line is for the first row of outputs.
        let run_left = m.reg("run_left", packing.run_bytes.width());
        let kernel_row = m.reg("kernel_row", KERNEL_BITS);
        let kernel_act = m.reg("kernel_act", address_bits);
        let kernel_y = m.reg("kernel_y", config.place_bits());
        // The tile's: where it begins, and its segments.
        let first_run_byte = m.reg("first_run_byte", packing.run_bytes.width());
        let row_act = m.reg("row_act", address_bits);
        let row_y = m.reg("row_y", config.place_bits());
        let rows_to_fill = Countdown::new(m, "rows", COUNT_BITS, 1);
        let first = m.reg("first", 1);
        let begin_bits = all.ilog2() + 1;
        let begins: [UInt; SEGMENTS as usize] =
            std::array::from_fn(|g| m.reg(&format!("begin_{}", g + 1), begin_bits));
        // The bytes of each but one.
        let sizes: [UInt; SEGMENTS as usize] =
            std::array::from_fn(|g| m.reg(&format!("bytes_behind_{g}"), begin_bits));
        // Those behind the last one are empty, and stand where it ends.
        let last_segment = m.reg("last_segment", SEGMENTS.ilog2());
        let segment = m.reg("segment", SEGMENTS.ilog2());
        let tile_act = m.reg("tile_act", address_bits);
        let tile_y = m.reg("tile_y", config.place_bits());

        let free = is(PackedState::Take) & i.frames.valid;
        i.tiles.ready.set(free);
        wire!(m, takes = free & i.tiles.valid);

        // Segments: what is left of the kernel row, or of the tile.
        let room = m.reg("room", begin_bits);
        let [taken, takes_run, ends_split] = [("taken", begin_bits), ("takes_run", 1), ("ends_split", 1)]
            .map(|(name, width)| m.reg(name, width));
        // A convolution may have more tiles than its taps fill.
        wire!(m, has_row = kernel_row.lt(packing.kernel_rows));
        let room_long = room.extend(run_left.width());
        wire!(m, run_fits = run_left.le(room_long));
        wire!(m, next_kernel_row = kernel_row.wrapping_add(1));
        wire!(m, room_behind = room.wrapping_sub(taken));
        wire!(m, segment_end = m.constant(Bits::from_u64(begin_bits, all.into())).wrapping_sub(room_behind));

        // A line: its words, with the zero point beside the image.
        let segment_act = m.reg("segment_act", address_bits);
        let segment_y = m.reg("segment_y", config.place_bits());
        let line_act = m.reg("line_act", address_bits);
        let line_place = m.reg("line_place", LINE_PLACE_BITS);
        let line_in_image = m.reg("line_in_image", 1);
        let word = m.reg("word", LINE_WORDS.ilog2());
        let words = Countdown::new(m, "words", LINE_WORDS.ilog2(), 0);
        let word_act = m.reg("word_act", config.word_address_bits());
        let word_place = m.reg("word_place", LINE_PLACE_BITS);
        let offsets: [UInt; SEGMENTS as usize] =
            std::array::from_fn(|g| m.reg(&format!("offset_{g}"), config.offset_bits()));
        let half = m.reg("fill_half", 1).reset_to(0);
        let puts = m.reg("puts", 1).reset_to(0);

        wire!(m, is_first_segment = segment.eq(0));
        wire!(m, line_byte = is_first_segment.mux(first_run_byte, 0));
        let offset = line_act.truncate(config.offset_bits());
        let bytes_behind =
            (0u32..).zip(sizes).fold(sizes[0], |others, (g, size)| segment.eq(g).mux(size, others));
        // From the line's first byte for the first output to its last one for the last output.
        let reach = m.reg("reach", line_bits(config) + 1);
        let last_byte = offset.extend(reach.width()).wrapping_add(reach);
        wire!(m, last_word = last_byte.slice(config.offset_bits(), LINE_WORDS.ilog2()));
        let within = |place: UInt, limit: UInt| place.lt(limit.extend(place.width()));
        wire!(m, ends_line = is(PackedState::Words) & words.done);
        wire!(m, ends_lines = ends_line & segment.eq(last_segment));
        wire!(m, is_last_row = rows_to_fill.done | i.halt);
        wire!(m, ends_tile = ends_lines & is_last_row);
        i.frames.ready.set(ends_tile & ends);
        i.read.valid.set(is(PackedState::Words) & line_in_image);
        i.read.address.set(word_act);
        m.assert("activations_never_wait", !i.read.valid | i.read.ready);
        puts.set(ends_lines);

        m.switch(state, |s| {
            s.case(PackedState::Take, || {
                segment.set(0);
                room.set(all);
                m.connect(Tile { place, starts, replaces, ends }, i.tiles.tile);
                let new = i.tiles.tile;
                // Whoever takes it: the next tile that is taken here is this one, or one that starts as well.
                m.when(i.tiles.valid & new.starts, || {
                    run_left.set(packing.run_bytes);
                    kernel_row.set(0);
                    kernel_act.set(new.place.act);
                    kernel_y.set(new.place.y);
                });
                m.when(takes, || {
                    state.set(PackedState::Split);
                    first_run_byte.set(new.starts.mux(0, packing.run_bytes.wrapping_sub(run_left)));
                    tile_act.set(new.starts.mux(new.place.act, kernel_act));
                    tile_y.set(new.starts.mux(new.place.y, kernel_y));
                });
            });
            s.case(PackedState::Split, || {
                taken.set(has_row.mux(run_fits.mux(run_left.truncate(begin_bits), room), 0));
                takes_run.set(has_row & run_fits);
                ends_split.set(
                    segment.eq(SEGMENTS - 1)
                        | run_left.ge(room_long)
                        | next_kernel_row.ge(packing.kernel_rows),
                );
                state.set(PackedState::Cut);
            });
            s.case(PackedState::Cut, || {
                room.set(room_behind);
                last_segment.set(segment);
                segment.set(segment.wrapping_add(1));
                for (g, to) in (0u32..).zip(sizes) {
                    m.when(segment.eq(g), || to.set(taken.wrapping_sub(1)));
                }
                for (g, to) in (0u32..).zip(begins) {
                    m.when(segment.le(g), || to.set(segment_end));
                }
                run_left.set(run_left.wrapping_sub(taken.extend(run_left.width())));
                m.when(takes_run, || {
                    run_left.set(packing.run_bytes);
                    kernel_row.set(next_kernel_row);
                    kernel_act.set(kernel_act.wrapping_add(frame.line_step));
                    kernel_y.set(kernel_y.wrapping_add(1));
                });
                row_act.set(tile_act);
                row_y.set(tile_y);
                rows_to_fill.load(frame.rows);
                first.set(1);
                state.set(PackedState::Split);
                m.when(ends_split, || state.set(PackedState::Wait));
            });
            s.case(PackedState::Wait, || {
                segment.set(0);
                segment_act.set(row_act);
                segment_y.set(row_y);
                m.when(rows.ready & !puts, || state.set(PackedState::Line));
            });
            s.case(PackedState::Line, || {
                line_act.set(segment_act.wrapping_add(line_byte));
                line_place.set(packing.first_byte.wrapping_add(line_byte.extend(LINE_PLACE_BITS)));
                line_in_image.set(within(segment_y, frame.height));
                reach
                    .set(packing.span.extend(reach.width()).wrapping_add(bytes_behind.extend(reach.width())));
                state.set(PackedState::Place);
            });
            s.case(PackedState::Place, || {
                word.set(0);
                words.load(last_word);
                word_act.set(config.word_of(line_act));
                word_place.set(line_place.wrapping_sub(offset.extend(LINE_PLACE_BITS)));
                for (g, to) in (0u32..).zip(offsets) {
                    m.when(segment.eq(g), || to.set(offset));
                }
                state.set(PackedState::Words);
            });
            s.case(PackedState::Words, || {
                word.set(word.wrapping_add(1));
                words.step();
                word_act.set(word_act.wrapping_add(1));
                word_place.set(word_place.wrapping_add(config.word_bytes()));
                m.when(ends_line, || {
                    segment.set(segment.wrapping_add(1));
                    segment_act.set(segment_act.wrapping_add(frame.line_step));
                    segment_y.set(segment_y.wrapping_add(1));
                    state.set(PackedState::Line);
                });
            });
        });
        m.when(ends_lines, || {
            half.set(!half);
            row_act.set(row_act.wrapping_add(frame.row_step));
            row_y.set(row_y.wrapping_add(frame.stride_y.extend(row_y.width())));
            rows_to_fill.step();
            first.set(0);
            state.set(PackedState::Wait);
            m.when(is_last_row, || state.set(PackedState::Take));
        });

        // Bytes before the line's first and from its end on are the zero point. Which these are is found while the word is on its way.
        let writes = late_bit(m, "writes", is(PackedState::Words), READ_LATENCY);
        let zero_point = late(m, "zero_point", frame.zero_point, READ_LATENCY);
        let to_word = late(m, "to_word", word, READ_LATENCY);
        let to_segment = late(m, "to_segment", segment, READ_LATENCY);
        let to_half = late(m, "to_half", half, READ_LATENCY);
        let lead = m.delay("lead", m.constant(Bits::zero(LINE_PLACE_BITS)).wrapping_sub(word_place));
        let rest = m.delay("rest", packing.line_bytes.wrapping_sub(word_place));
        let inside = (0..config.word_bytes()).rev().map(|k| exceeds(rest, k) & !exceeds(lead, k));
        let inside = late(m, "inside", concat(inside), READ_LATENCY - 1);
        // A block RAM is slow: the word stands in a register before bytes of it are left out. It is 0 where none was read.
        let found = m.delay("found", i.read.data);
        let is_there = m.delay("is_there", inside & i.read.data_valid.repeat(config.word_bytes()));
        let zero_point = m.delay("zero_point_kept", zero_point);
        let bytes = bytes_of(found).into_iter().zip(0..);
        let bytes: Vec<UInt> = bytes.map(|(byte, k)| is_there.bit(k).mux(byte, zero_point)).collect();
        wire!(m, kept = concat(bytes.into_iter().rev()));
        let at = m.delay("kept_at", to_half.concat(to_word.slice(1, LINE_WORDS.ilog2() - 1)));
        let lines = (0..SEGMENTS).map(|g| {
            let of = |parity: u32, name: &str| {
                let memory = m.memory(&format!("{name}_{g}"), LINE_WORDS, 8 * config.word_bytes());
                let memory = memory.without_collisions();
                let keeps = m.reg(&format!("keeps_{name}_{g}"), 1).reset_to(0);
                keeps.set(writes & to_segment.eq(g) & to_word.bit(0).eq(parity));
                m.when(keeps, || memory.write(at, kept));
                memory
            };
            [of(0, "even_words"), of(1, "odd_words")]
        });
        let lines = lines.collect();

        // What was known of the row when its last word was asked for.
        let row = Row {
            columns_behind: frame.columns.wrapping_sub(1),
            single: frame.columns.eq(1),
            step: frame.column_step.extend(line_bits(config).max(address_bits)).truncate(line_bits(config)),
            offsets,
            begins,
            first,
            mark: RowMark { first, starts, replaces, ends: ends & is_last_row },
        };
        let late = m.regs("put", self.row_shape());
        m.connect(late, row);
        rows.put(puts, late);
        m.assert("room_for_rows", !puts | rows.ready);
        let fills = late_bit(m, "fills", writes, 1);
        Fill { fills, half: at.msb(), active: !is(PackedState::Take) | puts, rows, lines }
    }
}
