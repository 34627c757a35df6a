//! Writes the CMSIS-SVD file (Arm CMSIS-SVD schema 1.3) of a chip's devices, for debuggers and for generators of register access code.

use std::fmt::Write;

use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{Access, MemoryMap, Region, Register};

// Results of `write!` are dropped below: writing to a string cannot fail.

/// The SVD file for a valid chip.
pub fn svd(chip: &ChipConfig) -> String {
    let name = &chip.name;
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <device schemaVersion=\"1.3\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xs:noNamespaceSchemaLocation=\"CMSIS-SVD.xsd\">\n  \
         <name>{name}</name>\n  <version>{version}</version>\n  \
         <description>Ferrite chip with an RV32IM core</description>\n  \
         <addressUnitBits>8</addressUnitBits>\n  <width>32</width>\n  <size>32</size>\n  \
         <resetValue>0x00000000</resetValue>\n  <resetMask>0x00000000</resetMask>\n  <peripherals>\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    for region in MemoryMap::of(chip).regions().iter().filter(|region| !region.registers().is_empty()) {
        peripheral(&mut text, region);
    }
    text.push_str("  </peripherals>\n</device>\n");
    text
}

fn peripheral(text: &mut String, region: &Region) {
    let Region { name, base, size, doc, .. } = region;
    let _ = write!(
        text,
        "    <peripheral>\n      <name>{}</name>\n      <description>{}</description>\n      \
         <baseAddress>{base:#010x}</baseAddress>\n      <addressBlock>\n        <offset>0x0</offset>\n        \
         <size>{size:#x}</size>\n        <usage>registers</usage>\n      </addressBlock>\n",
        name.to_uppercase(),
        escaped(doc),
    );
    if let Some(source) = region.interrupt {
        let _ = write!(
            text,
            "      <interrupt>\n        <name>{}</name>\n        <value>{source}</value>\n      </interrupt>\n",
            name.to_uppercase()
        );
    }
    text.push_str("      <registers>\n");
    let mut alternative: Option<&Register> = None;
    for entry in region.registers() {
        let first = alternative.filter(|first| first.offset == entry.offset);
        // The bus is 32 bits wide: a longer register is read and written as two words, the low one first.
        match entry.bits {
            64 => {
                register(text, entry, first, &format!("{}_LO", entry.name), entry.offset, 32);
                register(text, entry, first, &format!("{}_HI", entry.name), entry.offset + 4, 32);
            }
            bits => register(text, entry, first, &svd_name(entry), entry.offset, bits),
        }
        alternative = first.or(Some(entry));
    }
    text.push_str("      </registers>\n    </peripheral>\n");
}

/// The name of a register; of one of an array, with the place of its number.
fn svd_name(register: &Register) -> String {
    if register.count > 1 { format!("{}%s", register.name) } else { register.name.to_string() }
}

/// A register, half of one, or an array of them. `first` is the one that the file has at the same address already.
fn register(
    text: &mut String,
    register: &Register,
    first: Option<&Register>,
    name: &str,
    offset: u32,
    bits: u32,
) {
    let Register { doc, count, .. } = register;
    text.push_str("        <register>\n");
    if *count > 1 {
        let bytes = bits / 8;
        let _ =
            write!(text, "          <dim>{count}</dim>\n          <dimIncrement>{bytes}</dimIncrement>\n");
    }
    let _ = write!(
        text,
        "          <name>{name}</name>\n          <description>{}</description>\n",
        escaped(doc)
    );
    if let Some(first) = first {
        let _ = writeln!(text, "          <alternateRegister>{}</alternateRegister>", first.name);
    }
    let _ = write!(
        text,
        "          <addressOffset>{offset:#x}</addressOffset>\n          <size>{bits}</size>\n          \
         <access>{}</access>\n",
        access(register.access),
    );
    if !register.fields.is_empty() {
        text.push_str("          <fields>\n");
        for field in register.fields {
            let _ = write!(
                text,
                "            <field><name>{}</name><description>{}</description><bitOffset>{}</bitOffset>\
                 <bitWidth>{}</bitWidth>",
                field.name,
                escaped(field.doc),
                field.lsb,
                field.bits
            );
            // The register's named values are those of its lowest field.
            if field.lsb == 0 && !register.values.is_empty() {
                text.push_str("<enumeratedValues>");
                for value in register.values {
                    let _ = write!(
                        text,
                        "<enumeratedValue><name>{}</name><description>{}</description><value>{:#x}</value></enumeratedValue>",
                        value.name,
                        escaped(value.doc),
                        value.value
                    );
                }
                text.push_str("</enumeratedValues>");
            }
            text.push_str("</field>\n");
        }
        text.push_str("          </fields>\n");
    }
    text.push_str("        </register>\n");
}

fn access(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "read-only",
        Access::WriteOnly => "write-only",
        Access::ReadWrite => "read-write",
    }
}

/// A documentation line as XML text: without the marks of Markdown.
fn escaped(doc: &str) -> String {
    doc.replace('`', "").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_and_register_of_the_map_is_in_the_file_and_no_memory() {
        let chip = ChipConfig::default();
        let text = svd(&chip);
        for region in MemoryMap::of(&chip).regions() {
            let base = format!("<baseAddress>{:#010x}</baseAddress>", region.base);
            assert_eq!(text.contains(&base), !region.is_memory(), "{}", region.name);
            for register in region.registers() {
                let parts = match register {
                    Register { bits: 64, .. } => &["_LO", "_HI"][..],
                    Register { count: 1, .. } => &[""],
                    _ => &["%s"],
                };
                for part in parts {
                    assert!(text.contains(&format!("<name>{}{part}</name>", register.name)));
                }
                for value in register.values {
                    assert!(text.contains(&format!("<value>{:#x}</value>", value.value)));
                }
            }
        }
        assert_eq!(text.matches("<peripheral>").count(), text.matches("</peripheral>").count());
    }

    #[test]
    fn marks_of_xml_in_a_description_are_escaped() {
        assert_eq!(escaped("`a` < b & c"), "a &lt; b &amp; c");
    }
}
