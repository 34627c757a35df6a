//! What the bodies of all generated functions are made of: loads and stores in the buffer, and bits that are raised in it.

use std::collections::BTreeMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::FunctionBuilder;

use super::layout::{BitRow, Place};

/// Loads and stores stay inside the buffer and so never trap.
pub(super) fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// A function under construction. Its only parameter is the start of the buffer.
pub(super) struct Body<'f> {
    pub b: FunctionBuilder<'f>,
    pub base: Value,
    /// Bits to raise at the end, by the offset of their word.
    raised: BTreeMap<u32, Value>,
    /// Bits to clear before.
    cleared: BTreeMap<u32, u64>,
}

impl<'f> Body<'f> {
    pub fn new(mut b: FunctionBuilder<'f>) -> Body<'f> {
        let block = b.create_block();
        b.append_block_params_for_function_params(block);
        b.switch_to_block(block);
        let base = b.block_params(block)[0];
        Body { b, base, raised: BTreeMap::new(), cleared: BTreeMap::new() }
    }

    pub fn k(&mut self, value: u64) -> Value {
        self.b.ins().iconst(I64, value as i64)
    }

    pub fn load_as(&mut self, ty: Type, offset: u32) -> Value {
        self.b.ins().load(ty, flags(), self.base, offset as i32)
    }

    pub fn store_as(&mut self, value: Value, offset: u32) {
        self.b.ins().store(flags(), value, self.base, offset as i32);
    }

    /// `bytes` (1, 2, 4 or 8) extended by zeros.
    pub fn load_from(&mut self, base: Value, offset: u32, bytes: u32) -> Value {
        let offset = offset as i32;
        match bytes {
            1 => self.b.ins().uload8(I64, flags(), base, offset),
            2 => self.b.ins().uload16(I64, flags(), base, offset),
            4 => self.b.ins().uload32(flags(), base, offset),
            _ => self.b.ins().load(I64, flags(), base, offset),
        }
    }

    /// The low 1, 2, 4 or 8 bytes of a value.
    pub fn store_to(&mut self, base: Value, offset: u32, bytes: u32, value: Value) {
        let offset = offset as i32;
        match bytes {
            1 => self.b.ins().istore8(flags(), value, base, offset),
            2 => self.b.ins().istore16(flags(), value, base, offset),
            4 => self.b.ins().istore32(flags(), value, base, offset),
            _ => self.b.ins().store(flags(), value, base, offset),
        };
    }

    pub fn load(&mut self, place: Place) -> Value {
        self.load_from(self.base, place.offset, place.bytes)
    }

    pub fn store(&mut self, place: Place, value: Value) {
        self.store_to(self.base, place.offset, place.bytes, value);
    }

    /// The words of a value wider than 64 bits.
    pub fn load_words(&mut self, place: Place) -> Vec<Value> {
        (0..place.bytes / 8).map(|k| self.load_as(I64, place.offset + 8 * k)).collect()
    }

    pub fn and_k(&mut self, value: Value, mask: u64) -> Value {
        let mask = self.k(mask);
        self.b.ins().band(value, mask)
    }

    pub fn shl_k(&mut self, value: Value, by: u32) -> Value {
        if by == 0 { value } else { self.b.ins().ishl_imm_u(value, i64::from(by)) }
    }

    pub fn shr_k(&mut self, value: Value, by: u32) -> Value {
        if by == 0 { value } else { self.b.ins().ushr_imm_u(value, i64::from(by)) }
    }

    /// A byte extended by zeros; what has 64 bits stays.
    pub fn extended(&mut self, value: Value) -> Value {
        if self.b.func.dfg.value_type(value) == I64 { value } else { self.b.ins().uextend(I64, value) }
    }

    pub fn or(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().bor(a, b)
    }

    pub fn or_option(&mut self, a: Option<Value>, b: Value) -> Value {
        a.map_or(b, |a| self.b.ins().bor(a, b))
    }

    /// The low `width` bits.
    pub fn masked(&mut self, value: Value, width: u32) -> Value {
        let narrow = match width {
            8 => I8,
            16 => I16,
            32 => I32,
            64.. => return value,
            _ => return self.and_k(value, (1 << width) - 1),
        };
        let low = self.b.ins().ireduce(narrow, value);
        self.b.ins().uextend(I64, low)
    }

    /// The low `width` bits as two's complement.
    pub fn sign_extended(&mut self, value: Value, width: u32) -> Value {
        let narrow = match width {
            8 => I8,
            16 => I16,
            32 => I32,
            64.. => return value,
            _ => {
                let up = self.shl_k(value, 64 - width);
                return self.b.ins().sshr_imm_u(up, i64::from(64 - width));
            }
        };
        let low = self.b.ins().ireduce(narrow, value);
        self.b.ins().sextend(I64, low)
    }

    /// 1 if a value is not 0.
    pub fn any(&mut self, value: Value) -> Value {
        let zero = self.k(0);
        let any = self.b.ins().icmp(IntCC::NotEqual, value, zero);
        self.b.ins().uextend(I64, any)
    }

    /// Raises some bits of a row at the end of the function if `condition`, which is 0 or 1, is 1.
    pub fn raise(&mut self, row: BitRow, bits: &[u32], condition: Value) {
        let mut words: BTreeMap<u32, u64> = BTreeMap::new();
        for bit in bits {
            *words.entry(row.word(*bit)).or_default() |= 1 << (bit % 64);
        }
        let mut all = None;
        for (offset, mask) in words {
            let raised = if mask.is_power_of_two() {
                self.shl_k(condition, mask.trailing_zeros())
            } else {
                let all = *all.get_or_insert_with(|| self.b.ins().ineg(condition));
                self.and_k(all, mask)
            };
            let before = self.raised.get(&offset).copied();
            let both = self.or_option(before, raised);
            self.raised.insert(offset, both);
        }
    }

    /// Makes a bit of a row what `condition` is, at the end of the function.
    pub fn assign(&mut self, row: BitRow, bit: u32, condition: Value) {
        *self.cleared.entry(row.word(bit)).or_default() |= 1 << (bit % 64);
        self.raise(row, &[bit], condition);
    }

    /// Writes the raised bits.
    pub fn flush(&mut self) {
        for (offset, raised) in std::mem::take(&mut self.raised) {
            let mut word = self.load_as(I64, offset);
            if let Some(mask) = self.cleared.remove(&offset) {
                word = self.and_k(word, !mask);
            }
            let word = self.b.ins().bor(word, raised);
            self.store_as(word, offset);
        }
    }
}
