//! Numbers and names of the control and status registers of a machine-mode-only RV32 hart
//! (RISC-V Privileged 20240411, 2.2).

macro_rules! csrs {
    ($($constant:ident $number:literal $name:literal $what:literal;)*) => {
        $(#[doc = concat!("`", $name, "`: ", $what, ".")]
        pub const $constant: u16 = $number;)*

        /// The name of a CSR of the table, or `None`.
        pub fn name(csr: u16) -> Option<&'static str> {
            match csr {
                $($number => Some($name),)*
                _ => None,
            }
        }
    };
}

csrs! {
    MSTATUS 0x300 "mstatus" "interrupt enables and their stack";
    MISA 0x301 "misa" "extensions";
    MIE 0x304 "mie" "interrupt enables, one per source";
    MTVEC 0x305 "mtvec" "trap handler base address and mode";
    MSTATUSH 0x310 "mstatush" "upper half of mstatus";
    MCOUNTINHIBIT 0x320 "mcountinhibit" "stops counters";
    MSCRATCH 0x340 "mscratch" "a word for the trap handler";
    MEPC 0x341 "mepc" "pc of the trap";
    MCAUSE 0x342 "mcause" "cause of the trap";
    MTVAL 0x343 "mtval" "address or instruction of the trap";
    MIP 0x344 "mip" "pending interrupts";
    MCYCLE 0xB00 "mcycle" "clock cycles, lower half";
    MINSTRET 0xB02 "minstret" "retired instructions, lower half";
    MCYCLEH 0xB80 "mcycleh" "clock cycles, upper half";
    MINSTRETH 0xB82 "minstreth" "retired instructions, upper half";
    MVENDORID 0xF11 "mvendorid" "JEDEC number of the vendor";
    MARCHID 0xF12 "marchid" "microarchitecture";
    MIMPID 0xF13 "mimpid" "version of the implementation";
    MHARTID 0xF14 "mhartid" "number of the hart";
    MCONFIGPTR 0xF15 "mconfigptr" "address of a configuration structure";
}
