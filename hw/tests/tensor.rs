//! The tensor unit against the golden model: the same commands, the same values.

use ferrite_hdl::{Bits, elaborate};
use ferrite_hw::tensor::TensorUnit;
use ferrite_model::iss::{Coprocessor, Reading, Reply};
use ferrite_model::tensor::{self as model, TensorConfig, command};
use ferrite_sim::Sim;
use proptest::prelude::*;

/// A command as the core gives it.
type Command = (u32, u32, u32);

/// More cycles than any command takes with the sizes and row counts used here.
const LIMIT: u32 = 2_000;

/// The unit and its model side by side.
struct Bench {
    sim: Sim<TensorUnit>,
    model: model::TensorUnit,
}

impl Bench {
    fn new(config: TensorConfig) -> Bench {
        let TensorConfig { rows, cols, scratchpad_bytes, acc_rows } = config;
        let unit = TensorUnit { rows, cols, scratchpad_bytes, acc_rows };
        let sim = Sim::new(&unit).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Bench { sim, model: model::TensorUnit::new(config).unwrap() }
    }

    /// Gives a command to the unit and waits for its response.
    fn run(&mut self, (funct7, rs1, rs2): Command) -> u32 {
        let port = self.sim.i.coprocessor;
        self.sim.set(port.command.valid, 1);
        self.sim.set(port.command.funct7, funct7);
        self.sim.set(port.command.rs1, rs1);
        self.sim.set(port.command.rs2, rs2);
        self.wait_for(port.ready, "ready");
        self.sim.step();
        self.sim.set(port.command.valid, 0);
        self.wait_for(port.response.valid, "a response");
        self.sim.get(port.response.data) as u32
    }

    fn wait_for(&mut self, port: ferrite_sim::Port, what: &str) {
        let mut cycles = 0;
        while self.sim.get(port) == 0 {
            cycles += 1;
            assert!(cycles < LIMIT, "no {what} within {LIMIT} cycles");
            self.sim.step();
        }
    }

    /// Gives a command to both and compares what they answer.
    fn compare(&mut self, command: Command) {
        let value = self.run(command);
        let (expected, certain) = match self.model.command(command.0, command.1, command.2) {
            Reply::Nothing => (0, u32::MAX),
            Reply::Value(Reading::Exact(expected)) => (expected, u32::MAX),
            Reply::Value(Reading::Timing { value, uncertain }) => (value, !uncertain),
        };
        assert_eq!(value & certain, expected & certain, "answer to {command:x?}");
    }

    /// A cycle of reset, for the unit only.
    fn reset(&mut self) {
        let engine = self.sim.engine();
        let reset = engine.input("rst").unwrap();
        engine.poke(reset, &Bits::from_bool(true));
        engine.step(1).unwrap();
        engine.poke(reset, &Bits::from_bool(false));
    }

    /// Compares the memories, when all commands have finished.
    fn compare_memories(&mut self) {
        self.compare((command::FENCE, 0, 0));
        let word_bytes = self.memory_bytes("scratchpad.words");
        let scratchpad: Vec<u8> = self.model.scratchpad().iter().map(|byte| *byte as u8).collect();
        assert!(word_bytes == scratchpad, "the scratchpads differ");
        let sums = self.memory_bytes("accumulators.sums");
        let rows = (0..self.model.config().acc_rows).filter_map(|row| self.model.accumulator_row(row));
        let expected: Vec<u8> = rows.flatten().flat_map(|sum| sum.to_le_bytes()).collect();
        assert!(sums == expected, "the accumulators differ");
    }

    fn memory_bytes(&mut self, path: &str) -> Vec<u8> {
        let engine = self.sim.engine();
        let memory = engine.flat().memories.iter().position(|m| m.path.ends_with(path)).unwrap();
        let (depth, width) = (engine.flat().memories[memory].depth, engine.flat().memories[memory].width);
        let bytes = |word: Bits| {
            (0..width / 8).map(move |k| word.slice(8 * k, 8).low_u64() as u8).collect::<Vec<_>>()
        };
        (0..depth).flat_map(|word| bytes(engine.read_memory(memory, word))).collect()
    }

