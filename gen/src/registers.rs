//! Writes `docs/registers.md`: the reference of a chip's parameters, memory map and registers.

use std::fmt::Write;

use ferrite_hw::config::{ChipConfig, PARAMETERS};
use ferrite_hw::map::{MemoryMap, Optional, Region, Register, optional};

// Results of `write!` are dropped below: writing to a string cannot fail.

/// The reference in Markdown for a valid chip.
pub fn register_reference(chip: &ChipConfig) -> String {
    let mut text = format!(
        "# Parameters, memory map and registers\n\n\
         Generated from `hw/src/config.rs` and `hw/src/map.rs`, with the values of the chip `{}`.\n\n",
        chip.name
    );
    parameters(&mut text, chip);
    let map = MemoryMap::of(chip);
    regions(&mut text, &map);
    let left_out: Vec<Optional> = optional(chip).into_iter().filter(|optional| !optional.is_there).collect();
    missing(&mut text, &left_out);
    for region in map.regions().iter().filter(|region| !region.is_memory()) {
        device(&mut text, region, "");
    }
    for Optional { region, key, .. } in left_out.iter().filter(|optional| !optional.region.is_memory()) {
        device(&mut text, region, &format!(" Only with `{key}`."));
    }
    text
}

fn parameters(text: &mut String, chip: &ChipConfig) {
    text.push_str("## Parameters\n\n| key | meaning | unit | value | allowed |\n|---|---|---|---|---|\n");
    for parameter in PARAMETERS {
        let value = parameter.value_text(chip).unwrap_or_default();
        let allowed = parameter.kind.allowed();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | `{value}` | {allowed} |",
            parameter.key, parameter.doc, parameter.unit
        );
    }
}

fn regions(text: &mut String, map: &MemoryMap) {
    text.push_str(
        "\n## Memory map\n\nAn access outside of these regions raises an access fault.\n\n\
         | name | first | last | size in bytes | access | what |\n|---|---|---|---|---|---|\n",
    );
    for region in map.regions() {
        let Region { name, base, size, doc, .. } = region;
        let (last, access) = (region.last(), region.access.letters());
        let _ = writeln!(text, "| `{name}` | `{base:#010x}` | `{last:#010x}` | {size} | {access} | {doc} |");
    }
}

/// What this chip lacks and another may have.
fn missing(text: &mut String, left_out: &[Optional]) {
    if left_out.is_empty() {
        return;
    }
    text.push_str("\nNot in this chip:\n\n| name | first | with | what |\n|---|---|---|---|\n");
    for Optional { region: Region { name, base, doc, .. }, key, .. } in left_out {
        let _ = writeln!(text, "| `{name}` | `{base:#010x}` | `{key}` | {doc} |");
    }
}

/// A device's registers. `condition` is a sentence behind its description.
fn device(text: &mut String, region: &Region, condition: &str) {
    let Region { name, base, doc, .. } = region;
    let interrupt = match region.interrupt {
        Some(source) => format!(" It is source {source} of the interrupt controller."),
        None => String::new(),
    };
    let _ = write!(text, "\n## `{name}` at {base:#010x}\n\n{doc}.{interrupt}{condition}\n");
    if region.registers().is_empty() {
        return;
    }
    let _ = write!(text, "\n| offset | register | bits | access | what |\n|---|---|---|---|---|\n");
    for Register { name, offset, count, bits, access, doc, .. } in region.registers() {
        let offset = match count {
            1 => format!("`{offset:#06x}`"),
            _ => format!("`{offset:#06x}` + {} `n`, `n` < {count}", bits / 8),
        };
        let _ = writeln!(text, "| {offset} | `{name}` | {bits} | {} | {doc} |", access.letters());
    }
    for register in region.registers() {
        details(text, register);
    }
}

fn details(text: &mut String, register: &Register) {
    if !register.fields.is_empty() {
        let _ = write!(text, "\nFields of `{}`:\n\n| bits | field | what |\n|---|---|---|\n", register.name);
    }
    for field in register.fields {
        let last = field.lsb + field.bits - 1;
        let bits = if last == field.lsb { last.to_string() } else { format!("{last}:{}", field.lsb) };
        let _ = writeln!(text, "| {bits} | `{}` | {} |", field.name, field.doc);
    }
    if !register.values.is_empty() {
        let _ = write!(text, "\nValues of `{}`:\n\n| value | name | what |\n|---|---|---|\n", register.name);
    }
    for value in register.values {
        let _ = writeln!(text, "| `{:#06x}` | `{}` | {} |", value.value, value.name, value.doc);
    }
}
