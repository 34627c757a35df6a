//! The whole chip on the native engine, compared with the interpreter; and how soon it is ready.

use std::time::{Duration, Instant};

use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{RAM_BASE, exit};
use ferrite_hw::soc::Soc;
use ferrite_model::isa::{Asm, reg::*};
use ferrite_sim::{Interpreter, KeptSignals, Native, NativeOptions, Simulator};
use ferrite_tests::bench::{self, small_chip};

/// Fills a part of the scratchpad, loads weights, multiplies, adds and requantises, then ends.
fn tensor_program() -> Vec<u8> {
    let mut asm = Asm::new(RAM_BASE);
    asm.t_clear();
    asm.li(A1, 12345);
    asm.li(A2, 1103515245);
    asm.li(T0, 40);
    let fill = asm.here("fill");
    asm.mul(A1, A1, A2);
    asm.addi(A1, A1, 1013);
    asm.xor(A3, A1, T0);
    asm.t_write(A3, A1);
    asm.addi(T0, T0, -1);
    asm.bnez(T0, fill);
    asm.li(A0, 0);
    asm.t_weights(A0);
    asm.li(A1, 12 << 16);
    asm.li(A4, 64);
    asm.t_matmul(A4, A1);
    asm.t_weights(A4);
    asm.t_matmul_acc(A0, A1);
    asm.li(A5, 0x7f8003);
    asm.t_output(A5);
    asm.li(A6, 9 << 16 | 1);
    asm.li(A7, 12345678);
    asm.t_scale(A6, A7);
    asm.t_requant(A4, A1);
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
    for cycle in 0..1200 {
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
