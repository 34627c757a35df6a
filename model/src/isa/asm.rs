//! An assembler in Rust: one method per instruction of the table, labels, data and pseudo-instructions.

use std::collections::BTreeMap;

use thiserror::Error;

use super::format::Format;
use super::inst::{EncodeError, Inst};
use super::reg::{RA, Reg, T1, ZERO};
use super::table::{Op, for_each_instruction};

/// A place in the program, bound or still to be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(u32);

/// A finished program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Address of the first byte.
    pub base: u32,
    /// Code and data.
    pub bytes: Vec<u8>,
    /// Addresses of all named labels.
    pub symbols: BTreeMap<String, u32>,
}

/// A mistake in a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AsmError {
    /// An operand does not fit its field.
    #[error("at {address:#010x}: {source}")]
    Operand {
        /// Address of the instruction.
        address: u32,
        /// Which operand, and its range.
        source: EncodeError,
    },
    /// The target of a branch or jump is too far away.
    #[error(
        "at {address:#010x}: `{mnemonic}` cannot reach label `{label}`, {distance} bytes away; it reaches {min} to \
         {max}: invert the branch around a `j`, or use `tail` or `call`"
    )]
    OutOfReach {
        /// Address of the instruction.
        address: u32,
        /// The instruction.
        mnemonic: &'static str,
        /// Name of the target.
        label: String,
        /// Bytes from the instruction to the target.
        distance: i64,
        /// Most negative distance possible.
        min: i32,
        /// Largest distance possible.
        max: i32,
    },
    /// The target of a branch or jump lies between two instructions.
    #[error(
        "at {address:#010x}: `{mnemonic}` to label `{label}`, which is at an odd address; bind it after `align(4)`"
    )]
    OddTarget {
        /// Address of the instruction.
        address: u32,
        /// The instruction.
        mnemonic: &'static str,
        /// Name of the target.
        label: String,
    },
    /// An instruction would stand at an address that is no multiple of 4.
    #[error(
        "at {address:#010x}: an instruction must stand at a multiple of 4; put `align(4)` after the data"
    )]
    MisalignedInstruction {
        /// Address of the instruction.
        address: u32,
    },
    /// A label is used and never bound.
    #[error("at {address:#010x}: label `{label}` is used but never bound; call `bind`")]
    Unbound {
        /// Address of the first use.
        address: u32,
        /// Name of the label.
        label: String,
    },
    /// A label is bound a second time.
    #[error("at {address:#010x}: label `{label}` is bound already, at {first:#010x}")]
    Rebound {
        /// Address of the second binding.
        address: u32,
        /// Name of the label.
        label: String,
        /// Address of the first binding.
        first: u32,
    },
    /// Two labels have one name.
    #[error("two labels are named `{label}`; give each its own name, or none")]
    DuplicateName {
        /// The name.
        label: String,
    },
    /// An alignment is not a power of two.
    #[error("at {address:#010x}: alignment {bytes} is not a power of two")]
    Alignment {
        /// Address of the directive.
        address: u32,
        /// The alignment asked for, in bytes.
        bytes: u32,
    },
    /// The program reaches beyond the 32-bit address space.
    #[error("the program of {bytes} bytes at {base:#010x} does not fit into 32 bits of address")]
    TooLarge {
        /// Address of the first byte.
        base: u32,
        /// Length of the program.
        bytes: u64,
    },
}

struct LabelState {
    name: Option<String>,
    offset: Option<u32>,
}

enum FixupKind {
    /// The instruction's immediate is the distance.
    Relative,
    /// `auipc` and the following instruction's 12-bit immediate hold the distance (from the `auipc`).
    RelativePair,
    /// A data word holds the address.
    Absolute,
}

struct Fixup {
    offset: u32,
    label: Label,
    kind: FixupKind,
}

