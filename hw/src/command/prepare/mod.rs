//! Judges commands, and computes what they touch and how they walk, by one multiplier.

mod products;
mod rules;

use ferrite_hdl::library::one_hot_mux;
use ferrite_hdl::prelude::*;

use super::order::{EXTERNAL_BLOCK_BYTES, OrderStream, Region};
use super::record::{
    CODE, Cause, Field, Opcode, Part, RECORD_WORDS, RecordStream, add, convolve, pool, requantise, transfer,
};
use crate::compute::{
    Addition, ComputeConfig, Convolution, Counts, Image, LINE_PIXELS, LINE_PLACE_BITS, MOST_PIXELS,
    OutputKind, OutputRange, OutputTask, Packing, Pooling, Steps, TAPS,
};
use crate::delay::late_bit;
use products::{Effect, Operand, Product, are_in_time};
use rules::Rule;

/// Ports of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PrepareIn<T> {
    /// Commands.
    pub records: RecordStream<T>,
    /// The same, judged.
    #[flip]
    pub orders: OrderStream<T>,
    /// Forgets what it has.
    pub clear: T,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PrepareOut<T> {
    /// A command is here.
    pub busy: T,
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
pub enum PrepareState {
    /// Takes a command.
    Take,
    /// Multiplies.
    Multiply,
    /// Offers the order.
    Offer,
}

/// Judges one command after the other. What is multiplied takes a product in each cycle; most take some ten cycles.
#[module]
pub struct Prepare {
    /// Sizes.
    pub config: ComputeConfig,
}

/// The first factor of a product: 16 bits and a sign.
const FACTOR_BITS: u32 = 17;
/// The second one: an address and a sign.
const STEP_BITS: u32 = 33;
const PRODUCT_BITS: u32 = FACTOR_BITS + STEP_BITS;
/// Bits of a sum of three products and an address.
const SUM_BITS: u32 = PRODUCT_BITS + 2;
/// A count of more than so many bits lies outside of any scratchpad and of any accumulators.
const COUNT_BITS: u32 = 22;
/// Cycles from a product's factors to its effect.
const STAGES: u32 = 2;

impl Module for Prepare {
    type In = PrepareIn<UInt>;
    type Out = PrepareOut<UInt>;

    fn name(&self) -> String {
        format!("Prepare_{}", self.config.suffix())
    }
    fn inputs(&self) -> PrepareIn<Shape> {
        PrepareIn { records: RecordStream::shape(), orders: OrderStream::shape(&self.config), clear: bit() }
    }
    fn outputs(&self) -> PrepareOut<Shape> {
        PrepareOut { busy: bit() }
    }
    fn build(&self, m: &Builder, i: PrepareIn<UInt>) -> PrepareOut<UInt> {
        let config = &self.config;
        let state = m.reg("state", PrepareState::shape()).reset_to(PrepareState::Take);
        let record = m.reg("record", i.records.record.width());
        let take = i.records.valid & state.is(PrepareState::Take);
        i.records.ready.set(state.is(PrepareState::Take));
        m.when(take, || record.set(i.records.record));
        let get = |field: Field| field.of(record);
        let known = Opcode::ALL.map(|opcode| {
            let known = m.reg(&format!("is_{opcode:?}").to_lowercase(), 1);
            m.when(take, || known.set(CODE.of(i.records.record).is(opcode)));
            known
        });
        let is =
            |wanted: Opcode| known[Opcode::ALL.iter().position(|opcode| *opcode == wanted).expect("all")];
        wire!(m, is_transfer = is(Opcode::Load) | is(Opcode::Store));
        wire!(m, is_array = is(Opcode::Convolve) | is(Opcode::Depthwise) | is(Opcode::Packed));
        wire!(m, has_image = is(Opcode::Add) | is(Opcode::Pool));

        // Products: the factors of one are chosen in each cycle, multiplied in the next, and used in the one after. What chooses them is known a cycle before.
        let tiles = m.reg("tiles", COUNT_BITS);
        let rows = m.reg("rows", COUNT_BITS);
        let column_bytes = m.reg("column_bytes", COUNT_BITS);
        let lists = Opcode::ALL.map(|opcode| (opcode, self.products(opcode)));
        assert!(lists.iter().all(|(_, products)| are_in_time(products)), "a product comes too late");
        let longest =
            lists.iter().map(|(_, products)| products.len()).max().expect("there are opcodes") as u32;
        // The product whose factors are chosen in the next cycle, a bit for each; those behind the last are waited for.
        let ahead = m.reg("ahead", longest + STAGES + 1);
        wire!(m, multiplies = state.is(PrepareState::Multiply));
        let mut chosen = Vec::new();
        for (opcode, products) in &lists {
            let first = !multiplies & CODE.of(i.records.record).is(*opcode);
            let next = |k: u32| multiplies & is(*opcode) & ahead.bit(k);
            for (k, product) in (0u32..).zip(products) {
                let name = format!("{opcode:?}_{k}").to_lowercase();
                chosen.push((*product, m.node(&name, if k == 0 { first } else { next(k) })));
            }
        }
        let last =
            lists.iter().map(|(opcode, products)| is(*opcode) & ahead.bit(products.len() as u32 + STAGES));
        wire!(m, is_unknown = !concat(known).any());
        wire!(m, was_last = is_unknown | concat(last).any());
        let any_of = |wanted: &dyn Fn(&Product) -> bool| {
            let of: Vec<UInt> =
                chosen.iter().filter(|(product, _)| wanted(product)).map(|(_, bit)| *bit).collect();
            concat(of).any()
        };
        let value = |operand: Operand, width: u32| match operand {
            Operand::Plain(field) => get(field).extend(width),
            Operand::Signed(field) => get(field).signed().extend(width).unsigned(),
            Operand::Result(Effect::Tiles) => tiles.extend(width),
            Operand::Result(Effect::Rows) => rows.extend(width),
            Operand::Result(Effect::Column) => column_bytes.extend(width),
            Operand::Result(other) => unreachable!("{other:?} is no factor"),
            Operand::Constant(number) => m.constant(Bits::from_u64(width, number.into())),
        };
        // A factor of what can be one, a bit for each of which chooses.
        let choose = |name: &str, width: u32, of: &dyn Fn(&Product) -> Operand| {
            let mut operands: Vec<Operand> = Vec::new();
            for (product, _) in &chosen {
                if !operands.contains(&of(product)) {
                    operands.push(of(product));
                }
            }
            let picks = operands.iter().rev().map(|operand| any_of(&|product| of(product) == *operand));
            let picks = m.delay(&format!("{name}_picks"), concat(picks));
            let items: Vec<UInt> = operands.iter().map(|operand| value(*operand, width)).collect();
            m.node(&format!("{name}_value"), one_hot_mux(picks, &items))
        };
        let factor = choose("factor", FACTOR_BITS, &|product| product.factor);
        let less_1 = m.delay("less_1", any_of(&|product| product.less_1));
        let first_factor = m.delay("first_factor", factor.wrapping_add(less_1.repeat(FACTOR_BITS)));
        let second_factor = m.delay("second_factor", choose("step", STEP_BITS, &|product| product.step));
        let product = m.reg("product", PRODUCT_BITS);
        product.set((first_factor.signed() * second_factor.signed()).unsigned());
        wire!(m, has_product = take | multiplies);
        let mut effects: Vec<(Effect, UInt)> = Vec::new();
        for (product, _) in &chosen {
            let Product { effect, .. } = *product;
            if effects.iter().all(|(other, _)| *other != effect) {
                let name = format!("adds_{effect:?}").to_lowercase();
                effects.push((
                    effect,
                    late_bit(m, &name, has_product & any_of(&|product| product.effect == effect), STAGES + 1),
                ));
            }
        }
        let now = |wanted: Effect| {
            effects.iter().find(|(effect, _)| *effect == wanted).expect("a product has it").1
        };

        // What the products add up to.
        let reach = m.reg("reach", SUM_BITS);
        let external_first = m.reg("external_first", SUM_BITS);
        let external_last = m.reg("external_last", SUM_BITS);
        let start = m.reg("start", config.address_bits());
        let too_many = m.reg("too_many", 1);
        let long_lines = m.reg("long_lines", 1);
        let line_bytes = m.reg("line_bytes", LINE_PLACE_BITS);
        let first_byte = m.reg("first_byte", LINE_PLACE_BITS);
        let span = m.reg("span", SUM_BITS);
        let wide_window = m.reg("wide_window", 1);
        let source_reach = m.reg("source_reach", SUM_BITS);
        let second_reach = m.reg("second_reach", SUM_BITS);
        let step_of = |name: &str| m.reg(&format!("{name}_step"), config.address_bits());
        let in_tile = get(convolve::IN_TILE_STEP).truncate(config.address_bits());
        let steps = Steps {
            column: step_of("column"),
            row: step_of("row"),
            in_tile,
            kernel_column: step_of("kernel_column"),
            kernel_row: step_of("kernel_row"),
            out_tile: is(Opcode::Depthwise).mux(in_tile, 0),
            pixel: get(convolve::PIXEL_STEP).truncate(config.address_bits()),
            line: get(convolve::LINE_STEP).truncate(config.address_bits()),
        };
        let whole = product.signed().extend(SUM_BITS).unsigned();
        let small = product.truncate(config.address_bits());
        let count = product.truncate(COUNT_BITS);
        let long = |value: UInt| value.extend(SUM_BITS);
        let last_byte_of = |bytes: UInt| bytes.wrapping_sub(1);
        m.when(multiplies & ahead.bit(1), || {
            let acts = |bytes: u32| m.constant(Bits::from_u64(SUM_BITS, (bytes - 1).into()));
            too_many.set(0);
            long_lines.set(0);
            wide_window.set(0);
            let is_sums = is(Opcode::Sums);
            let is_output = is_sums | is(Opcode::Requantise) | is(Opcode::Add) | is(Opcode::Pool);
            let data = is_output.mux(
                long(get(requantise::OUTPUT))
                    .wrapping_add(is_sums.mux(acts(4 * config.cols), acts(config.cols))),
                is_array.mux(
                    long(get(convolve::ACT)).wrapping_add(is(Opcode::Packed).mux(
                        m.constant(Bits::ones(SUM_BITS)),
                        is(Opcode::Convolve).mux(acts(config.rows), acts(config.cols)),
                    )),
                    long(get(transfer::LOCAL)).wrapping_add(long(last_byte_of(get(transfer::BYTES)))),
                ),
            );
            reach.set(data);
            source_reach.set(long(get(add::INPUT1)).wrapping_add(config.cols - 1));
            second_reach.set(long(get(add::INPUT2)).wrapping_add(config.cols - 1));
            external_first.set(long(get(transfer::EXTERNAL)));
            external_last
                .set(long(get(transfer::EXTERNAL)).wrapping_add(long(last_byte_of(get(transfer::BYTES)))));
            start.set(get(convolve::ACT).truncate(config.address_bits()));
        });
        m.when(take, || {
            ahead.set(2);
            state.set(PrepareState::Multiply);
        });
        m.when(multiplies, || {
            ahead.set(ahead << 1);
            m.when(was_last, || state.set(PrepareState::Offer));
        });
        m.when(now(Effect::Tiles), || tiles.set(count));
        m.when(now(Effect::Rows), || rows.set(count));
        let is_count = now(Effect::Tiles) | now(Effect::Rows);
        m.when(is_count & (product >> COUNT_BITS).any(), || too_many.set(1));
        m.when(now(Effect::LineBytes), || line_bytes.set(product.truncate(LINE_PLACE_BITS)));
        m.when(now(Effect::FirstByte), || first_byte.set(product.truncate(LINE_PLACE_BITS)));
        m.when(now(Effect::Span), || span.set(whole));
        m.when(now(Effect::Reach) | now(Effect::LineBytes), || reach.set(reach.wrapping_add(whole)));
        m.when(now(Effect::SourceReach), || source_reach.set(source_reach.wrapping_add(whole)));
        m.when(now(Effect::SecondReach), || second_reach.set(second_reach.wrapping_add(whole)));
        m.when(now(Effect::External), || {
            m.when(product.msb(), || external_first.set(external_first.wrapping_add(whole)))
                .otherwise(|| external_last.set(external_last.wrapping_add(whole)));
        });
        m.when(now(Effect::Pixels) & product.ge(LINE_PIXELS - TAPS + 1), || long_lines.set(1));
        m.when(now(Effect::Window) & product.gt(MOST_PIXELS), || wide_window.set(1));
        m.when(now(Effect::Start) | now(Effect::FirstByte), || start.set(start.wrapping_add(small)));
        m.when(now(Effect::Column), || {
            steps.column.set(small);
            column_bytes.set(count);
        });
        m.when(now(Effect::Row), || steps.row.set(small));
        m.when(now(Effect::KernelColumn), || steps.kernel_column.set(small));
        m.when(now(Effect::KernelRow), || steps.kernel_row.set(small));

        // What is touched: the last byte of each range, exactly. No count comes by a last product: what counts add up to is kept for a cycle.
        let source = m.delay("source", is_array.mux(get(convolve::WEIGHTS), get(requantise::PARAMETERS)));
        let tile_bytes = config.rows * config.cols;
        let constant_bytes = is_array
            .mux(tiles.concat(m.constant(Bits::zero(tile_bytes.ilog2()))).extend(SUM_BITS), long(tiles));
        let constants_last =
            m.delay("constants_last", long(source).wrapping_add(constant_bytes).wrapping_sub(1));
        wire!(m, source_last = has_image.mux(source_reach, constants_last));
        wire!(m, has_source = has_image | is_array | is(Opcode::Requantise));
        let accumulators = get(convolve::ACCUMULATORS);
        let accumulators_last = m.delay(
            "accumulators_last",
            accumulators.extend(COUNT_BITS + 1).wrapping_add(rows.extend(COUNT_BITS + 1)).wrapping_sub(1),
        );
        let data_first = m.delay(
            "data_first",
            is_transfer.mux(get(transfer::LOCAL), is_array.mux(get(convolve::ACT), get(requantise::OUTPUT))),
        );
        wire!(m, has_sums = is_array | is(Opcode::Requantise) | is(Opcode::Sums));
        let beyond = |last: UInt, bits: u32| (last >> bits).any();
        let outside = [
            beyond(reach, config.address_bits()),
            has_source & beyond(source_last, config.address_bits()),
            is(Opcode::Add) & beyond(second_reach, config.address_bits()),
            has_sums & (beyond(accumulators_last, config.row_bits()) | too_many),
            is_transfer & (beyond(external_first, 32) | beyond(external_last, 32)),
        ];
        let outside = m.delay("outside", concat(outside));

        // The rules, the lowest cause first: each, in the next cycle those of an opcode, and then all together.
        let unknown = m.delay("unknown", is_unknown);
        let broken = |name: &str, rule: Rule| {
            let each = Opcode::ALL.map(|opcode| {
                let rules = concat(rule(self, opcode, &get));
                is(opcode) & m.delay(&format!("{name}_of_{opcode:?}").to_lowercase(), rules).any()
            });
            m.delay(name, concat(each))
        };
        let reserved = Opcode::ALL.map(|opcode| {
            let words = (0..RECORD_WORDS).filter_map(|word| {
                let mask = opcode.reserved().slice(32 * word, 32);
                (mask != Bits::zero(32)).then(|| (record.slice(32 * word, 32) & m.constant(mask)).any())
            });
            let words = concat(words.collect::<Vec<_>>());
            is(opcode) & m.delay(&format!("reserved_of_{opcode:?}").to_lowercase(), words).any()
        });
        let reserved = m.delay("reserved", concat(reserved));
        let out_of_range = broken("out_of_range", Prepare::fields_out_of_range);
        wire!(m, packed_line = span.wrapping_add(long(steps.kernel_column)));
        let long_packed_lines =
            m.delay("long_packed_lines", is(Opcode::Packed) & packed_line.gt(config.packed_line_bytes()));
        let wrong_field = m.delay(
            "wrong_field",
            reserved.any() | long_lines | wide_window | long_packed_lines | out_of_range.any(),
        );
        let misaligned = broken("misaligned", Prepare::misaligned);
        let misaligned = m.delay("wrong_alignment", misaligned.any());
        wire!(m, breaks = unknown | wrong_field | misaligned | outside.any());
        let found = m.wire("found", Cause::shape());
        m.when(unknown, || found.set(Cause::Unknown))
            .otherwise_when(wrong_field, || found.set(Cause::Field))
            .otherwise_when(misaligned, || found.set(Cause::Alignment))
            .otherwise(|| found.set(Cause::Outside));
        let cause = m.delay("cause", found);

        // The order: what it touches may be looked at while it is judged, which takes two cycles from the last product.
        let is_offered = state.is(PrepareState::Offer);
        wire!(m, leaves = (is_offered & i.orders.ready) | i.clear);
        m.when(leaves, || state.set(PrepareState::Take));
        i.orders.valid.set(is_offered);
        let was_offered = late_bit(m, "is_offered", is_offered & !leaves, 1);
        i.orders.good.set(late_bit(m, "is_good", was_offered & !breaks & !leaves, 1));
        i.orders.bad.set(late_bit(m, "is_bad", was_offered & breaks & !leaves, 1));
        let order = i.orders.order;
        let of_part = |part: Part| {
            let of = Opcode::ALL.into_iter().filter(|opcode| opcode.part() == part).map(is);
            of.reduce(|a, b| a | b).expect("each part has a command")
        };
        let part = m.wire("part_of_opcode", Part::shape());
        part.set(Part::Load);
        for each in Part::ALL {
            m.when(of_part(each), || part.set(each));
        }
        order.part.set(m.delay("part", part));
        order.cause.set(cause);
        let word = |byte: UInt| byte.slice(config.word_bytes().ilog2(), config.word_address_bits());
        let external =
            |byte: UInt| byte.slice(EXTERNAL_BLOCK_BYTES.ilog2(), 32 - EXTERNAL_BLOCK_BYTES.ilog2());
        let regions = order.regions;
        let region = |to: Region<UInt>, valid: UInt, writes: UInt, first: UInt, last: UInt| {
            m.connect(to, Region { valid, writes, first, last });
        };
        let (yes, no) = (m.constant(Bits::ones(1)), m.constant(Bits::zero(1)));
        region(regions.data, yes, !(is(Opcode::Store) | is_array), word(data_first), word(reach));
        region(regions.source, has_source, no, word(source), word(source_last));
        region(regions.second, is(Opcode::Add), no, word(get(add::INPUT2)), word(second_reach));
        let row = |row: UInt| row.truncate(config.row_bits());
        region(regions.accumulators, has_sums, is_array, row(accumulators), row(accumulators_last));
        region(
            regions.external,
            is_transfer,
            is(Opcode::Store),
            external(external_first),
            external(external_last),
        );
        let t = order.transfer;
        for (to, from) in [
            (t.external, transfer::EXTERNAL),
            (t.bytes, transfer::BYTES),
            (t.n1, transfer::N1),
            (t.n2, transfer::N2),
            (t.s1, transfer::S1),
            (t.s2, transfer::S2),
            (t.fill, transfer::FILL),
        ] {
            to.set(get(from));
        }
        for (to, from) in [(t.local, transfer::LOCAL), (t.d1, transfer::D1), (t.d2, transfer::D2)] {
            to.set(word(get(from)));
        }
        let address = |field: Field| get(field).truncate(config.address_bits());
        wire!(m, one_tap = is(Opcode::Depthwise) | is(Opcode::Packed));
        let convolution = Convolution {
            act: start,
            weights: address(convolve::WEIGHTS),
            accumulators: row(accumulators),
            accumulate: get(convolve::ACCUMULATE),
            depthwise: is(Opcode::Depthwise),
            packing: Packing {
                packed: is(Opcode::Packed),
                run_bytes: steps.kernel_column,
                kernel_rows: get(convolve::KERNEL_ROWS).truncate(5),
                first_byte,
                line_bytes,
                span: span.truncate(order.convolution.packing.span.width()),
            },
            zero_point: get(convolve::ZERO_POINT),
            counts: Counts {
                columns: get(convolve::COLUMNS),
                rows: get(convolve::ROWS),
                // The loops that a convolution does not have turn once.
                in_tiles: is(Opcode::Depthwise).mux(1, get(convolve::IN_TILES)),
                kernel_columns: one_tap.mux(1, get(convolve::KERNEL_COLUMNS).truncate(5)),
                kernel_rows: one_tap.mux(1, get(convolve::KERNEL_ROWS).truncate(5)),
                out_tiles: get(convolve::OUT_TILES),
            },
            steps,
            image: Image {
                width: get(convolve::WIDTH),
                height: get(convolve::HEIGHT),
                x: get(convolve::X).signed().extend(config.place_bits()).unsigned(),
                y: get(convolve::Y).signed().extend(config.place_bits()).unsigned(),
                stride_x: get(convolve::STRIDE_X),
                stride_y: get(convolve::STRIDE_Y),
                dilation_x: get(convolve::DILATION_X),
                dilation_y: get(convolve::DILATION_Y),
            },
        };
        m.connect(order.convolution, convolution);
        let addition = Addition {
            input2: address(add::INPUT2),
            input1_column_step: address(add::INPUT1_COLUMN_STEP),
            input1_row_step: address(add::INPUT1_ROW_STEP),
            input2_column_step: address(add::INPUT2_COLUMN_STEP),
            input2_row_step: address(add::INPUT2_ROW_STEP),
            input1_zero_point: get(add::INPUT1_ZERO_POINT),
            input2_zero_point: get(add::INPUT2_ZERO_POINT),
            input1_multiplier: get(add::INPUT1_MULTIPLIER),
            input2_multiplier: get(add::INPUT2_MULTIPLIER),
            output_multiplier: get(add::OUTPUT_MULTIPLIER),
            input1_shift: get(add::INPUT1_SHIFT).wrapping_sub(1),
            input2_shift: get(add::INPUT2_SHIFT).wrapping_sub(1),
            output_shift: get(add::OUTPUT_SHIFT).wrapping_sub(1),
        };
        let pooling = Pooling {
            maximum: get(pool::MAXIMUM),
            kernel_columns: get(pool::KERNEL_COLUMNS),
            kernel_rows: get(pool::KERNEL_ROWS),
            pixel_step: address(pool::PIXEL_STEP),
            line_step: address(pool::LINE_STEP),
            column_step: steps.column,
            row_step: steps.row,
            tile_step: address(pool::IN_TILE_STEP),
            width: get(pool::WIDTH),
            height: get(pool::HEIGHT),
            x: get(pool::X),
            y: get(pool::Y),
            stride_x: get(pool::STRIDE_X),
            stride_y: get(pool::STRIDE_Y),
        };
        let kinds = [
            (Opcode::Sums, OutputKind::Sums),
            (Opcode::Add, OutputKind::Add),
            (Opcode::Pool, OutputKind::Pool),
        ];
        let kind = m.wire("output_kind", OutputKind::shape());
        kind.set(OutputKind::Requantise);
        for (opcode, output) in kinds {
            m.when(is(opcode), || kind.set(output));
        }
        let task = OutputTask {
            kind,
            accumulators: row(accumulators),
            source: is(Opcode::Pool).mux(start, address(requantise::PARAMETERS)),
            output: address(requantise::OUTPUT),
            columns: get(requantise::COLUMNS),
            rows: get(requantise::ROWS),
            tiles: is(Opcode::Add).mux(1, get(requantise::TILES)),
            column_step: address(requantise::COLUMN_STEP),
            row_step: address(requantise::ROW_STEP),
            tile_step: address(requantise::TILE_STEP),
            range: OutputRange {
                zero_point: get(requantise::ZERO_POINT),
                min: get(requantise::MIN),
                max: get(requantise::MAX),
            },
            addition,
            pooling,
        };
        m.connect(order.output, task);
        PrepareOut { busy: !state.is(PrepareState::Take) }
    }
}
