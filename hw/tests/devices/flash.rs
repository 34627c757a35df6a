//! The reader for flash memories.

use super::board::{Board, Flash};
use ferrite_hw::map::FLASH_BASE;
use ferrite_hw::soc::FlashReader;

const BYTES: u32 = 1 << 20;
/// Cycles of a command with its address, and of a word.
const WORD_CYCLES: u32 = 64;
/// Cycles of an access beside those: to look, to select the memory, to answer.
const OVERHEAD: u32 = 6;
/// Cycles that the memory is deselected.
const PAUSE: u32 = 8;

/// Anything, but the same in every run.
fn byte(address: u32) -> u8 {
    (address.wrapping_mul(0x9E37_79B9) >> 21) as u8
}

fn word(address: u32) -> u32 {
    u32::from_le_bytes([0, 1, 2, 3].map(|k| byte(address + k)))
}

fn board() -> Board {
    let mut board = Board::new(&FlashReader { bytes: BYTES }, FLASH_BASE);
    board.attach(Flash::new((0..BYTES).map(byte).collect()), "");
    board
}

/// Reads a word and gives the cycles that it took.
fn read(board: &mut Board, bus: &str, address: u32) -> u32 {
    let (data, cycles) = board.access(bus, FLASH_BASE + address, 0xF, None).unwrap();
    assert_eq!(data, word(address), "{address:#x}");
    cycles
}

#[test]
fn words_at_any_address_are_read_for_both_ports() {
    let mut board = board();
    for (k, address) in
        [0, 4, 0x40, 0xF_FFFC, 0x1234 & !3, 8, 0x8_0000, 0x7_FFFC, 0x7_FFF0].into_iter().enumerate()
    {
        let cycles = read(&mut board, ["data", "fetch"][k % 2], address);
        assert!(cycles <= 2 * WORD_CYCLES + PAUSE + OVERHEAD, "{cycles}");
    }
}

#[test]
fn words_that_follow_each_other_need_one_command_and_their_bits_alone() {
    let mut board = board();
    let start = board.cycles;
    for k in 0..64 {
        read(&mut board, "fetch", 0x100 + 4 * k);
    }
    assert_eq!(board.flash().commands, 1);
    let cycles = (board.cycles - start) as u32;
    assert!(cycles < 65 * WORD_CYCLES + 64 * OVERHEAD, "{cycles}");
}

#[test]
fn the_line_is_read_to_its_end_and_kept() {
    let mut board = board();
    read(&mut board, "data", 0x204);
    board.steps(3 * WORD_CYCLES);
    for address in [0x208, 0x20C, 0x204, 0x208] {
        assert_eq!(read(&mut board, "data", address), 2);
    }
    assert_eq!(board.flash().commands, 1);
    // What stands before the first word has not been read.
    assert!(read(&mut board, "data", 0x200) > 2 * WORD_CYCLES);
    assert_eq!(board.flash().commands, 2);
}

#[test]
fn the_memory_is_clocked_no_further_than_the_lines_end() {
    let mut board = board();
    read(&mut board, "data", 0x300);
    board.steps(1000);
    assert_eq!(board.flash().bits_read(), 4 * 32);
}

#[test]
fn behind_the_last_word_the_first_needs_a_command_of_its_own() {
    let mut board = board();
    for address in [BYTES - 8, BYTES - 4, 0, 4] {
        read(&mut board, "fetch", address);
        board.steps(2 * WORD_CYCLES);
    }
    assert_eq!(board.flash().commands, 2);
}

#[test]
fn a_word_elsewhere_ends_what_is_under_way_at_any_moment() {
    for delay in 0..300 {
        let mut board = board();
        read(&mut board, "fetch", 0x400);
        board.steps(delay);
        let cycles = read(&mut board, "data", 0x800);
        assert!(cycles <= 2 * WORD_CYCLES + PAUSE + OVERHEAD, "{cycles}");
        read(&mut board, "fetch", 0x404);
    }
}

#[test]
fn ports_that_ask_at_once_are_both_answered_the_load_first() {
    let mut board = board();
    for (fetched, loaded) in [(0x100, 0x900), (0x104, 0x104), (0x900, 0x90C), (0x10, 0x14)] {
        board.ask("fetch", FLASH_BASE + fetched);
        board.ask("data", FLASH_BASE + loaded);
        board.step();
        board.poke("fetch_request_valid", 0);
        board.poke("data_request_valid", 0);
        let mut order = Vec::new();
        while order.len() < 2 {
            for (bus, address) in [("data", loaded), ("fetch", fetched)] {
                if board.peek(&format!("{bus}_response_valid")) == 1 {
                    assert_eq!(board.peek(&format!("{bus}_response_data")), word(address).into());
                    order.push(bus);
                }
            }
            board.step();
            assert!(board.cycles < 5000);
        }
        assert_eq!(order, ["data", "fetch"]);
    }
}
