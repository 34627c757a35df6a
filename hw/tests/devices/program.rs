//! Programs on chips with all devices.

use super::board::{Board, Flash};
use ferrite_hw::config::{ChipConfig, CoreConfig};
use ferrite_hw::map::{FLASH_BASE, RAM_BASE, Region, exit, gpio, plic, user};
use ferrite_hw::soc::Soc;
use ferrite_model::isa::{Asm, csr, reg::*};
use ferrite_model::iss::{Interrupt, cause};

const MSTATUS_MIE: i32 = 1 << 3;

/// A small chip with all devices.
fn chip() -> ChipConfig {
    let mut chip = ChipConfig { core: CoreConfig::SMALL, tensor: None, ..ChipConfig::default() };
    chip.core.mtval = true;
    chip.soc.ram_bytes = 16 << 10;
    (chip.soc.gpio_pins, chip.soc.user_bytes, chip.soc.flash_bytes) = (8, 64 << 10, 1 << 20);
    assert_eq!(chip.validate(), Ok(()));
    chip
}

fn user_port() -> Region {
    let chip = chip();
    user(chip.soc.user_base, chip.soc.user_bytes)
}

fn program(base: u32, write: impl FnOnce(&mut Asm)) -> Vec<u8> {
    let mut asm = Asm::new(base);
    write(&mut asm);
    asm.finish().expect("a correct program").bytes
}

/// Ends the run with the exit code in `a0`.
fn finish(asm: &mut Asm) {
    asm.slli(A0, A0, 16);
    asm.li(T5, exit::FAIL.value as i32);
    asm.or(A0, A0, T5);
    asm.li(T6, exit::REGION.base as i32);
    asm.sw(A0, 0, T6);
    let forever = asm.local_here();
    asm.j(forever);
}

/// Lets a source of the interrupt controller interrupt, which leads to `handler`.
fn enable(asm: &mut Asm, source: u32) {
    asm.li(T0, (plic::REGION.base + 4 * source) as i32);
    asm.li(T1, 1);
    asm.sw(T1, 0, T0);
    asm.li(T0, (plic::REGION.base + plic::ENABLE.offset) as i32);
    asm.li(T1, 1 << source);
    asm.sw(T1, 0, T0);
    asm.li(T0, Interrupt::External.bit() as i32);
    asm.csrw(csr::MIE, T0);
    asm.li(T0, MSTATUS_MIE);
    asm.csrs(csr::MSTATUS, T0);
}

/// Runs until the program ends; gives its exit code.
fn run(board: &mut Board, mut each_cycle: impl FnMut(&mut Board)) -> u64 {
    while board.peek("exit_valid") == 0 {
        each_cycle(board);
        board.step();
        assert!(board.cycles < 100_000, "the program does not end");
    }
    board.peek("exit_code")
}

#[test]
fn a_program_answers_a_pins_edge_by_interrupt() {
    let mut board = Board::new(&Soc { chip: chip() }, 0);
    board.load_ram(&program(RAM_BASE, |asm| {
        let (handler, main) = (asm.local(), asm.local());
        asm.la(T0, handler);
        asm.csrw(csr::MTVEC, T0);
        asm.li(S0, gpio::REGION.base as i32);
        asm.li(S1, (plic::REGION.base + plic::CLAIM.offset) as i32);
        asm.li(A0, 0);
        asm.j(main);
        asm.bind(handler);
        asm.lw(A1, 0, S1);
        asm.lw(A2, gpio::PENDING.offset as i32, S0);
        asm.sw(A2, gpio::PENDING.offset as i32, S0);
        asm.sw(A2, gpio::SET.offset as i32, S0);
        asm.sw(A1, 0, S1);
        asm.slli(A0, A1, 8);
        asm.or(A0, A0, A2);
        asm.mret();
        asm.bind(main);
        asm.li(T0, 0xF0);
        asm.sw(T0, gpio::OUT_ENABLE.offset as i32, S0);
        asm.sw(T0, gpio::RISE.offset as i32, S0);
        enable(asm, gpio::REGION.interrupt.unwrap());
        let wait = asm.local_here();
        asm.beqz(A0, wait);
        finish(asm);
    }));
    let code = run(&mut board, |board| {
        if board.cycles == 200 {
            assert_eq!((board.peek("gpio_out"), board.peek("gpio_out_enable")), (0, 0xF0));
            board.poke("gpio_in", 0x2F);
        }
    });
    assert_eq!((code, board.peek("gpio_out")), (12 << 8 | 0x20, 0x20));
}

/// A user's peripheral: a memory of 16 words; `SLVERR` behind it, `DECERR` from 0x8000 on. Its interrupt line is bit 0 of the first word.
#[derive(Default)]
struct Peripheral {
    words: [u32; 16],
    read: Option<u32>,
    write: Option<u32>,
}

impl Peripheral {
    fn cycle(&mut self, board: &mut Board) {
        let response = |address: u32| match address - user_port().base {
            0..=0x3F => 0,
            0x40..=0x7FFF => 2,
            _ => 3,
        };
        board.poke("user_arready", 1);
        board.poke("user_awready", 1);
        board.poke("user_wready", 1);
        for (channel, address) in [("r", self.read.take()), ("b", self.write.take())] {
            board.poke(&format!("user_{channel}valid"), address.is_some().into());
            board.poke(&format!("user_{channel}resp"), address.map_or(0, response));
        }
        board.poke("user_interrupt", (self.words[0] & 1).into());
        if board.peek("user_arvalid") == 1 {
            let address = board.peek("user_araddr") as u32;
            self.read = Some(address);
        }
        if board.peek("user_awvalid") == 1 {
            assert_eq!(board.peek("user_wvalid"), 1, "both are offered at once");
            let address = board.peek("user_awaddr") as u32;
            if response(address) == 0 {
                assert_eq!(board.peek("user_wstrb"), 0xF);
                self.words[address as usize / 4 % 16] = board.peek("user_wdata") as u32;
            }
            self.write = Some(address);
        }
        let data = self.read.map_or(0, |address| self.words[address as usize / 4 % 16]);
        self.next_data(board, data);
    }