    /// Fills the whole scratchpad.
    fn fill(&mut self, seed: u32) {
        let mut word = seed | 1;
        let mut next = || {
            word ^= word << 13;
            word ^= word >> 17;
            word ^= word << 5;
            word
        };
        for _ in 0..self.model.config().scratchpad_bytes / 8 {
            self.compare((command::WRITE, next(), next()));
        }
    }
}

fn sizes(rows: u32, cols: u32) -> TensorConfig {
    TensorConfig { rows, cols, scratchpad_bytes: 4 << 10, acc_rows: 16 }
}

/// Numbers at the edges of fields, and any.
fn edgy() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        Just(u32::MAX),
        Just(i32::MIN as u32),
        Just(i32::MAX as u32),
        (0u32..32).prop_map(|bit| 1 << bit),
        0u32..5000,
        any::<u32>(),
    ]
}

/// Commands of which most are right.
fn commands(config: TensorConfig) -> impl Strategy<Value = Command> {
    let TensorConfig { rows, cols, scratchpad_bytes, acc_rows } = config;
    let address = move |unit: u32| {
        prop_oneof![
            20 => (0..scratchpad_bytes / unit / 2).prop_map(move |k| k * unit),
            1 => (0..=scratchpad_bytes / unit).prop_map(move |k| k * unit),
            1 => 0..scratchpad_bytes,
        ]
    };
    let walk = move || {
        let few = (0..acc_rows, 0..7u32).prop_map(move |(first, count)| (first.min(acc_rows - 6), count));
        let any = (0..acc_rows + 2, 0..acc_rows + 2);
        prop_oneof![10 => few, 1 => any].prop_map(|(first, count)| count << 16 | first)
    };
    let column = move || prop_oneof![30 => 0..cols, 1 => edgy()];
    // Sums of a few products come into the range of int8 with a scale around 2^-10.
    let shift = prop_oneof![10 => 30..44u32, 2 => 1..63u32, 1 => Just(0), 1 => Just(63)];
    let multiplier = prop_oneof![10 => 1 << 30..=i32::MAX as u32, 1 => edgy()];
    let scale = (column(), shift, multiplier)
        .prop_map(|(column, shift, multiplier)| (command::SCALE, shift << 16 | column & 0xFFFF, multiplier));
    let wide_range =
        any::<u8>().prop_map(|zero_point| (command::OUTPUT, 0x7F_8000 | u32::from(zero_point), 0));
    let bias = prop_oneof![4 => (-100_000i32..100_000).prop_map(|bias| bias as u32), 1 => edgy()];
    prop_oneof![
        3 => address(4).prop_map(|address| (command::ADDR, address & !4, 0)),
        1 => address(4).prop_map(|address| (command::ADDR, address, 0)),
        6 => (any::<u32>(), any::<u32>()).prop_map(|(low, high)| (command::WRITE, low, high)),
        2 => Just((command::READ, 0, 0)),
        3 => (0..5u32, 0..5u32).prop_map(move |(act, out)| (command::STRIDE, act * rows, out * cols)),
        2 => wide_range,
        1 => (0..1u32 << 24).prop_map(|fields| (command::OUTPUT, fields, 0)),
        4 => (column(), bias).prop_map(|(column, bias)| (command::BIAS, column, bias)),
        12 => scale,
        6 => address(cols).prop_map(|address| (command::WEIGHTS, address, 0)),
        6 => (address(rows), walk()).prop_map(|(address, walk)| (command::MATMUL, address, walk)),
        6 => (address(rows), walk()).prop_map(|(address, walk)| (command::MATMUL_ACC, address, walk)),
        6 => (address(cols), walk()).prop_map(|(address, walk)| (command::REQUANT, address, walk)),
        1 => Just((command::STATUS, 0, 0)),
        1 => Just((command::FENCE, 0, 0)),
        3 => (0..7u32).prop_map(|index| (command::COUNTER, index, 0)),
        6 => Just((command::CLEAR, 0, 0)),
        1 => (0..128u32, edgy(), edgy()),
    ]
}

