//! Writes `ferrite.h`: a chip's parameters, memory map and registers for C and assembly.

use std::fmt::Write;

use ferrite_hw::config::{ADDRESS, ChipConfig, Kind, PARAMETERS};
use ferrite_hw::map::{Field, MemoryMap, NamedValue, Region, Register, TENSOR_INTERRUPT};

use crate::march::{MABI, march};

/// The header for a valid chip.
///
/// Numbers have no suffix, so that the assembler reads them too; in C a hexadecimal number that does not fit an `int`
/// is unsigned by itself.
pub fn header(chip: &ChipConfig) -> String {
    let mut text = format!(
        "/* Parameters, memory map and registers of the chip `{}`.\n\
         \x20* Written by `ferrite gen` from the chip's description: change that, not this file.\n\
         \x20* Programs are compiled with -march={} -mabi={MABI}. */\n\
         #ifndef FERRITE_H\n\
         #define FERRITE_H\n\n",
        chip.name,
        march(&chip.core)
    );
    text.push_str(ACCESS);
    text.push_str("/* Parameters */\n\n");
    for parameter in PARAMETERS {
        let unit =
            if ["", ADDRESS].contains(&parameter.unit) { "" } else { &format!(", in {}", parameter.unit) };
        let value = match parameter.kind {
            Kind::Switch { get, .. } => Some(u32::from(get(chip)).to_string()),
            _ => parameter.value_text(chip),
        };
        if let Some(value) = value {
            define(&mut text, &parameter.key.replace('.', "_"), &value, &format!("{}{unit}", parameter.doc));
        }
    }
    let map = MemoryMap::of(chip);
    if chip.tensor.is_some() {
        let source = TENSOR_INTERRUPT.to_string();
        define(
            &mut text,
            "tensor_interrupt",
            &source,
            "number of the tensor unit's source at the interrupt controller",
        );
    }
    for region in map.regions() {
        region_macros(&mut text, region);
    }
    text.push_str("\n#endif\n");
    text
}

// Below, results of `write!` are dropped: writing to a string cannot fail.

/// How C reaches a register.
const ACCESS: &str = "\
#ifndef __ASSEMBLER__
#include <stdint.h>
/* The register of 8 or 32 bits at an address. */
#define FERRITE_REG8(address) (*(volatile uint8_t *)(address))
#define FERRITE_REG32(address) (*(volatile uint32_t *)(address))
#endif

";

fn define(text: &mut String, name: &str, value: &str, doc: &str) {
    let name = name.to_uppercase();
    let _ = write!(text, "/* {doc} */\n#define FERRITE_{name} {value}\n");
}

fn region_macros(text: &mut String, region: &Region) {
    let _ = write!(text, "\n/* {} */\n\n", region.doc);
    define(text, &format!("{}_BASE", region.name), &format!("{:#010x}", region.base), "first address");
    define(text, &format!("{}_SIZE", region.name), &format!("{:#x}", region.size), "size in bytes");
    if let Some(source) = region.interrupt {
        define(
            text,
            &format!("{}_INTERRUPT", region.name),
            &source.to_string(),
            "number of its source at the interrupt controller",
        );
    }
    for register in region.registers() {
        register_macros(text, region, register);
    }
}

fn register_macros(text: &mut String, region: &Region, register: &Register) {
    let name = format!("{}_{}", region.name, register.name);
    let Register { bits, doc, count, .. } = register;
    let many = if *count > 1 { &format!("first of {count}, ") } else { "" };
    let doc = format!("{doc} ({many}{bits} bits, {})", register.access.letters());
    define(text, &name, &format!("{:#010x}", region.base + register.offset), &doc);
    for field @ Field { doc, .. } in register.fields {
        // A field of the register's own name needs no second name for it.
        let name = if field.name == register.name { name.clone() } else { format!("{name}_{}", field.name) };
        define(text, &format!("{name}_SHIFT"), &field.lsb.to_string(), doc);
        let _ = writeln!(text, "#define FERRITE_{}_MASK {:#x}", name.to_uppercase(), field.mask());
    }
    for NamedValue { name: value_name, value, doc } in register.values {
        define(text, &format!("{name}_{value_name}"), &format!("{value:#x}"), doc);
    }
}
