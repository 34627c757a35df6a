//! Operations on more than 64 bits, word by word; the few that would be long in code are calls.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, InstBuilder, Signature, StackSlot, StackSlotData, StackSlotKind, Value,
};
use cranelift_codegen::isa::CallConv;
use ferrite_hdl::Bits;

use super::body::{Body, flags};
use super::graph::{Comparison, Id, Op};
use super::scalar::Scalar;

/// How compiled code calls what is written in Rust.
#[derive(Clone, Copy)]
pub(super) struct Helpers {
    pub convention: CallConv,
}

/// The low `width` bits (at most 64) from bit `low` of some words up; above them anything may stand.
pub(super) fn bits(body: &mut Body, words: &[Value], low: u32, width: u32) -> Value {
    let (word, bit) = ((low / 64) as usize, low % 64);
    let value = body.shr_k(words[word], bit);
    match words.get(word + 1) {
        Some(above) if bit + width > 64 => {
            let above = body.shl_k(*above, 64 - bit);
            body.or(value, above)
        }
        _ => value,
    }
}

/// The words of the result.
pub(super) fn operation(s: &mut Scalar, op: &Op, width: u32) -> Vec<Value> {
    match op {
        Op::Not(a) => {
            let words = s.words(*a);
            let words = words.into_iter().map(|word| s.body.b.ins().bnot(word)).collect();
            cut(s, words, width)
        }
        Op::And(a, b) => each(s, *a, *b, |body, x, y| body.b.ins().band(x, y)),
        Op::Or(a, b) => each(s, *a, *b, |body, x, y| body.b.ins().bor(x, y)),
        Op::Xor(a, b) => each(s, *a, *b, |body, x, y| body.b.ins().bxor(x, y)),
        Op::Add(a, b) => {
            let words = add(s, *a, *b);
            cut(s, words, width)
        }
        Op::Sub(a, b) => {
            let words = subtract(s, *a, *b);
            cut(s, words, width)
        }
        Op::Mul { a, b, signed } => multiply(s, *a, *b, *signed, width),
        Op::Compare(comparison, a, b) => vec![compare(s, *comparison, *a, *b)],
        Op::Shl(a, amount) => shift(s, *a, *amount, Shift::Left, width),
        Op::Shr { a, amount, signed: false } => shift(s, *a, *amount, Shift::Right, width),
        Op::Shr { a, amount, signed: true } => shift(s, *a, *amount, Shift::SignedRight, width),
        Op::Mux(c, a, b) => {
            let c = s.clean(*c);
            each(s, *a, *b, |body, x, y| body.b.ins().select(c, x, y))
        }
        Op::Concat(parts) => concat(s, parts, width),
        Op::Slice(a, low) => {
            let words = s.words(*a);
            let part = |k: u32| bits(&mut s.body, &words, low + 64 * k, (width - 64 * k).min(64));
            let words = (0..width.div_ceil(64)).map(part).collect();
            cut(s, words, width)
        }
        Op::Extend { a, signed } => extend(s, *a, *signed, width),
        Op::Parity(a) => {
            let words = s.words(*a);
            let all = words.into_iter().reduce(|x, y| s.body.b.ins().bxor(x, y));
            let all = all.unwrap_or_else(|| s.body.k(0));
            let count = s.body.b.ins().popcnt(all);
            vec![s.body.and_k(count, 1)]
        }
        Op::Read { memory, addr } => {
            let plan = s.plan;
            let memory = &plan.layout.memories[*memory as usize];
            let word = s.word(memory.offset, memory.word_bytes, *addr);
            let load = |k: u32| s.body.b.ins().load(I64, flags(), word, 8 * k as i32);
            (0..width.div_ceil(64)).map(load).collect()
        }
        // Leaves are never computed.
        Op::Const(_) | Op::Input(_) | Op::State(_) => vec![s.body.k(0); width.div_ceil(64) as usize],
    }
}

/// Clears what stands above the width.
fn cut(s: &mut Scalar, mut words: Vec<Value>, width: u32) -> Vec<Value> {
    if let Some(last) = words.last_mut()
        && !width.is_multiple_of(64)
    {
        *last = s.body.masked(*last, width % 64);
    }
    words
}

fn each(s: &mut Scalar, a: Id, b: Id, mut f: impl FnMut(&mut Body, Value, Value) -> Value) -> Vec<Value> {
    let (a, b) = (s.words(a), s.words(b));
    a.into_iter().zip(b).map(|(x, y)| f(&mut s.body, x, y)).collect()
}

/// 1 if `x < y`.
fn below(body: &mut Body, code: IntCC, x: Value, y: Value) -> Value {
    let below = body.b.ins().icmp(code, x, y);
    body.b.ins().uextend(I64, below)
}

fn add(s: &mut Scalar, a: Id, b: Id) -> Vec<Value> {
    let mut carry = None;
    each(s, a, b, |body, x, y| {
        let mut sum = body.b.ins().iadd(x, y);
        let mut over = below(body, IntCC::UnsignedLessThan, sum, x);
        if let Some(carry) = carry {
            sum = body.b.ins().iadd(sum, carry);
            let again = below(body, IntCC::UnsignedLessThan, sum, carry);
            over = body.or(over, again);
        }
        carry = Some(over);
        sum
    })
}