/// Commands of which most are wrong, each followed by the status and a new start.
fn wrong_commands(config: TensorConfig) -> impl Strategy<Value = Command> {
    let TensorConfig { rows, cols, scratchpad_bytes, acc_rows } = config;
    let near = move |limit: u32| (0..64u32).prop_map(move |k| limit.wrapping_sub(32).wrapping_add(k));
    let operand = move || {
        let walk = (near(acc_rows), 0..acc_rows + 2).prop_map(|(a, b)| (b << 16) | (a & 0xFFFF));
        let strides = (0..20u32).prop_map(move |k| k * rows.max(cols));
        prop_oneof![edgy(), near(scratchpad_bytes), near(0), near(cols), near(65_536), walk, strides]
    };
    let funct7 = prop_oneof![12 => 0..0x24u32, 1 => 0..128u32];
    (funct7, operand(), operand())
}

#[test]
fn every_shape_elaborates_without_a_mistake() {
    for rows in [4, 8, 16, 32] {
        for cols in [4, 8, 16, 32] {
            let unit = TensorUnit { rows, cols, scratchpad_bytes: 4 << 10, acc_rows: 16 };
            if let Err(mistakes) = elaborate(&unit) {
                panic!("{rows}x{cols}: {mistakes}");
            }
        }
    }
}

#[test]
fn the_largest_memories_elaborate_without_a_mistake() {
    let unit = TensorUnit { rows: 4, cols: 32, scratchpad_bytes: 1 << 20, acc_rows: 65_536 };
    if let Err(mistakes) = elaborate(&unit) {
        panic!("{mistakes}");
    }
}

/// One tile, some rows and their outputs; small enough for the largest array on the interpreter.
fn one_tile(config: TensorConfig) -> Vec<Command> {
    let TensorConfig { rows, cols, .. } = config;
    let mut random = 12_345u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random.rotate_left(16)
    };
    let (activations, outputs) = (rows * cols, 2 * rows * cols);
    let mut commands = vec![(command::OUTPUT, 0x7F_8003, 0)];
    commands.extend((0..rows * (cols + 4) / 8).map(|_| (command::WRITE, next(), next())));
    for column in 0..cols {
        commands.push((command::BIAS, column, next() % 5000));
        commands.push((command::SCALE, 38 << 16 | column, next() >> 1));
    }
    commands.push((command::WEIGHTS, 0, 0));
    commands.push((command::MATMUL, activations, 4 << 16 | 3));
    commands.push((command::MATMUL_ACC, activations, 3 << 16 | 4));
    commands.push((command::REQUANT, outputs, 5 << 16 | 3));
    commands
}

#[test]
fn every_shape_multiplies_and_requantises_as_the_model() {
    for rows in [4, 8, 16, 32] {
        for cols in [4, 8, 16, 32] {
            let config = sizes(rows, cols);
            let mut bench = Bench::new(config);
            for command in one_tile(config) {
                bench.compare(command);
            }
            bench.compare_memories();
            assert!(bench.model.scratchpad()[(2 * rows * cols) as usize..].iter().any(|out| *out != 0));
        }
    }
}

const BUSY: u32 = 1;

#[test]
fn the_status_is_answered_at_once_while_commands_wait() {
    let mut bench = Bench::new(sizes(4, 4));
    bench.run((command::MATMUL, 0, 16 << 16));
    for column in 0..4 {
        bench.run((command::BIAS, column, 1));
    }
    let port = bench.sim.i.coprocessor;
    bench.sim.set(port.command.valid, 1);
    bench.sim.set(port.command.funct7, command::BIAS);
    assert_eq!(bench.sim.get(port.ready), 0, "the queue is full");
    let before = bench.sim.engine().cycle();
    assert_eq!(bench.run((command::STATUS, 0, 0)), BUSY);
    assert_eq!(bench.sim.engine().cycle() - before, 1);
    assert_eq!(bench.run((command::FENCE, 0, 0)), 0);
    assert_eq!(bench.run((command::STATUS, 0, 0)), 0);
}

