//! A program as text.

use std::fmt::Write;

use ferrite_model::isa::{disassemble, is_compressed};

use super::item::Image;
use super::place::CODE;
use super::program::Program;

/// The program's instructions with their addresses, without the trap handler.
pub fn listing(program: &Program) -> String {
    let image = program.image();
    let mut text = String::new();
    for (start, bytes) in &image.items {
        list(&image, *start, *start + *bytes, &mut text);
    }
    text
}

fn half(image: &Image, address: u32) -> u32 {
    let offset = address.wrapping_sub(CODE) as usize;
    image.memory.get(offset..offset + 2).map_or(0, |bytes| u32::from(bytes[1]) << 8 | u32::from(bytes[0]))
}

fn list(image: &Image, start: u32, end: u32, text: &mut String) {
    let mut at = start;
    while at < end {
        let first = half(image, at);
        let is_narrow = is_compressed(first as u16);
        let word = if is_narrow { first } else { half(image, at + 2) << 16 | first };
        let meaning = match disassemble(word, Some(at)) {
            _ if image.refused.contains(&(at & !3)) => "cannot be fetched".to_string(),
            Some(meaning) => meaning,
            None => "undefined".to_string(),
        };
        let digits = if is_narrow { format!("{word:04x}") } else { format!("{word:08x}") };
        let _ = writeln!(text, "  {at:08x}: {digits:<8}  {meaning}");
        at += if is_narrow { 2 } else { 4 };
    }
}
