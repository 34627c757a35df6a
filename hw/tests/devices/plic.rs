//! The interrupt controller.

use super::board::Board;
use ferrite_hw::map::plic::{CLAIM, ENABLE, PENDING, PRIORITY, REGION, THRESHOLD};
use ferrite_hw::soc::Plic;

const SOURCES: [u32; 3] = [1, 10, 31];

fn board() -> Board {
    Board::new(&Plic { sources: SOURCES.to_vec() }, REGION.base)
}

fn set_priority(board: &mut Board, source: u32, priority: u32) {
    board.store_at(PRIORITY.offset + 4 * source, 32, priority);
}

/// Sources of these priorities, all enabled, all lines up.
fn with_priorities(priorities: [u32; 3]) -> Board {
    let mut board = board();
    for (source, priority) in SOURCES.into_iter().zip(priorities) {
        set_priority(&mut board, source, priority);
    }
    board.store(ENABLE, u32::MAX);
    board.poke("lines", 0b111);
    board.steps(2);
    board
}

#[test]
fn registers_keep_what_is_written_and_there_is_nothing_where_there_is_no_source() {
    let mut board = board();
    for source in 0..32 {
        set_priority(&mut board, source, u32::MAX);
        let is_there = SOURCES.contains(&source);
        assert_eq!(
            board.load_at(PRIORITY.offset + 4 * source, 32),
            if is_there { 7 } else { 0 },
            "source {source}"
        );
    }
    board.store(ENABLE, u32::MAX);
    assert_eq!(board.load(ENABLE), 1 << 1 | 1 << 10 | 1 << 31);
    board.store_at(ENABLE.offset + 1, 8, 0);
    assert_eq!(board.load(ENABLE), 1 << 1 | 1 << 31, "only the bytes that are written change");
    board.store(THRESHOLD, 0xFFFF_FFFD);
    assert_eq!(board.load(THRESHOLD), 5);
    board.store(PENDING, u32::MAX);
    for offset in [PENDING.offset, 0x1004, 0x2004, 0x2080, 0x20_0008, 0x20_1000] {
        assert_eq!(board.load_at(offset, 32), 0, "{offset:#x}");
    }
}

#[test]
fn an_interrupt_is_claimed_completed_and_pending_again_while_its_line_is_up() {
    let mut board = board();
    set_priority(&mut board, 10, 1);
    board.store(ENABLE, 1 << 10);
    board.steps(3);
    assert_eq!((board.peek("external"), board.load(CLAIM)), (0, 0));
    board.poke("lines", 0b010);
    board.steps(2);
    assert_eq!((board.peek("external"), board.load(PENDING)), (1, 1 << 10));
    assert_eq!(board.load(CLAIM), 10);
    board.step();
    assert_eq!((board.peek("external"), board.load(PENDING), board.load(CLAIM)), (0, 0, 0));
    board.store(CLAIM, 1);
    assert_eq!(board.load(PENDING), 0, "another source was completed");
    board.store(CLAIM, 10 | 1 << 20);
    assert_eq!(board.load(PENDING), 0, "there is no such source");
    board.store_at(CLAIM.offset, 8, 10);
    assert_eq!(board.load(PENDING), 0, "the register is written as a word");
    board.store(CLAIM, 10);
    board.steps(2);
    assert_eq!((board.peek("external"), board.load(PENDING)), (1, 1 << 10));
    assert_eq!(board.load(CLAIM), 10);
    board.poke("lines", 0);
    board.store(CLAIM, 10);
    board.steps(3);
    assert_eq!((board.peek("external"), board.load(PENDING)), (0, 0));
}

#[test]
fn a_pending_interrupt_stays_when_its_line_falls() {
    let mut board = with_priorities([1, 0, 0]);
    board.poke("lines", 0);
    board.steps(3);
    assert_eq!((board.peek("external"), board.load(CLAIM)), (1, 1));
}

#[test]
fn the_most_urgent_is_claimed_first_and_the_lowest_number_among_equals() {
    for (priorities, order) in [
        ([1, 2, 3], [31, 10, 1]),
        ([3, 3, 3], [1, 10, 31]),
        ([2, 7, 2], [10, 1, 31]),
        ([0, 1, 0], [10, 0, 0]),
    ] {
        let mut board = with_priorities(priorities);
        let claimed = order.map(|_| board.load(CLAIM));
        assert_eq!(claimed, order, "{priorities:?}");
    }
}

#[test]
fn the_threshold_holds_interrupts_back_but_not_claims() {
    let mut board = with_priorities([2, 4, 0]);
    for (threshold, external) in [(0, 1), (3, 1), (4, 0), (7, 0)] {
        board.store(THRESHOLD, threshold);
        board.step();
        assert_eq!(board.peek("external"), external, "threshold {threshold}");
    }
    assert_eq!(board.load(CLAIM), 10);
}

#[test]
fn a_source_that_is_not_enabled_is_pending_but_neither_interrupts_nor_is_claimed_or_completed() {
    let mut board = with_priorities([5, 0, 0]);
    board.store(ENABLE, 0);
    board.step();
    assert_eq!((board.peek("external"), board.load(PENDING) & 2, board.load(CLAIM)), (0, 2, 0));
    board.store(ENABLE, 2);
    assert_eq!(board.load(CLAIM), 1);
    board.store(ENABLE, 0);
    board.store(CLAIM, 1);
    board.steps(2);
    assert_eq!(board.load(PENDING) & 2, 0);
}