#[test]
fn cycles_are_counted_for_what_executes() {
    let mut bench = Bench::new(sizes(8, 4));
    let counter = |bench: &mut Bench, index| bench.run((command::COUNTER, index, 0));
    bench.run((command::CLEAR, 0, 0));
    for _ in 0..2 {
        bench.run((command::WEIGHTS, 0, 0));
    }
    bench.run((command::MATMUL, 0, 10 << 16));
    bench.run((command::REQUANT, 1024, 12 << 16));
    let cycles: Vec<u32> = (0..3).map(|index| counter(&mut bench, index)).collect();
    // At least a cycle for each row, and less than twice the way through the array on top.
    for (cycles, rows) in cycles.into_iter().zip([2 * 8, 10, 12]) {
        assert!((rows..rows + 24).contains(&cycles), "{cycles} cycles for {rows} rows");
    }
    let before = counter(&mut bench, 3);
    bench.sim.engine().step(100).unwrap();
    let between = counter(&mut bench, 3) - before;
    assert!((100..104).contains(&between), "{between} idle cycles of 100");
}

#[test]
fn a_reset_restores_the_settings_and_leaves_the_memories() {
    let config = sizes(4, 8);
    let mut bench = Bench::new(config);
    let keeps =
        [(command::WRITE, 0x0102_0304, 0x0506_0708), (command::WEIGHTS, 0, 0), (command::MATMUL, 0, 1 << 16)];
    for command in keeps {
        bench.compare(command);
    }
    let forgotten = [
        (command::STRIDE, 64, 64),
        (command::OUTPUT, 0x7F_8005, 0),
        (command::BIAS, 1, 1000),
        (command::SCALE, 5 << 16 | 1, 1 << 20),
        (command::ADDR, 4, 0),
        (command::WRITE, 0, 0),
    ];
    for command in forgotten {
        bench.run(command);
    }
    assert_ne!(bench.run((command::FENCE, 0, 0)), 0, "the last command is refused");
    bench.reset();
    bench.model.command(command::CLEAR, 0, 0);
    let probes = [
        (command::FENCE, 0, 0),
        (command::COUNTER, 5, 0),
        (command::READ, 0, 0),
        (command::REQUANT, 1024, 2 << 16),
        (command::OUTPUT, 0x7F_8000, 0),
        (command::REQUANT, 2048, 2 << 16),
        (command::MATMUL, 0, 2 << 16),
    ];
    for command in probes {
        bench.compare(command);
    }
    bench.compare_memories();
}

#[test]
fn a_reset_ends_what_is_executing() {
    let mut bench = Bench::new(sizes(4, 4));
    bench.fill(1);
    let matmul = (command::MATMUL, 0, 16 << 16);
    for command in [(command::STRIDE, 4, 4), (command::WEIGHTS, 64, 0)] {
        bench.compare(command);
    }
    for command in [matmul, (command::REQUANT, 0, 16 << 16)] {
        bench.run(command);
        bench.sim.engine().step(12).unwrap();
        assert_eq!(bench.run((command::STATUS, 0, 0)), BUSY);
        bench.reset();
        assert_eq!(bench.run((command::STATUS, 0, 0)), 0);
        bench.run((command::FENCE, 0, 0));
    }
    // What was half done is done again in full.
    bench.compare((command::REQUANT, 0, 16 << 16));
    bench.compare(matmul);
    bench.compare_memories();
}

