//! The tensor unit as the core sees it: instructions, command lists, the interrupt, and its place at the memory beside the core.

#[path = "../unit/lists/generate.rs"]
mod generate;
mod instructions;
#[path = "../harness/random.rs"]
mod random;
#[allow(dead_code)]
#[path = "../unit/record.rs"]
mod record;
mod rig;
#[allow(dead_code)]
#[path = "../unit/lists/state.rs"]
mod state;

use random::Random;
use record::{Record, Transfer};
use rig::{MEMORY_BYTES, Rig, config, funct7};

const SMALL: [u32; 5] = [4, 4, 4 << 10, 16, 128];

/// Widths of the port.
const PORTS: [u32; 4] = [32, 64, 128, 256];

fn error(status: u32) -> bool {
    status >> 1 & 1 == 1
}

fn cause(status: u32) -> u32 {
    status >> 8 & 0xFF
}

fn with_port(data_bits: u32) -> [u32; 5] {
    [4, 4, 4 << 10, 16, data_bits]
}

fn bytes(count: u32, random: &mut Random) -> Vec<u8> {
    (0..count).map(|_| random.word() as u8).collect()
}

/// A list that copies `bytes` from `from` to `to` in parts, through the scratchpad.
fn copies(from: u32, to: u32, parts: u32) -> Vec<Record> {
    (0..parts)
        .flat_map(|k| {
            let [from, to] = [from, to].map(|start| start + 8 * k);
            [Transfer::run(from, 16 * k, 8).load(), Transfer::run(to, 16 * k, 8).store()]
        })
        .collect()
}

#[test]
fn a_list_is_fetched_through_ports_of_all_widths() {
    let mut random = Random::new(1);
    for data_bits in PORTS {
        for stall in [None, Some(random.word())] {
            let mut rig = Rig::new(config(with_port(data_bits)), stall);
            let data = bytes(80, &mut random);
            rig.write(0, &data);
            rig.place(0x1FC0, &copies(0, 0x4000, 10));
            rig.instruction(funct7::RUN, 0x1FC0, 20);
            let status = rig.fence();
            assert_eq!(status, 0, "{data_bits} bits");
            assert_eq!(rig.read(0x4000, 80), data, "{data_bits} bits");
            assert_eq!(rig.instruction(funct7::INFO, 0, 0), 20, "commands are counted");
        }
    }
}

#[test]
fn pushed_commands_and_lists_take_effect_in_order() {
    let mut random = Random::new(2);
    for data_bits in PORTS {
        let mut rig = Rig::new(config(with_port(data_bits)), Some(random.word()));
        let data = bytes(16, &mut random);
        rig.write(0, &data);
        // Two lists and two pushed commands, each of which moves on what the one before has moved.
        rig.place(0x2000, &[Transfer::run(0x400, 0, 16).load(), Transfer::run(0x500, 0, 16).store()]);
        rig.place(0x3000, &[Transfer::run(0x600, 0, 16).load(), Transfer::run(0x700, 0, 16).store()]);
        rig.push(&Transfer::run(0, 0, 16).load());
        rig.push(&Transfer::run(0x400, 0, 16).store());
        rig.instruction(funct7::RUN, 0x2000, 2);
        rig.push(&Transfer::run(0x500, 64, 16).load());
        rig.push(&Transfer::run(0x600, 64, 16).store());
        rig.instruction(funct7::RUN, 0x3000, 2);
        rig.instruction(funct7::RUN, 0x3000, 0);
        assert_eq!(rig.fence(), 0);
        assert_eq!(rig.read(0x700, 16), data);
        assert_eq!(rig.instruction(funct7::INFO, 0, 0), 8);
    }
}

#[test]
fn more_lists_than_can_wait_hold_the_core_and_are_all_done() {
    let mut rig = Rig::new(config(SMALL), None);
    rig.place(0x2000, &copies(0, 0x4000, 4));
    for _ in 0..12 {
        rig.instruction(funct7::RUN, 0x2000, 8);
    }
    assert_eq!(rig.fence(), 0);
    assert_eq!(rig.instruction(funct7::INFO, 0, 0), 96);
}

#[test]
fn instructions_that_break_a_rule_are_told_behind_errors_before_them() {
    let good = Transfer::run(0, 0, 16).load();
    let misaligned = Transfer::run(0, 3, 16).load();
    for (funct7, rs1, rs2, expected) in [
        (funct7::RUN, 0x2020, 1, 3),
        (funct7::RUN, 0xFFFF_FFC0, 2, 4),
        (funct7::RUN, 0, u32::MAX, 4),
        (funct7::INTERRUPT, 4, 0, 2),
        (8, 0, 0, 1),
        (127, 0, 0, 1),
    ] {
        let mut rig = Rig::new(config(SMALL), None);
        rig.push(&good);
        rig.instruction(funct7, rs1, rs2);
        let status = rig.fence();
        assert!(error(status) && cause(status) == expected, "{funct7}: {status:#x}");
        assert_eq!(rig.instruction(funct7::INFO, 0, 0), 1, "one command was accepted before");
        // What comes later is dropped.
        rig.push(&good);
        rig.place(0x2000, &[good; 3]);
        rig.instruction(funct7::RUN, 0x2000, 3);
        assert_eq!(rig.fence(), status);
        assert_eq!(rig.instruction(funct7::INFO, 0, 0), 1);

        let mut rig = Rig::new(config(SMALL), None);
        rig.push(&good);
        rig.push(&misaligned);
        rig.instruction(funct7, rs1, rs2);
        let status = rig.fence();
        assert!(error(status) && cause(status) == 3, "{funct7}: {status:#x}: the command's error came first");
    }
    // Half a command, and then a list.
    let mut rig = Rig::new(config(SMALL), None);
    rig.instruction(funct7::PUSH, good[0], good[1]);
    rig.instruction(funct7::RUN, 0x2000, 1);
    assert_eq!(cause(rig.fence()), 2);
}

