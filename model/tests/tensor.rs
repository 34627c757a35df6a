//! The functional tensor unit against its document, and against plain arithmetic.

use ferrite_model::isa::{Asm, reg::*};
use ferrite_model::iss::{
    Coprocessor, HartConfig, Iss, Machine, MachineConfig, Reading, Reply, memory_map::RAM_BASE,
};
use ferrite_model::kernels::{Multiplier, requantize};
use ferrite_model::tensor::{Cause, TensorConfig, TensorConfigError, TensorUnit, command::*};
use proptest::prelude::*;

const SMALL: TensorConfig = TensorConfig { rows: 4, cols: 8, scratchpad_bytes: 4096, acc_rows: 16 };

fn unit() -> TensorUnit {
    TensorUnit::new(SMALL).expect("sizes in range")
}

fn value(reply: Reply) -> u32 {
    match reply {
        Reply::Value(reading) => reading.value(),
        Reply::Nothing => panic!("a command that returns a value returned none"),
    }
}

fn write_bytes(unit: &mut TensorUnit, address: u32, bytes: &[i8]) {
    unit.command(ADDR, address, 0);
    for eight in bytes.chunks(8) {
        let mut padded = [0; 8];
        for (place, &byte) in padded.iter_mut().zip(eight) {
            *place = byte as u8;
        }
        let word = u64::from_le_bytes(padded);
        unit.command(WRITE, word as u32, (word >> 32) as u32);
    }
}

/// The error that one command leaves in a fresh unit's status word.
fn error_of(funct7: u32, rs1: u32, rs2: u32) -> u32 {
    let mut unit = unit();
    unit.command(funct7, rs1, rs2);
    let status = value(unit.command(FENCE, 0, 0));
    assert_eq!(status, unit.status());
    if status != 0 {
        assert_eq!((status & 3, status >> 16), (2, funct7), "busy clear, error set, funct7 of the command");
    }
    status >> 8 & 0xFF
}

#[test]
fn sizes_outside_of_their_ranges_are_refused() {
    let bad = TensorConfig { rows: 12, ..SMALL };
    let error = TensorConfigError { parameter: "rows", value: 12, min: 4, max: 32 };
    assert_eq!(TensorUnit::new(bad).err(), Some(error));
    assert!(TensorUnit::new(TensorConfig { acc_rows: 8, ..SMALL }).is_err());
    assert!(TensorUnit::new(TensorConfig { scratchpad_bytes: 2 << 20, ..SMALL }).is_err());
}

#[test]
fn each_broken_rule_gives_its_cause() {
    let rows = |count: u32, first: u32| count << 16 | first;
    // Commands that the table does not have.
    for funct7 in [0x04, 0x07, 0x0B, 0x14, 0x24, 0x7F] {
        assert_eq!(error_of(funct7, 0, 0), 1, "{funct7:#x}");
    }
    for (funct7, rs1, rs2, cause) in [
        (COUNTER, 5, 0, 0),
        (COUNTER, 6, 0, 2),
        (OUTPUT, 0x00FF_FFFF, 0, 0),
        (OUTPUT, 0x0100_0000, 0, 2),
        (SCALE, 7 | 62 << 16, 0x7FFF_FFFF, 0),
        (SCALE, 63 << 16, 0, 2),
        (SCALE, 0, 0, 2),
        (SCALE, 1 << 22 | 1 << 16, 0, 2),
        (SCALE, 1 << 16, 0x8000_0000, 2),
        (SCALE, 8 | 1 << 16, 0, 4),
        (SCALE, 8, 0, 2),
        (BIAS, 7, 0, 0),
        (BIAS, 8, 0, 4),
        (BIAS, 0x1_0000, 0, 4),
        (ADDR, 4092, 0, 0),
        (ADDR, 4096, 0, 4),
        (ADDR, 4097, 0, 3),
        (STRIDE, 0, 0, 0),
        (STRIDE, 65_532, 65_528, 0),
        (STRIDE, 65_536, 8, 2),
        (STRIDE, 65_537, 8, 2),
        (STRIDE, 4, 65_536, 2),
        (STRIDE, 2, 8, 3),
        (STRIDE, 4, 4, 3),
        (WEIGHTS, 4064, 0, 0),
        (WEIGHTS, 4072, 0, 4),
        (WEIGHTS, 4060, 0, 3),
        (WEIGHTS, 0xFFFF_FFF8, 0, 4),
        (MATMUL, 0, rows(16, 0), 0),
        (MATMUL, 0, rows(16, 1), 4),
        (MATMUL, 0, rows(0, 16), 4),
        (MATMUL, 0, rows(0, 15), 0),
        (MATMUL, 2, rows(1, 0), 3),
        (MATMUL, 4096, rows(0, 0), 4),
        (MATMUL, 4088, rows(2, 0), 0),
        (MATMUL_ACC, 4088, rows(3, 0), 4),
        (REQUANT, 4080, rows(2, 0), 0),
        (REQUANT, 4080, rows(3, 0), 4),
        (REQUANT, 4, rows(1, 0), 3),
        (REQUANT, 4, rows(100, 0), 3),
    ] {
        assert_eq!(error_of(funct7, rs1, rs2), cause, "{funct7:#x} {rs1:#x} {rs2:#x}");
    }
}