/// `R` = 8, `C` = 4, `SP` = 4096, `ACC` = 16. For each command operands at the edges of its rules, and the cause that the command
/// reference gives, 0 for none.
const EDGES: &[(u32, u32, u32, u32)] = &[
    (command::COUNTER, 5, 0, 0),
    (command::COUNTER, 6, 0, 2),
    (command::COUNTER, 1 << 31, 0, 2),
    (command::ADDR, 4092, 0, 0),
    (command::ADDR, 4096, 0, 4),
    (command::ADDR, 4094, 0, 3),
    (command::ADDR, 4097, 0, 3),
    (command::ADDR, 1 << 31, 0, 4),
    (command::STRIDE, 65_528, 65_532, 0),
    (command::STRIDE, 65_536, 0, 2),
    (command::STRIDE, 0, 1 << 31, 2),
    (command::STRIDE, 65_537, 1, 2),
    (command::STRIDE, 4, 0, 3),
    (command::STRIDE, 0, 2, 3),
    (command::OUTPUT, 0xFF_FFFF, 0, 0),
    (command::BIAS, 3, 0, 0),
    (command::BIAS, 4, 0, 4),
    (command::BIAS, 1 << 16, 0, 4),
    (command::BIAS, 1 << 31, 0, 4),
    (command::SCALE, 62 << 16 | 3, 0x7FFF_FFFF, 0),
    (command::SCALE, 1 << 16, 0, 0),
    (command::SCALE, 0, 0, 2),
    (command::SCALE, 63 << 16, 0, 2),
    (command::SCALE, 1 << 16, 0x8000_0000, 2),
    (command::SCALE, 1 << 16 | 4, 0, 4),
    (command::SCALE, 1 << 16 | 0x8000, 0, 4),
    (command::SCALE, 0xFFFF, 0, 2),
    (command::WEIGHTS, 4064, 0, 0),
    (command::WEIGHTS, 4068, 0, 4),
    (command::WEIGHTS, 4066, 0, 3),
    (command::WEIGHTS, 0xFFFF_FFFC, 0, 4),
    (command::MATMUL, 4088, 1 << 16 | 15, 0),
    (command::MATMUL, 4088, 15, 0),
    (command::MATMUL, 4080, 2 << 16 | 14, 0),
    (command::MATMUL, 4088, 2 << 16, 4),
    (command::MATMUL, 4096, 0, 4),
    (command::MATMUL, 0, 16, 4),
    (command::MATMUL, 0, 16 << 16, 0),
    (command::MATMUL, 0, 17 << 16, 4),
    (command::MATMUL, 0, 2 << 16 | 15, 4),
    (command::MATMUL, 4, 16, 3),
    (command::MATMUL, 0xFFFF_FFF8, 0, 4),
    (command::MATMUL, 0xFFFF_FFF8, 2 << 16, 4),
    (command::MATMUL_ACC, 0, 16 << 16, 0),
    (command::MATMUL_ACC, 0, 17 << 16, 4),
    (command::MATMUL_ACC, 4, 0, 3),
    (command::REQUANT, 4092, 15, 0),
    (command::REQUANT, 4088, 2 << 16 | 14, 0),
    (command::REQUANT, 4092, 2 << 16, 4),
    (command::REQUANT, 0, 17 << 16, 4),
    (command::REQUANT, 4094, 16, 3),
    (command::REQUANT, 0xFFFF_FFFC, 2 << 16, 4),
    (0x04, 0, 0, 1),
    (0x0B, 0, 0, 1),
    (0x24, 0, 0, 1),
    (0x48, 0, 0, 1),
    (0x7F, 0, 0, 1),
];

