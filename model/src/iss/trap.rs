//! Exceptions and interrupts (RISC-V Privileged 20240411, 3.1.15).

/// Exception codes of `mcause`.
pub mod cause {
    /// A jump's or branch's target is no multiple of 4.
    pub const INSTRUCTION_MISALIGNED: u32 = 0;
    /// Nothing can be fetched at the pc.
    pub const INSTRUCTION_ACCESS: u32 = 1;
    /// Undefined instruction, or a CSR access that is not allowed.
    pub const ILLEGAL_INSTRUCTION: u32 = 2;
    /// `ebreak`.
    pub const BREAKPOINT: u32 = 3;
    /// A load's address is no multiple of its width.
    pub const LOAD_MISALIGNED: u32 = 4;
    /// Nothing can be read at the address.
    pub const LOAD_ACCESS: u32 = 5;
    /// A store's address is no multiple of its width.
    pub const STORE_MISALIGNED: u32 = 6;
    /// Nothing can be written at the address.
    pub const STORE_ACCESS: u32 = 7;
    /// `ecall` in user mode.
    pub const ECALL_USER: u32 = 8;
    /// `ecall` in machine mode.
    pub const ECALL_MACHINE: u32 = 11;
    /// Bit 31 of `mcause`: the trap is an interrupt.
    pub const INTERRUPT: u32 = 1 << 31;
}

/// A trap taken: what `mcause` and `mtval` hold afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Value of `mcause`; see [`cause`].
    pub cause: u32,
    /// Value of `mtval`.
    pub tval: u32,
}

impl Trap {
    pub(super) const fn new(cause: u32, tval: u32) -> Trap {
        Trap { cause, tval }
    }
}

/// A machine-level interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// From the interrupt controller, code 11.
    External,
    /// From `msip`, code 3.
    Software,
    /// From the timer, code 7.
    Timer,
}

impl Interrupt {
    /// All interrupts, the most urgent first (Privileged 20240411, 3.1.9).
    pub const BY_PRIORITY: [Interrupt; 3] = [Interrupt::External, Interrupt::Software, Interrupt::Timer];

    /// The exception code, without bit 31.
    pub const fn code(self) -> u32 {
        match self {
            Interrupt::External => 11,
            Interrupt::Software => 3,
            Interrupt::Timer => 7,
        }
    }

    /// The interrupt's bit in `mip` and `mie`.
    pub const fn bit(self) -> u32 {
        1 << self.code()
    }

    /// The most urgent of the interrupts whose bits are set.
    pub fn most_urgent(bits: u32) -> Option<Interrupt> {
        Interrupt::BY_PRIORITY.into_iter().find(|interrupt| bits & interrupt.bit() != 0)
    }
}
