//! Results that are needed one, two or three instructions later.

use ferrite_model::isa::{Extension, Format, Inst, Op};

use super::operands::executed;
use super::{Group, Observation, Past};
use crate::fuzz::Traits;

/// Instructions between which a result can still be under way.
const DISTANCES: usize = 3;

/// Who makes the result.
const PRODUCERS: [&str; 9] =
    ["alu", "lui or auipc", "link", "load", "multiply", "divide", "bit manipulation", "csr", "coprocessor"];

/// Who needs it, and as what.
const CONSUMERS: [(&str, &str); 17] = [
    ("alu", "rs1"),
    ("alu", "rs2"),
    ("bit manipulation", "rs1"),
    ("bit manipulation", "rs2"),
    ("branch", "rs1"),
    ("branch", "rs2"),
    ("jalr", "rs1"),
    ("load", "rs1"),
    ("store", "rs1"),
    ("store", "rs2"),
    ("multiply", "rs1"),
    ("multiply", "rs2"),
    ("divide", "rs1"),
    ("divide", "rs2"),
    ("csr", "rs1"),
    ("coprocessor", "rs1"),
    ("coprocessor", "rs2"),
];

fn family(inst: Inst) -> &'static str {
    let spec = inst.op.spec();
    match (spec.extension, spec.format) {
        (Extension::M, _) if inst.op as usize <= Op::Mulhu as usize => "multiply",
        (Extension::M, _) => "divide",
        (Extension::Zba | Extension::Zbb | Extension::Zbs, _) => "bit manipulation",
        (Extension::Tensor, _) => "coprocessor",
        (Extension::Zicsr, _) => "csr",
        (_, Format::Load) => "load",
        (_, Format::Store) => "store",
        (_, Format::Branch) => "branch",
        (_, Format::Jalr) => "jalr",
        (_, Format::Jal) => "jal",
        (_, Format::U) => "lui or auipc",
        _ => "alu",
    }
}

fn producer(inst: Inst) -> Option<usize> {
    let family = match family(inst) {
        "jal" | "jalr" => "link",
        other => other,
    };
    PRODUCERS.iter().position(|name| *name == family)
}

fn consumer(family: &str, operand: &str) -> Option<usize> {
    CONSUMERS.iter().position(|(name, which)| *name == family && *which == operand)
}

fn exists(traits: &Traits, family: &str) -> bool {
    let extensions = traits.core.extensions;
    match family {
        "multiply" | "divide" => extensions.m,
        "bit manipulation" => extensions.zba || extensions.zbb || extensions.zbs,
        "coprocessor" => traits.has_coprocessor,
        _ => true,
    }
}

/// Every producer before every consumer.
pub fn hazards(traits: &Traits) -> Group {
    let mut names = Vec::new();
    for producer in PRODUCERS {
        for (consumer, operand) in CONSUMERS {
            for distance in 1..=DISTANCES {
                let there = exists(traits, producer) && exists(traits, consumer);
                names.push(
                    there.then(|| format!("{producer}, then as {operand} of {consumer}, {distance} later")),
                );
            }
        }
    }
    Group::new("hazards", names)
}

pub fn observe(group: &mut Group, _: &Traits, past: &Past, o: &Observation<'_>) {
    let Some(inst) = executed(o.retired).filter(|_| !o.retired.handler_entry) else { return };
    let format = inst.op.spec().format;
    let family = family(inst);
    let sources = [("rs1", inst.rs1, format.reads_rs1()), ("rs2", inst.rs2, format.reads_rs2())];
    for (operand, register, is_read) in sources {
        if !is_read || register.number() == 0 {
            continue;
        }
        // The newest of those that wrote the register.
        let wrote = |passed: &super::Passed| passed.rd == Some(register);
        let newest = past.instructions.iter().map_while(|passed| passed.as_ref()).position(wrote);
        let Some(distance) = newest else { continue };
        let by = past.instructions[distance].and_then(|passed| producer(passed.inst));
        if let (Some(by), Some(to)) = (by, consumer(family, operand)) {
            group.hit((by * CONSUMERS.len() + to) * DISTANCES + distance);
        }
    }
}
