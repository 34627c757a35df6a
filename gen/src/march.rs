//! What compilers call a core's instruction set: the text behind `-march=`
//! (RISC-V Unprivileged 20240411, chapter 36, "ISA Extension Naming Conventions").

use ferrite_hw::config::{ChipConfig, CoreConfig};

/// What compilers call the way in which functions of a chip's programs are called; all chips have it in common.
pub const MABI: &str = "ilp32";

/// The instruction set of a core, as `-march=` wants it.
pub fn march(core: &CoreConfig) -> String {
    let mut text = String::from("rv32i");
    let extensions = core.extensions;
    for (letter, present) in [("m", extensions.m), ("c", extensions.c)] {
        if present {
            text.push_str(letter);
        }
    }
    text.push_str("_zicsr_zifencei");
    for (name, present) in [("_zba", extensions.zba), ("_zbb", extensions.zbb), ("_zbs", extensions.zbs)] {
        if present {
            text.push_str(name);
        }
    }
    text
}

/// The extensions in the name of an instruction set that a core lacks, by their names, without versions.
///
/// The name is that of a program's attributes: with or without versions and underscores, in any order.
pub fn lacking(march: &str, core: &CoreConfig) -> Vec<String> {
    let march = march.to_ascii_lowercase();
    let mut found: Vec<String> = Vec::new();
    for part in march.strip_prefix("rv32").unwrap_or(&march).split('_') {
        found.extend(names(part));
    }
    found.retain(|name| !has(core, name));
    found.dedup();
    found
}

/// The extensions in a part of a name without underscores.
fn names(part: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = part;
    while let Some(first) = rest.chars().next() {
        if matches!(first, 'z' | 's' | 'x') {
            // The names of several letters go up to the next underscore.
            names.push(without_version(rest).to_string());
            break;
        }
        names.push(first.to_string());
        rest = &rest[first.len_utf8()..];
        rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        // The p of a version stands between digits; alone it is an extension.
        if let Some(minor) =
            rest.strip_prefix('p').filter(|minor| minor.starts_with(|c: char| c.is_ascii_digit()))
        {
            rest = minor.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    names
}

/// `zba1p0` as `zba`. Digits that are no version belong to the name, as in `zve32x`.
fn without_version(name: &str) -> &str {
    let is_digit = |c: char| c.is_ascii_digit();
    let major = name.trim_end_matches(is_digit).strip_suffix('p').filter(|major| major.ends_with(is_digit));
    major.map_or(name, |major| major.trim_end_matches(is_digit))
}

/// Whether a core has an extension. Hints are instructions of the base that do nothing.
fn has(core: &CoreConfig, name: &str) -> bool {
    let extensions = core.extensions;
    match name {
        "i" | "e" | "zicsr" | "zifencei" => true,
        "m" | "zmmul" => extensions.m,
        "c" | "zca" => extensions.c,
        "zba" => extensions.zba,
        "zbb" => extensions.zbb,
        "zbs" => extensions.zbs,
        "b" => extensions.zba && extensions.zbb && extensions.zbs,
        "zicntr" | "zihpm" => core.counters,
        other => other.starts_with("zihint"),
    }
}

/// `chip.mk`: how programs for a valid chip are compiled, for Make.
pub fn compiler_options(chip: &ChipConfig) -> String {
    format!(
        "# How programs for the chip `{}` are compiled: -march=$(MARCH) -mabi=$(MABI).\n\
         # Written by `ferrite gen` from the chip's description: change that, not this file.\n\
         MARCH := {}\n\
         MABI := {MABI}\n",
        chip.name,
        march(&chip.core)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_have_the_names_that_compilers_know() {
        assert_eq!(march(&CoreConfig::FAST), "rv32imc_zicsr_zifencei_zba_zbb_zbs");
        assert_eq!(march(&CoreConfig::SMALL), "rv32i_zicsr_zifencei");
    }

    #[test]
    fn a_core_lacks_nothing_of_its_own_instruction_set() {
        for core in [CoreConfig::FAST, CoreConfig::SMALL] {
            assert_eq!(lacking(&march(&core), &core), [""; 0]);
        }
    }

    #[test]
    fn names_are_read_with_versions_and_without() {
        let lacks = |name| lacking(name, &CoreConfig::SMALL).join(" ");
        assert_eq!(lacks("rv32i2p1_m2p0_c2p0_zicsr2p0_zifencei2p0_zba1p0"), "m c zba");
        assert_eq!(lacks("rv32imac"), "m a c");
        assert_eq!(lacks("rv32i2p0m2p0p0p1_zihintpause2p0_zve32x"), "m p zve32x");
        assert_eq!(lacks("RV32IMZba"), "m zba");
        assert_eq!(lacking("rv32i2p1_m2p0_a2p1_f2p2", &CoreConfig::FAST), ["a", "f"]);
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        for text in ["", "rv32", "rv64gc", "é_zé1p", "rv32ip", "rv32i2p", "z", "_", "rv32i_1p0"] {
            lacking(text, &CoreConfig::SMALL);
        }
    }
}
