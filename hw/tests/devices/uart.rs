//! The UART.

use super::board::Board;
use ferrite_hw::map::uart::*;
use ferrite_hw::map::{Field, NamedValue};
use ferrite_hw::soc::Uart;

fn mask(field: Field) -> u32 {
    field.mask() as u32
}

fn board(cycles_per_bit: u32) -> Board {
    let mut board = Board::new(&Uart { cycles_per_bit }, REGION.base);
    board.poke("rx", 1);
    board.steps(3);
    board
}

/// The line from the other end, which need not be as fast as the UART believes.
struct Sender {
    cycles_per_bit: f64,
}

impl Sender {
    /// The levels of `bits`, the first lowest, on the line.
    fn levels(&self, board: &mut Board, count: u32, bits: u32) {
        let mut sent = 0;
        for k in 0..count {
            board.poke("rx", (bits >> k & 1).into());
            let end = ((f64::from(k) + 1.0) * self.cycles_per_bit).round() as u32;
            board.steps(end - sent);
            sent = end;
        }
        board.poke("rx", 1);
    }

    fn byte(&self, board: &mut Board, byte: u8) {
        self.levels(board, 10, 1 << 9 | u32::from(byte) << 1);
    }
}

fn sender(cycles_per_bit: u32) -> Sender {
    Sender { cycles_per_bit: cycles_per_bit.into() }
}

fn id(board: &mut Board) -> u32 {
    board.load(IIR) & 0xF
}

fn assert_interrupt(board: &mut Board, expected: NamedValue) {
    let asks = board.peek("interrupt");
    assert_eq!((id(board), asks), (expected.value, u64::from(expected != IIR_NONE)), "{expected:?}");
}

#[test]
fn registers_read_what_a_driver_expects_after_reset() {
    let mut board = board(300);
    let read = [IER, IIR, LCR, MCR, LSR, MSR, SCR].map(|register| board.load(register));
    assert_eq!(read, [0, 1, 3, 0, 0x60, 0xB0, 0]);
    board.store(LCR, 0x80);
    assert_eq!([DLL, DLM].map(|register| board.load(register)), [300 & 0xFF, 1]);
    // The divisor is fixed, and what stands behind it is not reached.
    board.store(DLL, 7);
    board.store(DLM, 7);
    assert_eq!([DLL, DLM].map(|register| board.load(register)), [300 & 0xFF, 1]);
    board.store(LCR, 0);
    assert_eq!([IER, LSR].map(|register| board.load(register)), [0, 0x60]);
}

#[test]
fn registers_keep_the_bits_that_they_have() {
    let mut board = board(4);
    for (register, kept, fixed) in [(IER, 0x0F, 0), (LCR, 0x40, 3), (MCR, 0x1F, 0), (SCR, 0xFF, 0)] {
        for value in [0xFF & !0x80, 0x55, 0xAA & !0x80, 0] {
            board.store(register, value);
            assert_eq!(board.load(register), value & kept | fixed, "{}", register.name);
        }
    }
    assert_eq!(board.load_at(8, 32), 0);
}

#[test]
fn bytes_are_received_at_any_length_of_a_bit_and_from_a_sender_that_is_not_as_fast() {
    for cycles_per_bit in [4, 5, 16, 27] {
        for speed in [0.97, 1.0, 1.03] {
            let mut board = board(cycles_per_bit);
            let sender = Sender { cycles_per_bit: f64::from(cycles_per_bit) * speed };
            for byte in [0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80, 0x7E] {
                sender.byte(&mut board, byte);
                board.steps(cycles_per_bit);
                assert_eq!(board.load(LSR), 0x61, "{cycles_per_bit} cycles, {speed}");
                assert_eq!(board.load(RBR), byte.into(), "{cycles_per_bit} cycles, {speed}");
                assert_eq!(board.load(LSR), 0x60);
            }
        }
    }
}

#[test]
fn frames_that_follow_each_other_at_once_fill_the_fifo() {
    for cycles_per_bit in [4, 7, 16] {
        let mut board = board(cycles_per_bit);
        board.store(FCR, mask(FCR_ENABLE));
        for byte in 0..16 {
            sender(cycles_per_bit).byte(&mut board, byte * 0x11);
        }
        board.steps(cycles_per_bit);
        for byte in 0..16 {
            assert_eq!(board.load(LSR), 0x61);
            assert_eq!(board.load(RBR), byte * 0x11);
        }
        assert_eq!(board.load(LSR), 0x60);
    }
}

#[test]
fn a_line_that_is_always_0_or_falls_for_less_than_half_a_bit_sends_nothing() {
    let mut board = Board::new(&Uart { cycles_per_bit: 8 }, REGION.base);
    board.poke("rx", 0);
    board.steps(500);
    assert_eq!(board.load(LSR), 0x60);
    board.poke("rx", 1);
    board.steps(20);
    board.poke("rx", 0);
    board.steps(3);
    board.poke("rx", 1);
    board.steps(100);
    assert_eq!(board.load(LSR), 0x60);
    sender(8).byte(&mut board, 0x3C);
    board.steps(8);
    assert_eq!(board.load(RBR), 0x3C);
}