fn subtract(s: &mut Scalar, a: Id, b: Id) -> Vec<Value> {
    let mut borrow = None;
    each(s, a, b, |body, x, y| {
        let mut difference = body.b.ins().isub(x, y);
        let mut under = below(body, IntCC::UnsignedLessThan, x, y);
        if let Some(borrow) = borrow {
            let again = below(body, IntCC::UnsignedLessThan, difference, borrow);
            difference = body.b.ins().isub(difference, borrow);
            under = body.or(under, again);
        }
        borrow = Some(under);
        difference
    })
}

fn compare(s: &mut Scalar, comparison: Comparison, a: Id, b: Id) -> Value {
    match comparison {
        Comparison::Equal | Comparison::Unequal => {
            let differences = each(s, a, b, |body, x, y| body.b.ins().bxor(x, y));
            let all = differences.into_iter().reduce(|x, y| s.body.or(x, y));
            let all = all.unwrap_or_else(|| s.body.k(0));
            let unequal = s.body.any(all);
            match comparison {
                Comparison::Equal => flip(s, unequal),
                _ => unequal,
            }
        }
        Comparison::Less { signed } => less(s, a, b, signed),
        Comparison::AtMost { signed } => {
            let greater = less(s, b, a, signed);
            flip(s, greater)
        }
    }
}

fn flip(s: &mut Scalar, bit: Value) -> Value {
    let one = s.body.k(1);
    s.body.b.ins().bxor(bit, one)
}

fn less(s: &mut Scalar, a: Id, b: Id, signed: bool) -> Value {
    let width = s.width(a);
    let (mut a, mut b) = (s.words(a), s.words(b));
    let last = a.len() - 1;
    if signed {
        let top = width - 64 * last as u32;
        a[last] = s.body.sign_extended(a[last], top);
        b[last] = s.body.sign_extended(b[last], top);
    }
    let mut result = None;
    for (k, (x, y)) in a.into_iter().zip(b).enumerate() {
        let code = if signed && k == last { IntCC::SignedLessThan } else { IntCC::UnsignedLessThan };
        let mut here = below(&mut s.body, code, x, y);
        if let Some(lower) = result {
            let equal = below(&mut s.body, IntCC::Equal, x, y);
            let decided_below = s.body.b.ins().band(equal, lower);
            here = s.body.or(here, decided_below);
        }
        result = Some(here);
    }
    result.unwrap_or_else(|| s.body.k(0))
}

fn extend(s: &mut Scalar, a: Id, signed: bool, width: u32) -> Vec<Value> {
    let from = s.width(a);
    let mut words = s.words(a);
    let fill = match words.last_mut() {
        Some(last) if signed => {
            *last = s.body.sign_extended(*last, from - (from - 1) / 64 * 64);
            s.body.b.ins().sshr_imm_u(*last, 63)
        }
        _ => s.body.k(0),
    };
    words.resize(width.div_ceil(64) as usize, fill);
    cut(s, words, width)
}

fn concat(s: &mut Scalar, parts: &[Id], width: u32) -> Vec<Value> {
    let mut words: Vec<Option<Value>> = vec![None; width.div_ceil(64) as usize];
    let mut at = 0;
    for part in parts.iter().rev() {
        let part_width = s.width(*part);
        for (k, value) in (0u32..).zip(s.words(*part)) {
            let low = at + 64 * k;
            let (word, bit) = ((low / 64) as usize, low % 64);
            let shifted = s.body.shl_k(value, bit);
            words[word] = Some(s.body.or_option(words[word], shifted));
            if bit + (part_width - 64 * k).min(64) > 64 {
                let over = s.body.shr_k(value, 64 - bit);
                words[word + 1] = Some(s.body.or_option(words[word + 1], over));
            }
        }
        at += part_width;
    }
    words.into_iter().map(|word| word.unwrap_or_else(|| s.body.k(0))).collect()
}

fn slot(s: &mut Scalar, words: usize) -> StackSlot {
    s.body.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * words as u32, 3))
}

/// Words in a place on the stack; its address.
fn on_stack(s: &mut Scalar, words: &[Value]) -> Value {
    let slot = slot(s, words.len());
    let address = s.body.b.ins().stack_addr(I64, slot, 0);
    for (k, word) in words.iter().enumerate() {
        s.body.b.ins().store(flags(), *word, address, 8 * k as i32);
    }
    address
}

/// Calls a function that writes `width` bits to its first argument.
fn call(s: &mut Scalar, function: usize, width: u32, arguments: &[Value], numbers: &[u32]) -> Vec<Value> {
    let words = width.div_ceil(64);
    let slot = slot(s, words as usize);
    let result = s.body.b.ins().stack_addr(I64, slot, 0);
    let mut signature = Signature::new(s.helpers.convention);
    let mut values = vec![result];
    values.extend(arguments);
    signature.params.extend(values.iter().map(|_| AbiParam::new(I64)));
    for number in numbers {
        signature.params.push(AbiParam::new(I32));
        values.push(s.body.b.ins().iconst(I32, i64::from(*number)));
    }
    let signature = s.body.b.import_signature(signature);
    let callee = s.body.k(function as u64);
    s.body.b.ins().call_indirect(signature, callee, &values);
    (0..words).map(|k| s.body.b.ins().load(I64, flags(), result, 8 * k as i32)).collect()
}