/// A program under construction.
///
/// Methods append; the first mistake is kept and reported by [`Asm::finish`], so that code generators need no
/// error handling of their own. Operands stand in the order of assembly text: `asm.lw(A0, 8, SP)` is `lw a0, 8(sp)`.
///
/// ```
/// use ferrite_model::isa::{Asm, reg::*};
/// let mut asm = Asm::new(0x8000_0000);
/// asm.li(A0, 10);
/// let again = asm.here("again");
/// asm.addi(A0, A0, -1);
/// asm.bnez(A0, again);
/// let program = asm.finish()?;
/// assert_eq!(program.symbols["again"], 0x8000_0004);
/// # Ok::<(), ferrite_model::isa::AsmError>(())
/// ```
pub struct Asm {
    base: u32,
    bytes: Vec<u8>,
    labels: Vec<LabelState>,
    fixups: Vec<Fixup>,
    error: Option<AsmError>,
}

macro_rules! define_method {
    ($method:ident $op:ident $mnemonic:literal Reg) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg, rs2: Reg) "rd, rs1, rs2" }
    };
    ($method:ident $op:ident $mnemonic:literal Imm) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg, imm: i32) "rd, rs1, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal Shift) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg, imm: i32) "rd, rs1, shamt" }
    };
    ($method:ident $op:ident $mnemonic:literal Load) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32, rs1: Reg) "rd, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal Jalr) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32, rs1: Reg) "rd, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal Store) => {
        define_method! { @ $method $op $mnemonic (rs2: Reg, imm: i32, rs1: Reg) "rs2, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal U) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, imm` (bits 31:12, from 0 to 0xfffff) `" }
    };
    ($method:ident $op:ident $mnemonic:literal Csr) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, csr: u16, rs1: Reg) "rd, csr, rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal CsrImm) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, csr: u16, imm: i32) "rd, csr, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal Bare) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal FenceI) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal TensorBare) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal TensorRd) => {
        define_method! { @ $method $op $mnemonic (rd: Reg) "rd" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorRs1) => {
        define_method! { @ $method $op $mnemonic (rs1: Reg) "rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorRs1Rs2) => {
        define_method! { @ $method $op $mnemonic (rs1: Reg, rs2: Reg) "rs1, rs2" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorRdRs1) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg) "rd, rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorOther) => {
        /// Appends a tensor command with any funct7 (`imm`, 0 to 127).
        pub fn $method(&mut self, imm: i32, rd: Reg, rs1: Reg, rs2: Reg) {
            self.inst(Inst { imm, rd, rs1, rs2, ..Inst::new(Op::$op) });
        }
    };
    ($method:ident $op:ident $mnemonic:literal Fence) => {
        /// Appends a full fence, `fence iorw, iorw`.
        pub fn $method(&mut self) {
            self.inst(Inst { imm: 0xFF, ..Inst::new(Op::$op) });
        }
    };
    ($method:ident $op:ident $mnemonic:literal Branch) => {
        #[doc = concat!("Appends `", $mnemonic, " rs1, rs2, target`.")]
        pub fn $method(&mut self, rs1: Reg, rs2: Reg, target: Label) {
            self.relative(Inst { rs1, rs2, ..Inst::new(Op::$op) }, target);
        }
    };
    ($method:ident $op:ident $mnemonic:literal Jal) => {
        #[doc = concat!("Appends `", $mnemonic, " rd, target`.")]
        pub fn $method(&mut self, rd: Reg, target: Label) {
            self.relative(Inst { rd, ..Inst::new(Op::$op) }, target);
        }
    };
    (@ $method:ident $op:ident $mnemonic:literal ($($operand:ident : $type:ty),*) $text:literal) => {
        #[doc = concat!("Appends `", $mnemonic, " ", $text, "`.")]
        pub fn $method(&mut self, $($operand: $type),*) {
            self.inst(Inst { $($operand,)* ..Inst::new(Op::$op) });
        }
    };
}

