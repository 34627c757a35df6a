//! Numbers and names of the control and status registers of an RV32 hart with machine and user mode
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
    MCOUNTEREN 0x306 "mcounteren" "counters that user mode may read";
    MENVCFG 0x30A "menvcfg" "user mode's surroundings, lower half";
    MSTATUSH 0x310 "mstatush" "upper half of mstatus";
    MENVCFGH 0x31A "menvcfgh" "user mode's surroundings, upper half";
    MCOUNTINHIBIT 0x320 "mcountinhibit" "stops counters";
    MHPMEVENT3 0x323 "mhpmevent3" "event of mhpmcounter3; the others follow";
    MSCRATCH 0x340 "mscratch" "a word for the trap handler";
    MEPC 0x341 "mepc" "pc of the trap";
    MCAUSE 0x342 "mcause" "cause of the trap";
    MTVAL 0x343 "mtval" "address or instruction of the trap";
    MIP 0x344 "mip" "pending interrupts";
    PMPCFG0 0x3A0 "pmpcfg0" "memory protection: configurations of entries 0 to 3";
    PMPCFG1 0x3A1 "pmpcfg1" "memory protection: configurations of entries 4 to 7";
    PMPCFG2 0x3A2 "pmpcfg2" "memory protection: configurations of entries 8 to 11";
    PMPCFG3 0x3A3 "pmpcfg3" "memory protection: configurations of entries 12 to 15";
    PMPADDR0 0x3B0 "pmpaddr0" "memory protection: address of entry 0; the others follow";
    MCYCLE 0xB00 "mcycle" "clock cycles, lower half";
    MINSTRET 0xB02 "minstret" "retired instructions, lower half";
    MHPMCOUNTER3 0xB03 "mhpmcounter3" "events, lower half; the others follow";
    MCYCLEH 0xB80 "mcycleh" "clock cycles, upper half";
    MINSTRETH 0xB82 "minstreth" "retired instructions, upper half";
    MHPMCOUNTER3H 0xB83 "mhpmcounter3h" "events, upper half; the others follow";
    CYCLE 0xC00 "cycle" "clock cycles for user mode, lower half";
    TIME 0xC01 "time" "the time for user mode, lower half";
    INSTRET 0xC02 "instret" "retired instructions for user mode, lower half";
    HPMCOUNTER3 0xC03 "hpmcounter3" "events for user mode, lower half; the others follow";
    CYCLEH 0xC80 "cycleh" "clock cycles for user mode, upper half";
    TIMEH 0xC81 "timeh" "the time for user mode, upper half";
    INSTRETH 0xC82 "instreth" "retired instructions for user mode, upper half";
    HPMCOUNTER3H 0xC83 "hpmcounter3h" "events for user mode, upper half; the others follow";
    MVENDORID 0xF11 "mvendorid" "JEDEC number of the vendor";
    MARCHID 0xF12 "marchid" "microarchitecture";
    MIMPID 0xF13 "mimpid" "version of the implementation";
    MHARTID 0xF14 "mhartid" "number of the hart";
    MCONFIGPTR 0xF15 "mconfigptr" "address of a configuration structure";
}
