//! The hierarchy block of an FST file: scopes, names and enum tables, which are attributes.

use ferrite_hdl::EncodingInfo;

use super::format::{Direction, Kind, block, put_number};

const BLOCK_LZ4: u8 = 6;
const ATTRIBUTE: u8 = 252;
const SCOPE: u8 = 254;
const UP_SCOPE: u8 = 255;
const MODULE: u8 = 0;
const ATTRIBUTE_MISC: u8 = 0;
const MISC_ENUM_TABLE: u8 = 7;

/// Readers take no longer names.
const MAX_NAME_BYTES: usize = 511;
/// Readers take no longer enum tables.
const MAX_TABLE_BYTES: usize = 65_535;

/// The entries of the block, as they are appended.
#[derive(Default)]
pub(super) struct Hierarchy {
    entries: Vec<u8>,
    /// The enums that have a table; an enum's number is its position, from 1.
    tables: Vec<&'static EncodingInfo>,
}

impl Hierarchy {
    /// Writes an enum's names and codes down, once.
    pub fn enum_table(&mut self, encoding: &'static EncodingInfo) {
        let text = table(encoding);
        if !self.tables.contains(&encoding) && text.len() <= MAX_TABLE_BYTES {
            self.tables.push(encoding);
            self.attribute(&text, self.tables.len());
        }
    }

    /// Opens a scope: an instance, and the module that it is of.
    pub fn scope(&mut self, name: &str, module: &str) {
        self.entries.extend([SCOPE, MODULE]);
        self.name(name);
        self.name(module);
    }

    /// Closes the scope opened last.
    pub fn up_scope(&mut self) {
        self.entries.push(UP_SCOPE);
    }

    /// A signal. `alias` is 0 for one with a trace of its own, else the number of another's trace, from 1.
    pub fn var(
        &mut self,
        name: &str,
        width: u32,
        kind: Kind,
        direction: Direction,
        encoding: Option<&EncodingInfo>,
        alias: usize,
    ) {
        if let Some(table) = self.tables.iter().position(|t| Some(*t) == encoding) {
            self.attribute("", table + 1);
        }
        self.entries.extend([kind as u8, direction as u8]);
        // The range is part of the name, as in the files of Verilog simulators.
        match width {
            1 => self.name(name),
            _ => self.name(&format!("{name} [{}:0]", width - 1)),
        }
        put_number(&mut self.entries, width.into());
        put_number(&mut self.entries, alias as u64);
    }

    /// The block as it stands in the file.
    pub fn block(&self) -> Vec<u8> {
        let length = (self.entries.len() as u64).to_be_bytes();
        block(BLOCK_LZ4, &[&length, &lz4_flex::block::compress(&self.entries)])
    }

    fn attribute(&mut self, text: &str, argument: usize) {
        self.entries.extend([ATTRIBUTE, ATTRIBUTE_MISC, MISC_ENUM_TABLE]);
        self.entries.extend(text.bytes().chain([0]));
        put_number(&mut self.entries, argument as u64);
    }

    fn name(&mut self, name: &str) {
        self.entries.extend(name.bytes().take(MAX_NAME_BYTES).chain([0]));
    }
}

/// `State 2 Idle Busy 0 1`: an enum's name, how many values it has, their names, their codes.
fn table(encoding: &EncodingInfo) -> String {
    let names = encoding.variants.iter().map(|(name, _)| name.to_string());
    let codes =
        encoding.variants.iter().map(|(_, code)| format!("{code:0width$b}", width = encoding.width as usize));
    let head = [encoding.name.to_string(), encoding.variants.len().to_string()];
    head.into_iter().chain(names).chain(codes).collect::<Vec<_>>().join(" ")
}