macro_rules! define_methods {
    ($($variant:ident $method:ident $mnemonic:literal $format:ident $extension:ident $fixed:expr;)*) => {
        /// One method per instruction of the table.
        impl Asm {
            $(define_method! { $method $variant $mnemonic $format })*
        }
    };
}

for_each_instruction!(define_methods);

impl Asm {
    /// An empty program whose first byte will stand at address `base`.
    pub fn new(base: u32) -> Asm {
        Asm { base, bytes: Vec::new(), labels: Vec::new(), fixups: Vec::new(), error: None }
    }

    /// The address of the next byte.
    pub fn address(&self) -> u32 {
        self.base.wrapping_add(self.offset())
    }

    fn offset(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn fail(&mut self, error: AsmError) {
        self.error.get_or_insert(error);
    }

    /// A label with a name, to be bound later. Names are listed in [`Program::symbols`] and must differ.
    pub fn label(&mut self, name: impl Into<String>) -> Label {
        self.add_label(Some(name.into()))
    }

    /// A label without a name, to be bound later.
    pub fn local(&mut self) -> Label {
        self.add_label(None)
    }

    /// A named label bound to the next byte.
    pub fn here(&mut self, name: impl Into<String>) -> Label {
        let label = self.label(name);
        self.bind(label);
        label
    }

    /// A nameless label bound to the next byte.
    pub fn local_here(&mut self) -> Label {
        let label = self.local();
        self.bind(label);
        label
    }

    /// Binds `label` to the next byte.
    pub fn bind(&mut self, label: Label) {
        let here = self.offset();
        match self.labels[label.0 as usize].offset {
            None => self.labels[label.0 as usize].offset = Some(here),
            Some(first) => {
                let first = self.base.wrapping_add(first);
                self.fail(AsmError::Rebound { address: self.address(), label: self.name_of(label), first });
            }
        }
    }

    fn add_label(&mut self, name: Option<String>) -> Label {
        self.labels.push(LabelState { name, offset: None });
        Label(self.labels.len() as u32 - 1)
    }

    fn name_of(&self, label: Label) -> String {
        self.labels[label.0 as usize].name.clone().unwrap_or_else(|| format!("local {}", label.0))
    }

    /// Appends an instruction.
    pub fn inst(&mut self, inst: Inst) {
        let address = self.address();
        if address & 3 != 0 {
            self.fail(AsmError::MisalignedInstruction { address });
        }
        match inst.encode() {
            Ok(word) => self.word(word),
            Err(source) => {
                self.fail(AsmError::Operand { address, source });
                self.word(0);
            }
        }
    }

    fn relative(&mut self, inst: Inst, label: Label) {
        self.fixups.push(Fixup { offset: self.offset(), label, kind: FixupKind::Relative });
        self.inst(inst);
    }

    fn relative_pair(&mut self, high: Reg, second: Inst, label: Label) {
        self.fixups.push(Fixup { offset: self.offset(), label, kind: FixupKind::RelativePair });
        self.auipc(high, 0);
        self.inst(second);
    }

    // Data.

    /// Appends a byte.
    pub fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Appends 16 bits, little-endian.
    pub fn half(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Appends 32 bits, little-endian; also the way to put any instruction word, defined or not.
    pub fn word(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Appends a label's address, 32 bits, little-endian.
    pub fn word_of(&mut self, label: Label) {
        self.fixups.push(Fixup { offset: self.offset(), label, kind: FixupKind::Absolute });
        self.word(0);
    }

    /// Appends bytes.
    pub fn data(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends `count` zero bytes.
    pub fn space(&mut self, count: u32) {
        self.bytes.resize(self.bytes.len() + count as usize, 0);
    }

    /// Appends zero bytes up to an address that is a multiple of `bytes`, a power of two.
    pub fn align(&mut self, bytes: u32) {
        let address = self.address();
        if bytes.is_power_of_two() {
            self.space(address.wrapping_neg() & (bytes - 1));
        } else {
            self.fail(AsmError::Alignment { address, bytes });
        }
    }

    // Pseudo-instructions (RISC-V Assembly Programmer's Manual, "Pseudoinstructions").

    /// Loads a constant: `addi`, or `lui`, or both.
    pub fn li(&mut self, rd: Reg, value: i32) {
        if (-2048..2048).contains(&value) {
            return self.addi(rd, ZERO, value);
        }
        let (high, low) = split(value as u32);
        self.lui(rd, high);
        if low != 0 {
            self.addi(rd, rd, low);
        }
    }

    /// Loads a label's address: `auipc`, `addi`. Reaches every address.
    pub fn la(&mut self, rd: Reg, label: Label) {
        self.relative_pair(rd, Inst { rd, rs1: rd, ..Inst::new(Op::Addi) }, label);
    }

    /// Calls a function anywhere: `auipc ra`, `jalr ra`.
    pub fn call(&mut self, label: Label) {
        self.relative_pair(RA, Inst { rd: RA, rs1: RA, ..Inst::new(Op::Jalr) }, label);
    }

    /// Jumps anywhere: `auipc t1`, `jalr zero`. Overwrites `t1`.
    pub fn tail(&mut self, label: Label) {
        self.relative_pair(T1, Inst { rd: ZERO, rs1: T1, ..Inst::new(Op::Jalr) }, label);
    }

    /// `addi zero, zero, 0`
    pub fn nop(&mut self) {
        self.addi(ZERO, ZERO, 0);
    }

    /// Copies a register.
    pub fn mv(&mut self, rd: Reg, rs: Reg) {
        self.addi(rd, rs, 0);
    }

    /// Inverts all bits.
    pub fn not(&mut self, rd: Reg, rs: Reg) {
        self.xori(rd, rs, -1);
    }

    /// Negates.
    pub fn neg(&mut self, rd: Reg, rs: Reg) {
        self.sub(rd, ZERO, rs);
    }

    /// 1 if `rs` is 0, else 0.
    pub fn seqz(&mut self, rd: Reg, rs: Reg) {
        self.sltiu(rd, rs, 1);
    }

    /// 1 if `rs` is not 0, else 0.
    pub fn snez(&mut self, rd: Reg, rs: Reg) {
        self.sltu(rd, ZERO, rs);
    }

    /// Branches if `rs` is 0.
    pub fn beqz(&mut self, rs: Reg, target: Label) {
        self.beq(rs, ZERO, target);
    }

    /// Branches if `rs` is not 0.
    pub fn bnez(&mut self, rs: Reg, target: Label) {
        self.bne(rs, ZERO, target);
    }

    /// Branches if `rs` is negative.
    pub fn bltz(&mut self, rs: Reg, target: Label) {
        self.blt(rs, ZERO, target);
    }

    /// Branches if `rs` is 0 or positive.
    pub fn bgez(&mut self, rs: Reg, target: Label) {
        self.bge(rs, ZERO, target);
    }

    /// Branches if `rs1` is greater, signed.
    pub fn bgt(&mut self, rs1: Reg, rs2: Reg, target: Label) {
        self.blt(rs2, rs1, target);
    }

    /// Branches if `rs1` is less or equal, signed.
    pub fn ble(&mut self, rs1: Reg, rs2: Reg, target: Label) {
        self.bge(rs2, rs1, target);
    }

    /// Jumps within 1 MiB.
    pub fn j(&mut self, target: Label) {
        self.jal(ZERO, target);
    }

    /// Jumps to the address in `rs`.
    pub fn jr(&mut self, rs: Reg) {
        self.jalr(ZERO, 0, rs);
    }

    /// Returns from a function.
    pub fn ret(&mut self) {
        self.jr(RA);
    }

    /// Reads a CSR.
    pub fn csrr(&mut self, rd: Reg, csr: u16) {
        self.csrrs(rd, csr, ZERO);
    }

    /// Writes a CSR.
    pub fn csrw(&mut self, csr: u16, rs: Reg) {
        self.csrrw(ZERO, csr, rs);
    }

    /// Sets bits of a CSR.
    pub fn csrs(&mut self, csr: u16, rs: Reg) {
        self.csrrs(ZERO, csr, rs);
    }

    /// Clears bits of a CSR.
    pub fn csrc(&mut self, csr: u16, rs: Reg) {
        self.csrrc(ZERO, csr, rs);
    }

    /// Resolves all labels and gives the program.
    ///
    /// # Errors
    /// The first mistake made while the program was written, else the first found in its labels.
    pub fn finish(mut self) -> Result<Program, AsmError> {
        let length = self.bytes.len() as u64;
        if u64::from(self.base) + length > 1 << 32 {
            self.fail(AsmError::TooLarge { base: self.base, bytes: length });
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        for fixup in std::mem::take(&mut self.fixups) {
            self.resolve(&fixup)?;
        }
        let mut symbols = BTreeMap::new();
        for label in self.labels {
            let (Some(name), Some(offset)) = (label.name, label.offset) else { continue };
            if symbols.contains_key(&name) {
                return Err(AsmError::DuplicateName { label: name });
            }
            symbols.insert(name, self.base + offset);
        }
        Ok(Program { base: self.base, bytes: self.bytes, symbols })
    }

    fn resolve(&mut self, fixup: &Fixup) -> Result<(), AsmError> {
        let address = self.base + fixup.offset;
        let Some(target) = self.labels[fixup.label.0 as usize].offset else {
            return Err(AsmError::Unbound { address, label: self.name_of(fixup.label) });
        };
        let distance = i64::from(target) - i64::from(fixup.offset);
        match fixup.kind {
            FixupKind::Absolute => {
                let value = self.base + target;
                self.patch(fixup.offset, |_| value)
            }
            FixupKind::RelativePair => {
                let (high, low) = split(distance as u32);
                self.patch(fixup.offset, |word| word | Format::U.immediate_bits(high));
                self.patch(fixup.offset + 4, |word| word | Format::Imm.immediate_bits(low));
            }
            FixupKind::Relative => self.resolve_relative(fixup, distance)?,
        }
        Ok(())
    }

    fn resolve_relative(&mut self, fixup: &Fixup, distance: i64) -> Result<(), AsmError> {
        let address = self.base + fixup.offset;
        let word = self.word_at(fixup.offset);
        let Some(inst) = super::inst::decode(word) else { return Ok(()) };
        let spec = inst.op.spec();
        let range = spec.format.range();
        let label = || self.name_of(fixup.label);
        if distance < i64::from(range.min) || distance > i64::from(range.max) {
            return Err(AsmError::OutOfReach {
                address,
                mnemonic: spec.mnemonic,
                label: label(),
                distance,
                min: range.min,
                max: range.max,
            });
        }
        if distance & 1 != 0 {
            return Err(AsmError::OddTarget { address, mnemonic: spec.mnemonic, label: label() });
        }
        let patched = word | spec.format.immediate_bits(distance as i32);
        self.patch(fixup.offset, |_| patched);
        Ok(())
    }

    fn word_at(&self, offset: u32) -> u32 {
        let at = offset as usize;
        u32::from_le_bytes([self.bytes[at], self.bytes[at + 1], self.bytes[at + 2], self.bytes[at + 3]])
    }

    fn patch(&mut self, offset: u32, change: impl Fn(u32) -> u32) {
        let word = change(self.word_at(offset));
        self.bytes[offset as usize..offset as usize + 4].copy_from_slice(&word.to_le_bytes());
    }
}

/// Splits a word into the 20 bits of a `lui` or `auipc` and the signed 12 bits that are added to them.
fn split(value: u32) -> (i32, i32) {
    let low = ((value as i32) << 20) >> 20;
    let high = value.wrapping_sub(low as u32) >> 12;
    (high as i32, low)
}