#[test]
fn writing_at_half_a_word_is_misaligned_and_writes_nothing() {
    let mut unit = unit();
    unit.command(ADDR, 4, 0);
    unit.command(WRITE, u32::MAX, u32::MAX);
    assert_eq!(unit.error(), Some((Cause::Alignment, WRITE)));
    assert!(unit.scratchpad().iter().all(|&byte| byte == 0));
}

#[test]
fn after_an_error_commands_are_ignored_until_it_is_cleared() {
    let mut unit = unit();
    write_bytes(&mut unit, 0, &[1, 2, 3, 4, 5, 6, 7, 8]);
    unit.command(ADDR, 0, 0);
    unit.command(BIAS, 99, 0);
    unit.command(0x7F, 0, 0);
    assert_eq!(unit.error(), Some((Cause::Outside, BIAS)), "the first error is kept");
    assert_eq!(unit.command(READ, 0, 0), Reply::Value(Reading::Exact(0)));
    unit.command(WRITE, 0, 0);
    assert_eq!(value(unit.command(COUNTER, 5, 0)), 8);
    assert_eq!(value(unit.command(STATUS, 0, 0)), BIAS << 16 | 4 << 8 | 2);
    unit.command(CLEAR, 0, 0);
    assert_eq!(value(unit.command(FENCE, 0, 0)), 0);
    assert_eq!(value(unit.command(READ, 0, 0)), 0x0403_0201, "the pointer is 0 and nothing was overwritten");
    assert_eq!(value(unit.command(COUNTER, 5, 0)), 0);
}

#[test]
fn the_host_pointer_wraps_at_the_end_of_the_scratchpad() {
    let mut unit = unit();
    unit.command(ADDR, 4088, 0);
    unit.command(WRITE, 1, 2);
    unit.command(WRITE, 3, 4);
    unit.command(ADDR, 4092, 0);
    assert_eq!([(); 3].map(|()| value(unit.command(READ, 0, 0))), [2, 3, 4]);
}

#[test]
fn a_product_has_the_document_s_layout() {
    let mut unit = unit();
    // Weight [k][c] is 10 * k + c; the row (1, 0, 0, -1) picks row 0 less row 3.
    let tile: Vec<i8> = (0..4).flat_map(|k| (0..8).map(move |c| 10 * k + c)).collect();
    write_bytes(&mut unit, 64, &tile);
    write_bytes(&mut unit, 0, &[1, 0, 0, -1, 0, 1, 0, 0]);
    unit.command(WEIGHTS, 64, 0);
    unit.command(MATMUL, 0, 2 << 16 | 3);
    assert_eq!(unit.accumulator_row(3), Some(&[-30; 8][..]));
    assert_eq!(unit.accumulator_row(4), Some(&[10, 11, 12, 13, 14, 15, 16, 17][..]));
    unit.command(MATMUL_ACC, 0, 1 << 16 | 4);
    assert_eq!(unit.accumulator_row(4), Some(&[-20, -19, -18, -17, -16, -15, -14, -13][..]));
    unit.command(MATMUL, 0, 1 << 16 | 4);
    assert_eq!(unit.accumulator_row(4), Some(&[-30; 8][..]), "the old sums are replaced");
    assert_eq!(value(unit.command(COUNTER, 4, 0)), 4 * 4 * 8);
    assert_eq!(unit.accumulator_row(16), None);
}

#[test]
fn rows_are_a_stride_apart() {
    let mut unit = unit();
    write_bytes(&mut unit, 64, &[1; 32]);
    write_bytes(&mut unit, 0, &[1, 1, 1, 1, 9, 9, 9, 9, 2, 2, 2, 2]);
    unit.command(STRIDE, 8, 16);
    unit.command(WEIGHTS, 64, 0);
    unit.command(MATMUL, 0, 2 << 16);
    for column in 0..8 {
        unit.command(SCALE, column | 1 << 16, 2);
    }
    unit.command(OUTPUT, 0x7F_80_00, 0);
    unit.command(REQUANT, 512, 2 << 16);
    assert_eq!(unit.scratchpad()[512..536], [[4i8; 8], [0; 8], [8; 8]].concat());
}

