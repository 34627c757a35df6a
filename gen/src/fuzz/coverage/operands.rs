//! Which instructions were executed, and with which operands.

use ferrite_model::isa::{
    COMPRESSED_TABLE, Extension, Format, Inst, Op, Spec, TABLE, decode_compressed, is_compressed,
};
use ferrite_model::iss::{Retired, cause};

use super::{Group, Observation, Past};
use crate::fuzz::Traits;

/// Values at which results change their nature.
const CORNERS: [(u32, &str); 5] =
    [(0, "0"), (1, "1"), (u32::MAX, "-1"), (1 << 31, "min"), ((1 << 31) - 1, "max")];
const COUNT: usize = CORNERS.len();
const EQUAL: usize = 2 * COUNT;
const RD_IS_RS1: usize = EQUAL + 1;
const RD_IS_RS2: usize = EQUAL + 2;
const RD_IS_X0: usize = EQUAL + 3;
const RS1_IS_X0: usize = EQUAL + 4;
const RS2_IS_X0: usize = EQUAL + 5;
/// Things that can be said about an instruction's operands.
const PER_INSTRUCTION: usize = EQUAL + 6;

/// The instruction, if it was executed, whatever came of it: with a trap only if that follows from its operands.
pub fn executed(retired: &Retired) -> Option<Inst> {
    let refused = |code| matches!(code, cause::INSTRUCTION_ACCESS | cause::ILLEGAL_INSTRUCTION);
    retired.inst.filter(|_| !retired.trap.is_some_and(|trap| refused(trap.cause)))
}

fn corner(value: u32) -> Option<usize> {
    CORNERS.iter().position(|(corner, _)| *corner == value)
}

/// Every instruction.
pub fn instructions(traits: &Traits) -> Group {
    let name = |spec: &Spec| traits.has(spec.op).then(|| spec.mnemonic.to_string());
    Group::new("instructions", TABLE.iter().map(name).collect())
}

pub fn observe_instruction(group: &mut Group, _: &Traits, _: &Past, o: &Observation<'_>) {
    if let Some(inst) = executed(o.retired) {
        group.hit(inst.op as usize);
    }
}

/// Every 16-bit instruction.
pub fn compressed(traits: &Traits) -> Group {
    let exists = traits.has_halves();
    let names = COMPRESSED_TABLE.iter().map(|spec| exists.then(|| spec.mnemonic.to_string()));
    Group::new("16-bit instructions", names.collect())
}

pub fn observe_compressed(group: &mut Group, traits: &Traits, _: &Past, o: &Observation<'_>) {
    let half = o.retired.word as u16;
    if traits.has_halves()
        && is_compressed(half)
        && executed(o.retired).is_some()
        && let Some(inst) = decode_compressed(half)
    {
        group.hit(inst.op as usize);
    }
}

/// Corner values, equal values and equal registers for every instruction.
pub fn operands(traits: &Traits) -> Group {
    let names = TABLE.iter().flat_map(|spec| {
        let exists = traits.has(spec.op);
        let (values1, values2) = value_operands(spec);
        let (rd, rs1, rs2) = (spec.format.writes_rd(), spec.format.reads_rs1(), spec.format.reads_rs2());
        (0..PER_INSTRUCTION).map(move |k| {
            let (is_there, text) = match k {
                k if k < COUNT => (values1, format!("rs1 = {}", CORNERS[k].1)),
                k if k < EQUAL => (values2, format!("rs2 = {}", CORNERS[k - COUNT].1)),
                EQUAL => (values1 && values2, "equal operands".to_string()),
                RD_IS_RS1 => (rd && rs1, "rd is rs1".to_string()),
                RD_IS_RS2 => (rd && rs2, "rd is rs2".to_string()),
                RD_IS_X0 => (rd, "rd is x0".to_string()),
                RS1_IS_X0 => (rs1, "rs1 is x0".to_string()),
                _ => (rs2, "rs2 is x0".to_string()),
            };
            (exists && is_there).then(|| format!("{}: {text}", spec.mnemonic))
        })
    });
    Group::new("operands", names.collect())
}

/// Whether rs1 and rs2 are numbers; addresses have no corners.
fn value_operands(spec: &Spec) -> (bool, bool) {
    let is_address = matches!(spec.format, Format::Load | Format::Store | Format::Jalr);
    (spec.format.reads_rs1() && !is_address, spec.format.reads_rs2())
}

pub fn observe_operands(group: &mut Group, _: &Traits, _: &Past, o: &Observation<'_>) {
    let Some(inst) = executed(o.retired) else { return };
    let format = inst.op.spec().format;
    let (rd, rs1, rs2) = (format.writes_rd(), format.reads_rs1(), format.reads_rs2());
    let first = inst.op as usize * PER_INSTRUCTION;
    let (a, b) = o.retired.rs_values;
    let at = |value| corner(value).filter(|_| rs1).map(|k| first + k);
    if let Some(place) = at(a) {
        group.hit(place);
    }
    if let Some(k) = corner(b).filter(|_| rs2) {
        group.hit(first + COUNT + k);
    }
    group.hit_if(first + EQUAL, rs1 && rs2 && a == b);
    group.hit_if(first + RD_IS_RS1, rd && rs1 && inst.rd == inst.rs1);
    group.hit_if(first + RD_IS_RS2, rd && rs2 && inst.rd == inst.rs2);
    group.hit_if(first + RD_IS_X0, rd && inst.rd.number() == 0);
    group.hit_if(first + RS1_IS_X0, rs1 && inst.rs1.number() == 0);
    group.hit_if(first + RS2_IS_X0, rs2 && inst.rs2.number() == 0);
}

/// Pairs of corner values for products and quotients.
pub fn pairs(traits: &Traits) -> Group {
    let names = of_m().flat_map(|spec| {
        let exists = traits.has(spec.op);
        (0..COUNT * COUNT).map(move |k| {
            let (a, b) = (CORNERS[k / COUNT].1, CORNERS[k % COUNT].1);
            exists.then(|| format!("{}: {a} and {b}", spec.mnemonic))
        })
    });
    Group::new("pairs of factors, and of dividend and divisor", names.collect())
}

fn of_m() -> impl Iterator<Item = &'static Spec> {
    TABLE.iter().filter(|spec| spec.extension == Extension::M)
}

pub fn observe_pair(group: &mut Group, _: &Traits, _: &Past, o: &Observation<'_>) {
    let Some(inst) = executed(o.retired).filter(|inst| inst.op.spec().extension == Extension::M) else {
        return;
    };
    let (a, b) = o.retired.rs_values;
    if let (Some(a), Some(b)) = (corner(a), corner(b)) {
        let op = inst.op as usize - Op::Mul as usize;
        group.hit(op * COUNT * COUNT + a * COUNT + b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instructions_of_m_stand_together_in_the_table() {
        let first = Op::Mul as usize;
        assert!(of_m().enumerate().all(|(k, spec)| spec.op as usize == first + k));
    }
}