fn multiply(s: &mut Scalar, a: Id, b: Id, signed: bool, width: u32) -> Vec<Value> {
    let (a_width, b_width) = (s.width(a), s.width(b));
    let (mut x, mut y) = (s.words(a), s.words(b));
    if let ([x], [y]) = (&mut x[..], &mut y[..]) {
        let high = if signed {
            *x = s.body.sign_extended(*x, a_width);
            *y = s.body.sign_extended(*y, b_width);
            s.body.b.ins().smulhi(*x, *y)
        } else {
            s.body.b.ins().umulhi(*x, *y)
        };
        let low = s.body.b.ins().imul(*x, *y);
        return cut(s, vec![low, high], width);
    }
    let (x, y) = (on_stack(s, &x), on_stack(s, &y));
    let function: extern "C" fn(*mut u64, *const u64, *const u64, u32, u32, u32) = multiply_words;
    call(s, function as usize, width, &[x, y], &[a_width, b_width, signed as u32])
}

#[derive(Clone, Copy)]
enum Shift {
    Left = 0,
    Right = 1,
    SignedRight = 2,
}

fn shift(s: &mut Scalar, a: Id, amount: Id, shift: Shift, width: u32) -> Vec<Value> {
    let (words, amount) = (s.words(a), s.amount(amount));
    let address = on_stack(s, &words);
    let function: extern "C" fn(*mut u64, *const u64, u64, u32, u32) = shift_words;
    call(s, function as usize, width, &[address, amount], &[width, shift as u32])
}

/// Reads a value of `width` bits.
///
/// # Safety
/// `words` points to its `ceil(width / 64)` words.
unsafe fn read(words: *const u64, width: u32) -> Bits {
    // SAFETY: what this function asks for.
    Bits::from_words(width, unsafe { std::slice::from_raw_parts(words, width.div_ceil(64) as usize) })
}

/// Writes a value.
///
/// # Safety
/// `words` points to room for its `ceil(width / 64)` words.
unsafe fn write(words: *mut u64, value: &Bits) {
    let value = value.to_words();
    // SAFETY: what this function asks for; the words come from elsewhere.
    unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), words, value.len()) }
}

extern "C" fn multiply_words(
    result: *mut u64,
    a: *const u64,
    b: *const u64,
    a_width: u32,
    b_width: u32,
    signed: u32,
) {
    // SAFETY: only code made by `multiply` calls this, with places on its stack that it has sized for these widths.
    unsafe { write(result, &read(a, a_width).mul(&read(b, b_width), signed != 0)) }
}

extern "C" fn shift_words(result: *mut u64, a: *const u64, amount: u64, width: u32, kind: u32) {
    let count = width.div_ceil(64) as usize;
    // SAFETY: only code made by `shift` calls this, with two places on its stack that it has sized for this width.
    let (a, result) =
        unsafe { (std::slice::from_raw_parts(a, count), std::slice::from_raw_parts_mut(result, count)) };
    let sign = kind == Shift::SignedRight as u32 && a[count - 1] >> ((width - 1) % 64) & 1 == 1;
    let fill = if sign { u64::MAX } else { 0 };
    // The number's words, with copies of its sign above and zeros below.
    let word = |k: i64| match usize::try_from(k) {
        Ok(k) if k + 1 == count && sign && !width.is_multiple_of(64) => a[k] | fill << (width % 64),
        Ok(k) if k < count => a[k],
        Ok(_) => fill,
        Err(_) => 0,
    };
    // From any amount beyond the width on, the result stays as it is.
    let amount = amount.min(u64::from(width)) as i64;
    let low = if kind == Shift::Left as u32 { -amount } else { amount };
    let (words, bits) = (low.div_euclid(64), low.rem_euclid(64));
    for (k, out) in (0i64..).zip(result.iter_mut()) {
        let below = word(k + words) >> bits;
        *out = below | word(k + words + 1).checked_shl(64 - bits as u32).unwrap_or(0);
    }
    if !width.is_multiple_of(64) {
        result[count - 1] &= (1 << (width % 64)) - 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_shifted_as_numbers_are(
            words in prop::collection::vec(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()], 5),
            width in 65u32..=320,
            amount in prop_oneof![0u64..330, Just(u64::MAX)],
        ) {
            let value = Bits::from_words(width, &words);
            for (kind, want) in [
                (Shift::Left, value.shl(amount)),
                (Shift::Right, value.shr(amount, false)),
                (Shift::SignedRight, value.shr(amount, true)),
            ] {
                let mut result = vec![0; width.div_ceil(64) as usize];
                shift_words(result.as_mut_ptr(), value.to_words().as_ptr(), amount, width, kind as u32);
                prop_assert_eq!(result, want.to_words());
            }
        }
    }
}