#[test]
fn a_list_that_cannot_be_fetched_stops_the_unit_behind_the_commands_before_it() {
    let mut random = Random::new(3);
    for data_bits in PORTS {
        for stall in [None, Some(random.word())] {
            let mut rig = Rig::new(config(with_port(data_bits)), stall);
            let data = bytes(80, &mut random);
            rig.write(0, &data);
            rig.place(0x2000, &copies(0, 0x4000, 10));
            // The seventh command.
            rig.fail(0x2000 + 6 * 64 + 32, 4);
            rig.instruction(funct7::RUN, 0x2000, 20);
            rig.instruction(funct7::RUN, 0x2000, 2);
            let status = rig.fence();
            assert!(error(status) && cause(status) == 7, "{data_bits} bits: {status:#x}");
            assert_eq!(rig.instruction(funct7::INFO, 0, 0), 6);
            assert_eq!(rig.instruction(funct7::INFO, 1, 0), 0x2000 + 6 * 64);
            let mut expected = data[..24].to_vec();
            expected.resize(80, 0);
            assert_eq!(rig.read(0x4000, 80), expected, "{data_bits} bits");
        }
    }
    // Where there is no memory at all.
    let mut rig = Rig::new(config(SMALL), None);
    rig.instruction(funct7::RUN, MEMORY_BYTES, 2);
    assert_eq!(cause(rig.fence()), 7);
    assert_eq!(rig.instruction(funct7::INFO, 1, 0), MEMORY_BYTES);
}

#[test]
fn the_status_word_is_busy_until_all_is_done() {
    let mut rig = Rig::new(config(SMALL), None);
    assert_eq!(rig.instruction(funct7::STATUS, 0, 0), 0);
    rig.place(0x2000, &copies(0, 0x4000, 4));
    rig.instruction(funct7::RUN, 0x2000, 8);
    assert_eq!(rig.instruction(funct7::STATUS, 0, 0), 1);
    let mut polls = 0;
    while rig.instruction(funct7::STATUS, 0, 0) == 1 {
        polls += 1;
    }
    assert!(polls > 50, "a poll takes two cycles, and the list hundreds: {polls}");
    assert_eq!(rig.instruction(funct7::INFO, 0, 0), 8, "all is done when it is not busy");
}

#[test]
fn the_interrupt_is_up_while_what_is_enabled_holds() {
    let mut rig = Rig::new(config(SMALL), None);
    let wait = |rig: &mut Rig| (0..3).for_each(|_| rig.sim.step());
    wait(&mut rig);
    assert!(!rig.interrupt(), "nothing is enabled after reset");
    rig.instruction(funct7::INTERRUPT, 1, 0);
    wait(&mut rig);
    assert!(rig.interrupt(), "the unit is idle");
    rig.place(0x2000, &copies(0, 0x4000, 4));
    rig.instruction(funct7::RUN, 0x2000, 8);
    wait(&mut rig);
    assert!(!rig.interrupt(), "it is not");
    rig.fence();
    wait(&mut rig);
    assert!(rig.interrupt());
    rig.instruction(funct7::INTERRUPT, 2, 0);
    wait(&mut rig);
    assert!(!rig.interrupt(), "no error stands");
    rig.instruction(funct7::RUN, 1, 1);
    rig.fence();
    wait(&mut rig);
    assert!(rig.interrupt(), "one does");
    rig.instruction(funct7::INTERRUPT, 0, 0);
    wait(&mut rig);
    assert!(!rig.interrupt());
}

#[test]
fn the_core_reads_and_writes_the_memory_beside_the_unit() {
    let mut random = Random::new(4);
    for data_bits in PORTS {
        let mut rig = Rig::new(config(with_port(data_bits)), Some(random.word()));
        let mut expected = bytes(256, &mut random);
        rig.write(0x100, &expected);
        rig.place(0x2000, &copies(0x800, 0x4000, 30));
        for k in 0..200 {
            if k % 20 == 0 {
                rig.instruction(funct7::RUN, 0x2000, 60);
            }
            let at = random.below(64) as usize * 4;
            let word = u32::from_le_bytes(expected[at..at + 4].try_into().unwrap());
            assert_eq!(rig.access(0x100 + at as u32, None), Some(word));
            let (data, mask) = (random.word(), random.below(16));
            assert!(rig.access(0x100 + at as u32, Some((data, mask))).is_some());
            for (byte, new) in data.to_le_bytes().into_iter().enumerate() {
                if mask >> byte & 1 == 1 {
                    expected[at + byte] = new;
                }
            }
        }
        assert_eq!(rig.read(0x100, 256), expected, "{data_bits} bits");
        assert_eq!(rig.fence(), 0);
        rig.fail(0x200, 16);
        assert_eq!(rig.access(0x204, None), None);
        assert_eq!(rig.access(0x208, Some((0, 15))), None);
        assert_eq!(rig.access(MEMORY_BYTES, None), None);
        assert!(rig.access(0x220, None).is_some());
    }
}