#[test]
fn without_fifos_a_byte_too_many_replaces_the_one_before_and_is_told() {
    let mut board = board(4);
    for byte in [1, 2, 3] {
        sender(4).byte(&mut board, byte);
    }
    board.steps(4);
    assert_eq!(board.load(LSR), 0x60 | mask(LSR_DR) | mask(LSR_OE));
    assert_eq!(board.load(LSR), 0x61, "it is told once");
    assert_eq!(board.load(RBR), 3);
    assert_eq!(board.load(LSR), 0x60);
}

#[test]
fn with_fifos_a_byte_too_many_is_lost_and_is_told() {
    let mut board = board(4);
    board.store(FCR, mask(FCR_ENABLE));
    for byte in 0..18 {
        sender(4).byte(&mut board, byte);
    }
    board.steps(4);
    assert_eq!(board.load(LSR), 0x61 | mask(LSR_OE));
    let bytes: Vec<u32> = (0..16).map(|_| board.load(RBR)).collect();
    assert_eq!(bytes, (0..16).collect::<Vec<u32>>());
    assert_eq!(board.load(LSR), 0x60);
}

#[test]
fn bytes_without_a_stop_bit_are_told_when_they_are_the_oldest() {
    let mut board = board(4);
    board.store(FCR, mask(FCR_ENABLE));
    board.store(IER, mask(IER_ELSI));
    sender(4).byte(&mut board, 0x11);
    // No stop bit, then a line that is held for longer than a frame.
    sender(4).levels(&mut board, 10, 0x22 << 1);
    board.steps(8);
    sender(4).levels(&mut board, 13, 0);
    board.steps(8);
    sender(4).byte(&mut board, 0x44);
    board.steps(4);
    let more = mask(LSR_ERROR);
    assert_interrupt(&mut board, IIR_NONE);
    assert_eq!(board.load(LSR), 0x61 | more, "the oldest is right");
    assert_eq!(board.load(RBR), 0x11);
    assert_interrupt(&mut board, IIR_LINE);
    assert_eq!(board.load(LSR), 0x61 | more | mask(LSR_FE));
    assert_interrupt(&mut board, IIR_NONE);
    assert_eq!(board.load(LSR), 0x61 | more, "told once; the other waits");
    assert_eq!(board.load(RBR), 0x22);
    assert_interrupt(&mut board, IIR_LINE);
    assert_eq!(board.load(LSR), 0x61 | more | mask(LSR_FE) | mask(LSR_BI));
    assert_eq!(board.load(LSR), 0x61, "no error is left that has not been told");
    assert_eq!(board.load(RBR), 0);
    assert_eq!((board.load(LSR), board.load(RBR)), (0x61, 0x44));
    assert_eq!(board.load(LSR), 0x60);
}

#[test]
fn without_fifos_every_byte_interrupts_until_it_is_read() {
    let mut board = board(4);
    board.store(IER, mask(IER_ERBI));
    assert_interrupt(&mut board, IIR_NONE);
    sender(4).byte(&mut board, 9);
    board.steps(4);
    assert_interrupt(&mut board, IIR_RECEIVED);
    assert_eq!(board.load(RBR), 9);
    assert_interrupt(&mut board, IIR_NONE);
}

#[test]
fn with_fifos_as_many_bytes_interrupt_as_the_trigger_says() {
    for (code, level) in TRIGGER_LEVELS.into_iter().enumerate() {
        let mut board = board(4);
        board.store(FCR, mask(FCR_ENABLE) | (code as u32) << FCR_TRIGGER.lsb);
        board.store(IER, mask(IER_ERBI));
        for count in 1..=level {
            assert_interrupt(&mut board, IIR_NONE);
            sender(4).byte(&mut board, count as u8);
            board.steps(4);
        }
        assert_interrupt(&mut board, IIR_RECEIVED);
        assert_eq!(board.load(IIR), 0xC4, "the FIFOs are enabled");
        board.load(RBR);
        assert_interrupt(&mut board, IIR_NONE);
    }
}

#[test]
fn bytes_that_wait_for_four_frames_interrupt() {
    let mut board = board(4);
    board.store(FCR, mask(FCR_ENABLE) | 3 << FCR_TRIGGER.lsb);
    board.store(IER, mask(IER_ERBI));
    sender(4).byte(&mut board, 1);
    sender(4).byte(&mut board, 2);
    let received = board.cycles;
    while board.peek("interrupt") == 0 {
        board.step();
        assert!(board.cycles < received + 200);
    }
    let waited = board.cycles - received;
    assert!((155..=165).contains(&waited), "{waited} cycles");
    assert_interrupt(&mut board, IIR_TIMEOUT);
    assert_eq!(board.load(RBR), 1);
    assert_interrupt(&mut board, IIR_NONE);
    board.steps(165);
    assert_interrupt(&mut board, IIR_TIMEOUT);
    // A byte that comes starts the time again.
    sender(4).byte(&mut board, 3);
    board.steps(4);
    assert_interrupt(&mut board, IIR_NONE);
    assert_eq!([board.load(RBR), board.load(RBR)], [2, 3]);
    board.steps(200);
    assert_interrupt(&mut board, IIR_NONE);
}

