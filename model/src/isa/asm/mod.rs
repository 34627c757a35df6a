//! An assembler in Rust: one method per instruction of the table, labels, data and pseudo-instructions.

mod compressed;
mod error;
mod methods;
mod pseudo;

use std::collections::BTreeMap;

pub use error::AsmError;

use super::compressed::COp;
use super::format::{Format, Range};
use super::inst::Inst;
use super::reg::Reg;

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

struct LabelState {
    name: Option<String>,
    offset: Option<u32>,
}

enum FixupKind {
    /// The instruction's immediate is the distance.
    Relative,
    /// The same in a 16-bit instruction.
    Compressed(COp),
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
    compressed: bool,
    error: Option<AsmError>,
}

impl Asm {
    /// An empty program whose first byte will stand at address `base`.
    pub fn new(base: u32) -> Asm {
        Asm {
            base,
            bytes: Vec::new(),
            labels: Vec::new(),
            fixups: Vec::new(),
            compressed: false,
            error: None,
        }
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
        self.check_alignment();
        match inst.encode() {
            Ok(word) => self.word(word),
            Err(source) => {
                self.fail(AsmError::Operand { address, source });
                self.word(0);
            }
        }
    }

    fn check_alignment(&mut self) {
        let address = self.address();
        let alignment = if self.compressed { 2 } else { 4 };
        if !address.is_multiple_of(alignment) {
            self.fail(AsmError::MisalignedInstruction { address, alignment });
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
            FixupKind::Relative => {
                // A word that could not be encoded has been reported already.
                let Some(inst) = super::inst::decode(self.word_at(fixup.offset)) else { return Ok(()) };
                let format = inst.op.spec().format;
                self.check_distance(fixup, inst.op.spec().mnemonic, distance, &format.range())?;
                self.patch(fixup.offset, |word| word | format.immediate_bits(distance as i32));
            }
            FixupKind::Compressed(op) => {
                let format = op.spec().format;
                self.check_distance(fixup, op.spec().mnemonic, distance, &format.range())?;
                let at = fixup.offset as usize;
                let bits = (format.immediate_bits(distance as i32) as u16).to_le_bytes();
                self.bytes[at] |= bits[0];
                self.bytes[at + 1] |= bits[1];
            }
        }
        Ok(())
    }

    fn check_distance(
        &self,
        fixup: &Fixup,
        mnemonic: &'static str,
        distance: i64,
        range: &Range,
    ) -> Result<(), AsmError> {
        let address = self.base + fixup.offset;
        let label = || self.name_of(fixup.label);
        let (min, max) = (range.min, range.max);
        if distance < i64::from(min) || distance > i64::from(max) {
            return Err(AsmError::OutOfReach { address, mnemonic, label: label(), distance, min, max });
        }
        if distance & 1 != 0 {
            return Err(AsmError::OddTarget { address, mnemonic, label: label() });
        }
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
