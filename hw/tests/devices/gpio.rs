//! General-purpose pins.

use super::board::Board;
use ferrite_hw::map::gpio::*;
use ferrite_hw::soc::Gpio;

fn board(pins: u32) -> Board {
    Board::new(&Gpio { pins }, REGION.base)
}

#[test]
fn registers_keep_a_bit_for_every_pin() {
    for pins in [1, 5, 32] {
        let mut board = board(pins);
        let all = u32::MAX >> (32 - pins);
        for register in [OUT, OUT_ENABLE, RISE, FALL] {
            assert_eq!(board.load(register), 0);
            board.store(register, u32::MAX);
            assert_eq!(board.load(register), all, "{}", register.name);
            board.store_at(register.offset, 8, 0);
            assert_eq!(board.load(register), all & !0xFF, "only the bytes that are written change");
        }
        assert_eq!([SET, CLEAR, TOGGLE].map(|register| board.load(register)), [0; 3]);
        assert_eq!(board.load_at(0x24, 32), 0);
    }
}

#[test]
fn outputs_are_set_cleared_and_turned_over() {
    let mut board = board(12);
    board.store(OUT_ENABLE, 0x0F0);
    board.store(OUT, 0x3C5);
    assert_eq!((board.peek("out"), board.peek("out_enable")), (0x3C5, 0x0F0));
    board.store(SET, 0x002);
    assert_eq!(board.peek("out"), 0x3C7);
    board.store(CLEAR, 0x0C1);
    assert_eq!(board.peek("out"), 0x306);
    board.store(TOGGLE, 0xFFFF_FFFF);
    assert_eq!((board.peek("out"), board.load(OUT)), (0xCF9, 0xCF9));
    board.store_at(TOGGLE.offset + 1, 8, 0x0F);
    assert_eq!(board.peek("out"), 0x3F9);
}

#[test]
fn inputs_are_seen_through_two_registers() {
    let mut board = board(8);
    board.poke("pins", 0xA5);
    board.step();
    assert_eq!(board.load(IN), 0);
    assert_eq!(board.load(IN), 0xA5);
}

#[test]
fn edges_that_are_asked_for_interrupt_until_they_are_cleared() {
    let mut board = board(8);
    board.poke("pins", 0b0011);
    board.steps(4);
    assert_eq!((board.load(PENDING), board.peek("interrupt")), (0, 0), "nobody asks");
    board.store(RISE, 0b0110);
    board.store(FALL, 0b0011);
    board.steps(4);
    assert_eq!(board.load(PENDING), 0, "levels are no edges");
    board.poke("pins", 0b1110);
    board.steps(4);
    assert_eq!(
        (board.load(PENDING), board.peek("interrupt")),
        (0b0101, 1),
        "0 fell and 2 rose; 3 rose unasked"
    );
    board.store(PENDING, 0b0001);
    assert_eq!((board.load(PENDING), board.peek("interrupt")), (0b0100, 1));
    board.store(PENDING, 0b0100);
    assert_eq!((board.load(PENDING), board.peek("interrupt")), (0, 0));
    board.poke("pins", 0b0001);
    board.steps(4);
    assert_eq!(board.load(PENDING), 0b0010, "1 fell; 0 rose and 2 fell unasked");
}

#[test]
fn an_edge_in_the_cycle_in_which_it_is_cleared_is_not_lost() {
    for delay in 0..6 {
        let mut board = board(1);
        board.store(RISE, 1);
        board.poke("pins", 1);
        board.steps(delay);
        board.store(PENDING, 1);
        board.steps(4);
        assert_eq!(board.load(PENDING), u32::from(delay <= 2), "cleared {delay} cycles behind the edge");
    }
}