#[test]
fn an_empty_transmitter_interrupts_until_that_is_read_or_a_byte_is_written() {
    let mut board = board(4);
    board.store(IER, mask(IER_ETBEI));
    assert_eq!(board.peek("interrupt"), 1);
    assert_interrupt(&mut board, IIR_EMPTY);
    assert_interrupt(&mut board, IIR_NONE);
    // Enabled once more.
    board.store(IER, 0);
    board.store(IER, mask(IER_ETBEI));
    assert_eq!(board.peek("interrupt"), 1);
    board.store(THR, 1);
    board.store(THR, 2);
    assert_eq!(board.peek("interrupt"), 0);
    board.steps(50);
    assert_interrupt(&mut board, IIR_EMPTY);
    assert_interrupt(&mut board, IIR_NONE);
}

/// The bytes on the line, until it has been idle for two frames.
fn sent(board: &mut Board, cycles_per_bit: u32) -> Vec<u8> {
    let (mut bytes, mut idle) = (Vec::new(), 0);
    while idle < 20 * cycles_per_bit {
        idle += 1;
        if board.peek("tx") == 0 {
            idle = 0;
            board.steps(cycles_per_bit / 2);
            let bits = (0..10).fold(0, |bits, k| {
                let level = board.peek("tx") as u32;
                if k < 9 {
                    board.steps(cycles_per_bit);
                }
                bits | level << k
            });
            assert_eq!(bits & 0x201, 0x200, "a start and a stop bit");
            bytes.push((bits >> 1) as u8);
        }
        board.step();
    }
    bytes
}

#[test]
fn sixteen_bytes_are_sent_from_the_fifo_and_one_is_held_without_it() {
    let mut board = board(64);
    board.store(FCR, mask(FCR_ENABLE));
    // The first leaves the FIFO at once; all are written during its start bit.
    for byte in 0..18 {
        board.store(THR, byte);
    }
    assert_eq!(board.load(LSR), 0);
    let bytes = sent(&mut board, 64);
    assert!(bytes.len() >= 16 && bytes.iter().copied().eq(0..bytes.len() as u8), "{bytes:?}");
    assert_eq!(board.load(LSR), 0x60);
    board.store(FCR, 0);
    for byte in [1, 2, 3] {
        board.store(THR, byte);
    }
    assert_eq!(sent(&mut board, 64), [1, 3]);
}

#[test]
fn fifos_can_be_emptied_each_alone() {
    let mut board = board(4);
    board.store(FCR, mask(FCR_ENABLE));
    sender(4).byte(&mut board, 7);
    board.steps(4);
    for byte in 0..8 {
        board.store(THR, byte);
    }
    board.store(FCR, mask(FCR_ENABLE) | mask(FCR_CLEAR_RX));
    assert_eq!(board.load(LSR), 0);
    board.store(FCR, mask(FCR_ENABLE) | mask(FCR_CLEAR_TX));
    assert_eq!(board.load(LSR), mask(LSR_THRE));
    board.steps(50);
    assert_eq!(board.load(LSR), 0x60);
    // Without the FIFOs the other bits do nothing; switching them empties them.
    board.store(FCR, 0);
    sender(4).byte(&mut board, 7);
    board.steps(4);
    board.store(FCR, mask(FCR_CLEAR_RX));
    assert_eq!(board.load(LSR), 0x61);
    board.store(FCR, mask(FCR_ENABLE));
    assert_eq!(board.load(LSR), 0x60);
}

#[test]
fn with_the_loop_the_uart_hears_itself_and_nobody_else() {
    let mut board = board(4);
    board.store(MCR, mask(MCR_LOOP) | 0b1010);
    assert_eq!(board.load(MSR), 0x90);
    board.store(MCR, mask(MCR_LOOP) | 0b0101);
    assert_eq!(board.load(MSR), 0x60);
    board.store(THR, 0x5A);
    board.poke("rx", 0);
    for _ in 0..60 {
        assert_eq!(board.peek("tx"), 1);
        board.step();
    }
    assert_eq!((board.load(LSR), board.load(RBR)), (0x61, 0x5A));
}

#[test]
fn a_break_holds_the_line() {
    let mut board = board(4);
    board.store(LCR, mask(LCR_BREAK));
    assert_eq!(board.peek("tx"), 0);
    board.store(LCR, 0);
    assert_eq!(board.peek("tx"), 1);
}

#[test]
fn loads_of_other_bytes_of_the_word_take_nothing() {
    let mut board = board(4);
    sender(4).byte(&mut board, 0x42);
    board.steps(4);
    assert_eq!((board.load(LCR), board.load(IER), board.load_at(4, 32) & 0xFF00), (3, 0, 0x6100));
    assert_eq!(board.load_at(0, 32), 0x0301_0042, "a word is all of its registers");
    assert_eq!(board.load(LSR), 0x60);
}