#[test]
fn outputs_are_clamped_after_the_zero_point_and_sums_wrap_with_the_bias() {
    let out = |bias: i32, shift: u32, multiplier: u32, output: u32| {
        let mut unit = unit();
        unit.command(BIAS, 0, bias as u32);
        unit.command(SCALE, shift << 16, multiplier);
        unit.command(OUTPUT, output, 0);
        unit.command(REQUANT, 0, 1 << 16);
        assert_eq!(unit.error(), None);
        unit.scratchpad()[0]
    };
    let fields =
        |zero_point: i8, min: i8, max: i8| u32::from_le_bytes([zero_point as u8, min as u8, max as u8, 0]);
    // 3/2 and -3/2: halves go up.
    assert_eq!((out(3, 1, 1, fields(0, -128, 127)), out(-3, 1, 1, fields(0, -128, 127))), (2, -1));
    assert_eq!(out(100, 1, 2, fields(50, -128, 127)), 127);
    assert_eq!(out(100, 1, 2, fields(-50, -128, 127)), 50);
    assert_eq!(out(100, 1, 2, fields(-50, -128, 20)), 20);
    assert_eq!(out(i32::MIN, 1, 0x7FFF_FFFF, fields(0, -7, 127)), -7);
    // The lower clamp is looked at first.
    assert_eq!(out(0, 1, 2, fields(0, 5, -5)), 5);
    // At reset every clamp is 0.
    assert_eq!(out(100, 1, 2, 0), 0);
}

#[test]
fn a_program_drives_the_unit_with_instructions() {
    let mut asm = Asm::new(RAM_BASE);
    asm.t_addr(ZERO);
    asm.li(A0, 0x0403_0201);
    asm.t_write(A0, ZERO);
    asm.t_addr(ZERO);
    asm.t_read(A1);
    asm.t_bias(A0, ZERO);
    asm.t_fence(A2);
    asm.t_status(A3);
    asm.t_other(0x55, A4, ZERO, ZERO);
    let program = asm.finish().expect("a correct program");
    let mut machine = Machine::with_tensor(MachineConfig::default(), unit());
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    let mut iss = Iss::new(machine, HartConfig { reset_pc: RAM_BASE, ..HartConfig::default() });
    iss.set_register(A4, 77);
    iss.run(program.bytes.len() as u64 / 4);
    assert_eq!(iss.register(A1), 0x0403_0201);
    assert_eq!((iss.register(A2), iss.register(A3)), (0x0012_0402, 0x0012_0402));
    assert_eq!(iss.register(A4), 77, "a command that returns nothing leaves rd alone");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_tile_product_with_requantisation_equals_plain_arithmetic(
        rows_log2 in 2u32..6, cols_log2 in 2u32..6, count in 1usize..8, seed: u64,
        shift in 1u32..=62, multiplier in 0u32..1 << 31, bias: i32, output in 0u32..1 << 24,
    ) {
        let (inputs, cols) = (1usize << rows_log2, 1usize << cols_log2);
        let config = TensorConfig {
            rows: inputs as u32, cols: cols as u32, scratchpad_bytes: 4096, acc_rows: 16,
        };
        let mut unit = TensorUnit::new(config).expect("sizes in range");
        let mut state = seed;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as i8
        };
        let tile: Vec<i8> = (0..inputs * cols).map(|_| byte()).collect();
        let activations: Vec<i8> = (0..inputs * count).map(|_| byte()).collect();
        write_bytes(&mut unit, 0, &tile);
        write_bytes(&mut unit, 1024, &activations);
        unit.command(WEIGHTS, 0, 0);
        unit.command(MATMUL, 1024, (count as u32) << 16);
        unit.command(BIAS, 1, bias as u32);
        unit.command(SCALE, 1 | shift << 16, multiplier);
        unit.command(OUTPUT, output, 0);
        unit.command(REQUANT, 2048, (count as u32) << 16);
        prop_assert_eq!(unit.error(), None);
        let [zero_point, min, max, _] = output.to_le_bytes().map(|byte| i64::from(byte as i8));
        for row in 0..count {
            let sum: i64 = (0..inputs)
                .map(|k| i64::from(activations[row * inputs + k]) * i64::from(tile[k * cols + 1]))
                .sum();
            let scale = Multiplier { q31: multiplier as i32, exponent: 31 - shift as i32 };
            let y = requantize((sum as i32).wrapping_add(bias), scale) + zero_point;
            let expected = if y < min { min } else if y > max { max } else { y };
            prop_assert_eq!(i64::from(unit.scratchpad()[2048 + row * cols + 1]), expected);
        }
    }

    #[test]
    fn no_sequence_of_commands_makes_the_unit_panic(
        commands in prop::collection::vec((0u32..0x28, 0u32..0x2000, any::<u32>(), any::<bool>()), 0..50),
    ) {
        let mut unit = unit();
        for (funct7, rs1, rs2, aligned) in commands {
            let (rs1, rs2) = if aligned { (rs1 & !31, rs2 & 0x000F_0007) } else { (rs1, rs2) };
            unit.command(funct7, rs1, rs2);
            if unit.error().is_some() {
                prop_assert_eq!(value(unit.command(READ, 0, 0)), 0);
                unit.command(CLEAR, 0, 0);
            }
        }
        prop_assert_eq!(unit.error(), None);
    }
}