    /// Data stand with the response, one cycle on: they are driven from the request on.
    fn next_data(&self, board: &mut Board, data: u32) {
        if self.read.is_some() {
            board.poke("user_rdata", data.into());
        }
    }
}

#[test]
fn a_program_uses_a_users_peripheral_and_its_errors_are_access_faults() {
    let faults = [0x40, 0x7FFC, 0x8000, 0xFFFC];
    let mut board = Board::new(&Soc { chip: chip() }, 0);
    board.load_ram(&program(RAM_BASE, |asm| {
        let (handler, main, fault) = (asm.local(), asm.local(), asm.local());
        asm.la(T0, handler);
        asm.csrw(csr::MTVEC, T0);
        asm.li(S0, user_port().base as i32);
        asm.li(S1, 0);
        asm.li(S2, 0);
        asm.li(S3, (plic::REGION.base + plic::CLAIM.offset) as i32);
        asm.j(main);
        asm.bind(handler);
        asm.csrr(T5, csr::MCAUSE);
        asm.bgez(T5, fault);
        asm.lw(S2, 0, S3);
        asm.sw(ZERO, 0, S0);
        asm.sw(S2, 0, S3);
        asm.mret();
        // Counts the faults whose address is right.
        asm.bind(fault);
        asm.csrr(T5, csr::MTVAL);
        asm.xor(T5, T5, T4);
        asm.seqz(T5, T5);
        asm.add(S1, S1, T5);
        asm.csrr(T5, csr::MEPC);
        asm.addi(T5, T5, 4);
        asm.csrw(csr::MEPC, T5);
        asm.mret();
        asm.bind(main);
        for k in 1..16 {
            asm.li(T0, 0x1111 * k);
            asm.sw(T0, 4 * k, S0);
        }
        asm.li(A0, 0);
        for k in 1..16 {
            asm.lw(T0, 4 * k, S0);
            asm.add(A0, A0, T0);
        }
        for offset in faults {
            asm.li(T4, (user_port().base + offset) as i32);
            asm.lw(T0, 0, T4);
            asm.sw(T0, 0, T4);
        }
        enable(asm, user_port().interrupt.unwrap());
        asm.li(T0, 1);
        asm.sw(T0, 0, S0);
        let wait = asm.local_here();
        asm.beqz(S2, wait);
        // 0x1111 * 120 / 0x1111, faults, the source.
        asm.li(T0, 0x1111 * 120);
        asm.xor(A0, A0, T0);
        asm.snez(A0, A0);
        asm.slli(A0, A0, 15);
        asm.slli(S1, S1, 8);
        asm.or(A0, A0, S1);
        asm.or(A0, A0, S2);
        finish(asm);
    }));
    let mut peripheral = Peripheral::default();
    let code = run(&mut board, |board| peripheral.cycle(board));
    assert_eq!(code, (2 * faults.len() as u64) << 8 | 13);
}

#[test]
fn a_program_starts_in_the_flash_memory_and_reads_constants_there() {
    let mut chip = chip();
    chip.core.reset_vector = FLASH_BASE;
    let mut image = program(FLASH_BASE, |asm| {
        let (handler, main, function, end) = (asm.local(), asm.local(), asm.local(), asm.local());
        asm.la(T0, handler);
        asm.csrw(csr::MTVEC, T0);
        asm.j(main);
        // What it does not allow: stores, and anything behind its last byte.
        asm.bind(handler);
        asm.csrr(T5, csr::MCAUSE);
        asm.slli(S1, S1, 4);
        asm.or(S1, S1, T5);
        asm.csrr(T5, csr::MEPC);
        asm.addi(T5, T5, 4);
        asm.csrw(csr::MEPC, T5);
        asm.mret();
        asm.bind(function);
        asm.lw(T0, 0, S0);
        asm.add(A0, A0, T0);
        asm.addi(S0, S0, 4);
        asm.ret();
        asm.bind(main);
        asm.li(S0, (FLASH_BASE + 0x1000) as i32);
        asm.li(S1, 0);
        asm.li(A0, 0);
        asm.li(S2, 8);
        let again = asm.local_here();
        asm.call(function);
        asm.addi(S2, S2, -1);
        asm.bnez(S2, again);
        asm.sw(ZERO, 0, S0);
        asm.li(S0, (FLASH_BASE + (1 << 20)) as i32);
        asm.lw(T0, 0, S0);
        asm.slli(S1, S1, 8);
        asm.or(A0, A0, S1);
        asm.j(end);
        asm.bind(end);
        finish(asm);
    });
    assert!(image.len() < 0x1000);
    image.resize(1 << 20, 0);
    for k in 0..8 {
        image[0x1000 + 4 * k] = 1 << k;
    }
    let mut board = Board::new(&Soc { chip }, 0);
    board.attach(Flash::new(image), "flash_");
    let code = run(&mut board, |_| {});
    assert_eq!(code, u64::from(cause::STORE_ACCESS << 12 | cause::LOAD_ACCESS << 8 | 0xFF));
}