#[test]
fn every_rule_holds_at_its_edges_and_gives_its_cause() {
    let mut bench = Bench::new(sizes(8, 4));
    let reserved_of_output = (24..32).map(|bit| (command::OUTPUT, 1 << bit, 0, 2));
    let reserved_of_scale = (22..32).map(|bit| (command::SCALE, 1 << bit | 1 << 16, 0, 2));
    for (funct7, rs1, rs2, cause) in EDGES.iter().copied().chain(reserved_of_output).chain(reserved_of_scale)
    {
        bench.compare((command::CLEAR, 0, 0));
        bench.compare((funct7, rs1, rs2));
        let error = if cause == 0 { 0 } else { funct7 << 16 | cause << 8 | 1 << 1 };
        let status = bench.run((command::FENCE, 0, 0));
        assert_eq!(status, error, "status after command {funct7:#x} of {rs1:#x}, {rs2:#x}");
    }
    bench.compare_memories();
}

#[test]
fn each_walk_is_judged_by_its_own_stride() {
    let mut bench = Bench::new(sizes(8, 4));
    let two_rows = 2 << 16;
    for (act, out, matmul, requant) in [(64, 4, 4088 - 64, 4088), (8, 64, 4080, 4092 - 64)] {
        for (funct7, last, unit) in [(command::MATMUL, matmul, 8), (command::REQUANT, requant, 4)] {
            for (address, cause) in [(last, 0), (last + unit, 4)] {
                bench.compare((command::CLEAR, 0, 0));
                bench.compare((command::STRIDE, act, out));
                bench.compare((funct7, address, two_rows));
                assert_eq!(bench.run((command::FENCE, 0, 0)) >> 8 & 0xFF, cause, "{funct7:#x} at {address}");
            }
        }
    }
}

#[test]
fn the_first_error_stays_and_what_follows_is_ignored() {
    let mut bench = Bench::new(sizes(8, 4));
    let ignored = [
        (command::WRITE, 1, 2),
        (0x7F, 0, 0),
        (command::BIAS, 9, 0),
        (command::MATMUL, 0, 1 << 16),
        (command::READ, 0, 0),
        (command::COUNTER, 5, 0),
        (command::COUNTER, 9, 0),
    ];
    for command in
        [(command::WRITE, 3, 4), (command::ADDR, 4, 0), (command::WRITE, 5, 6)].into_iter().chain(ignored)
    {
        bench.compare(command);
    }
    // `t.write` at a pointer that is no multiple of 8.
    assert_eq!(bench.run((command::FENCE, 0, 0)), command::WRITE << 16 | 3 << 8 | 1 << 1);
    for command in
        [(command::CLEAR, 0, 0), (command::READ, 0, 0), (command::READ, 0, 0), (command::READ, 0, 0)]
    {
        bench.compare(command);
    }
    bench.compare_memories();
}

/// Runs random commands of one configuration.
fn run_random(config: TensorConfig, seed: u32, commands: &[Command]) {
    let mut bench = Bench::new(config);
    bench.fill(seed);
    for command in commands {
        bench.compare(*command);
    }
    bench.compare_memories();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_commands_give_the_models_values_on_a_square_array(
        seed in any::<u32>(), commands in prop::collection::vec(commands(sizes(4, 4)), 100..400)
    ) {
        run_random(sizes(4, 4), seed, &commands);
    }

    #[test]
    fn random_commands_give_the_models_values_on_a_tall_array(
        seed in any::<u32>(), commands in prop::collection::vec(commands(sizes(16, 4)), 100..300)
    ) {
        run_random(sizes(16, 4), seed, &commands);
    }

    #[test]
    fn random_commands_give_the_models_values_on_a_wide_array(
        seed in any::<u32>(), commands in prop::collection::vec(commands(sizes(4, 16)), 100..300)
    ) {
        run_random(sizes(4, 16), seed, &commands);
    }

    #[test]
    fn wrong_commands_change_nothing_but_the_status(
        commands in prop::collection::vec(wrong_commands(sizes(8, 4)), 200..400)
    ) {
        let mut bench = Bench::new(sizes(8, 4));
        for command in commands {
            bench.compare(command);
            bench.compare((command::FENCE, 0, 0));
            if bench.model.error().is_some() {
                bench.compare((command::CLEAR, 0, 0));
            }
        }
        bench.compare_memories();
    }
}
