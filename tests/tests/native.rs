//! The whole chip on the native engine, compared with the interpreter; and how soon it is ready.

use std::time::{Duration, Instant};

use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{RAM_BASE, exit};
use ferrite_hw::soc::Soc;
use ferrite_model::isa::{Asm, reg::*};
use ferrite_model::iss::memory_map::EXTERNAL_BASE;
use ferrite_nn::lists::{Command, Convolve, Loop, Requantise, Transfer};
use ferrite_sim::{Interpreter, KeptSignals, Native, NativeOptions, Simulator};
use ferrite_tests::bench::{self, small_chip};

/// Loads weights and activations, multiplies, adds, requantises and stores, then ends.
fn tensor_program() -> Vec<u8> {
    let unit = small_chip().tensor.expect("a chip with a tensor unit");
    let [rows, cols] = [unit.rows, unit.cols];
    let run = |local, bytes| Transfer {
        external: EXTERNAL_BASE,
        local,
        bytes,
        runs: Loop::ONCE,
        repetitions: Loop::ONCE,
    };
    let convolve = |accumulate| {
        Command::Convolve(Convolve {
            act: 256,
            weights: if accumulate { rows * cols } else { 0 },
            accumulators: 0,
            accumulate,
            zero_point: 5,
            out: [3, 4],
            in_tiles: 1,
            out_tiles: 1,
            kernel: [1, 1],
            image: [3, 3],
            first: [0, 0],
            stride: [1, 1],
            dilation: [1, 1],
            pixel_step: rows,
            line_step: 3 * rows,
            in_tile_step: 0,
        })
    };
    let requantise = Command::Requantise(Requantise {
        parameters: 128,
        output: 512,
        accumulators: 0,
        out: [3, 4],
        tiles: 1,
        column_step: 8,
        row_step: 24,
        tile_step: 0,
        zero_point: 3,
        range: (-128, 127),
    });
    let commands = [
        Command::Load(run(0, 160)),
        Command::Load(run(256, 64)),
        convolve(false),
        convolve(true),
        requantise,
        Command::Store(run(512, 96)),
    ];

    let mut asm = Asm::new(RAM_BASE);
    asm.t_clear();
    asm.li(A1, 12345);
    asm.li(A2, 1103515245);
    asm.li(T0, 20);
    asm.li(T1, EXTERNAL_BASE as i32);
    let fill = asm.here("fill");
    asm.mul(A1, A1, A2);
    asm.addi(A1, A1, 1013);
    asm.sw(A1, 0, T1);
    asm.addi(T1, T1, 8);
    asm.addi(T0, T0, -1);
    asm.bnez(T0, fill);
    for pair in commands.iter().flat_map(Command::encode).collect::<Vec<u32>>().chunks(2) {
        asm.li(A0, pair[0] as i32);
        asm.li(A1, pair[1] as i32);
        asm.t_push(A0, A1);
    }
    asm.t_fence(A0);
    asm.li(T5, exit::PASS.value as i32);
    asm.li(T6, exit::REGION.base as i32);
    asm.sw(T5, 0, T6);
    let forever = asm.local_here();
    asm.j(forever);
    asm.finish().expect("a correct program").bytes
}

#[test]
fn every_signal_of_the_chip_is_the_interpreters_in_every_cycle() {
    let design = bench::design(&small_chip());
    let mut want = Interpreter::new(&design);
    let mut got =
        Native::new(&design, &NativeOptions { signals: KeptSignals::All, ..NativeOptions::default() })
            .expect("it can be compiled");
    let words = design.flat.memories.iter().position(|memory| memory.path == Soc::RAM_WORDS).expect("a RAM");
    for (k, word) in (0u32..).zip(tensor_program().chunks(4)) {
        let mut bytes = [0; 4];
        bytes[..word.len()].copy_from_slice(word);
        let word = ferrite_hdl::Bits::from_u64(32, u32::from_le_bytes(bytes).into());
        want.write_memory(words, k, &word);
        got.write_memory(words, k, &word);
    }
    let reset = want.input("rst").expect("a chip has a reset");
    let exit = want.output("exit_valid").expect("a chip has an exit device");
    let mut ended = false;
    for cycle in 0..2500 {
        let is_reset = ferrite_hdl::Bits::from_bool(cycle == 0);
        want.poke(reset, &is_reset);
        got.poke(reset, &is_reset);
        for k in 0..design.flat.signals.len() {
            let (want, got) = (want.peek_signal(k), got.peek_signal(k));
            assert_eq!(want, got, "cycle {cycle}: {}", design.flat.signal_path(k));
        }
        ended |= got.peek(exit).is_nonzero();
        assert_eq!(want.step(1), got.step(1));
    }
    assert!(ended, "the program ends in time");
}

#[test]
fn the_default_chip_is_ready_in_half_a_second_and_the_largest_in_two() {
    for (size, limit) in [(16, 500), (32, 2000)] {
        let mut chip = ChipConfig::default();
        let tensor = chip.tensor.get_or_insert_default();
        (tensor.rows, tensor.cols) = (size, size);
        let design = bench::design(&chip);
        let start = Instant::now();
        Native::new(&design, &NativeOptions::default()).expect("it can be compiled");
        let took = start.elapsed();
        println!("{size} x {size}: {took:?}");
        assert!(took < Duration::from_millis(limit), "{size} x {size}: {took:?}");
    }
}
