//! Memories.

use std::panic::Location;

use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{report, with_building};
use crate::ir::{self, Loc, MemoryId, ReadPort, Signal, SignalKind, Stmt};
use crate::shape::bits;
use crate::signal::{MAX_WIDTH, Operand, UInt};

/// The largest memory, in bits.
pub const MAX_MEMORY_BITS: u64 = 1 << 33;

/// A memory of the module being built. Reads and writes take part in the clock and the `when`s around them. A read at
/// an edge that also writes the word gives the old word.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    id: MemoryId,
    depth: u32,
    width: u32,
}

impl Memory {
    pub(crate) fn make(name: &str, depth: u32, width: u32, loc: Loc) -> Memory {
        let total = depth as u64 * width as u64;
        let ok = depth.is_power_of_two()
            && depth > 1
            && width > 0
            && width <= MAX_WIDTH
            && total <= MAX_MEMORY_BITS;
        if !ok {
            let message = format!("memory `{name}` would have {depth} words of {width} bits");
            let help = format!(
                "the depth is a power of two from 2 on, the width 1 to {MAX_WIDTH}, the whole at most 2^33 bits; {depth} rounds up to {}",
                depth.max(2).checked_next_power_of_two().unwrap_or(1 << 31)
            );
            report(Diagnostic::new(Kind::MemoryShape, loc, message).help(help));
        }
        // After a mistake: the next possible size, so that addresses are judged as they were meant.
        let rounded = depth.clamp(2, 1 << 16).next_power_of_two();
        let (depth, width) = if ok { (depth, width) } else { (rounded, width.clamp(1, MAX_WIDTH)) };
        let id = with_building(|b, _| {
            let id = MemoryId(b.ir.memories.len() as u32);
            b.ir.memories.push(ir::Memory {
                name: name.to_string(),
                depth,
                width,
                init: Vec::new(),
                reads: Vec::new(),
                writes: Vec::new(),
                doc: String::new(),
                loc,
            });
            id
        });
        Memory { id: id.unwrap_or(MemoryId(0)), depth, width }
    }

    /// Bits of an address.
    pub fn addr_width(&self) -> u32 {
        self.depth.trailing_zeros().max(1)
    }

    /// The first words' initial contents; the rest stays 0.
    #[track_caller]
    pub fn with_contents(self, words: impl IntoIterator<Item = Bits>) -> Memory {
        let loc = Location::caller();
        let words: Vec<Bits> = words.into_iter().take(self.depth as usize + 1).collect();
        let wrong = words.iter().position(|w| w.width() != self.width);
        if words.len() > self.depth as usize || wrong.is_some() {
            let message = match wrong {
                Some(k) => {
                    format!("word {k} has {} bits, the memory's words have {}", words[k].width(), self.width)
                }
                None => format!("more contents than the memory's {} words", self.depth),
            };
            report(
                Diagnostic::new(Kind::MemoryContents, loc, message)
                    .help("give at most `depth` words of the memory's width"),
            );
            return self;
        }
        with_building(|b, _| {
            if let Some(memory) = b.ir.memories.get_mut(self.id.index()) {
                memory.init = words;
            }
        });
        self
    }

    /// Initial contents from a text file of hexadecimal words as Verilog's `$readmemh` reads it (without addresses).
    #[track_caller]
    pub fn with_hex_file(self, path: impl AsRef<std::path::Path>) -> Memory {
        let loc = Location::caller();
        let path = path.as_ref();
        match read_hex(path, self.width, self.depth) {
            Ok(words) => self.with_contents(words),
            Err(why) => {
                let message = format!("{}: {why}", path.display());
                let help =
                    format!("the file holds up to {} hexadecimal words of {} bits", self.depth, self.width);
                report(Diagnostic::new(Kind::MemoryContents, loc, message).help(help));
                self
            }
        }
    }

    fn address(&self, addr: impl Into<Operand>, loc: Loc) -> UInt {
        let addr = addr.into().resolve(self.addr_width(), loc);
        if addr.width() != self.addr_width() {
            let message = format!(
                "the address has {} bits; a memory of {} words needs {}",
                addr.width(),
                self.depth,
                self.addr_width()
            );
            let help = "take a slice of it, or extend it";
            report(Diagnostic::new(Kind::AddressWidth, loc, message).help(help));
            return crate::signal::constant(Bits::zero(self.addr_width()), None, loc);
        }
        addr
    }

    fn port(&self, name: &str, addr: Option<UInt>, loc: Loc) -> (UInt, usize) {
        let made = with_building(|b, _| {
            let clock = b.clock;
            let port = b.ir.memories.get(self.id.index())?.reads.len();
            let data = b.push_signal(Signal {
                name: name.to_string(),
                shape: bits(self.width),
                kind: SignalKind::MemoryRead(self.id, port),
                is_output: false,
                clock,
                doc: String::new(),
                loc,
            });
            if addr.is_none() {
                b.ir.clock_used[clock.index()] = true;
            }
            b.ir.memories[self.id.index()].reads.push(ReadPort {
                data,
                async_addr: addr.map(|a| a.node),
                clock,
            });
            Some((UInt::of_signal(b, data), port))
        });
        made.flatten().unwrap_or((UInt::INVALID, 0))
    }

    /// Reads a word without a clock: `name` always holds the word at `addr`.
    #[track_caller]
    pub fn read_async(&self, name: &str, addr: impl Into<Operand>) -> UInt {
        let loc = Location::caller();
        let addr = self.address(addr, loc);
        self.port(name, Some(addr), loc).0
    }

    /// Reads a word at the clock edge, where the surrounding `when`s hold: `name` holds it from then on.
    #[track_caller]
    pub fn read(&self, name: &str, addr: impl Into<Operand>) -> UInt {
        let loc = Location::caller();
        let addr = self.address(addr, loc);
        let (data, port) = self.port(name, None, loc);
        with_building(|b, _| b.push_stmt(Stmt::MemoryRead { memory: self.id, port, addr: addr.node, loc }));
        data
    }

    /// Writes a word at the clock edge, where the surrounding `when`s hold.
    #[track_caller]
    pub fn write(&self, addr: impl Into<Operand>, data: impl Into<Operand>) {
        self.write_at(addr.into(), data.into(), None, Location::caller());
    }

    /// Writes the lanes of a word whose mask bits are 1; lane 0 is the least significant. For byte enables the mask has
    /// `width / 8` bits.
    #[track_caller]
    pub fn write_masked(&self, addr: impl Into<Operand>, data: impl Into<Operand>, mask: UInt) {
        self.write_at(addr.into(), data.into(), Some(mask), Location::caller());
    }

    fn write_at(&self, addr: Operand, data: Operand, mask: Option<UInt>, loc: Loc) {
        let addr = self.address(addr, loc);
        let mut data = data.resolve(self.width, loc);
        if data.width() != self.width {
            let message =
                format!("the data have {} bits; the memory's words have {}", data.width(), self.width);
            report(Diagnostic::new(Kind::WidthMismatch, loc, message).help("extend or truncate the data"));
            data = crate::signal::constant(Bits::zero(self.width), None, loc);
        }
        let mask = mask.map(|m| m.checked(loc)).filter(|mask| {
            let ok = self.width.is_multiple_of(mask.width());
            if !ok {
                let message =
                    format!("a mask of {} bits does not divide words of {} bits", mask.width(), self.width);
                report(
                    Diagnostic::new(Kind::WidthMismatch, loc, message)
                        .help("one mask bit stands for an equal part of the word"),
                );
            }
            ok
        });
        with_building(|b, _| {
            let clock = b.clock;
            b.ir.clock_used[clock.index()] = true;
            let Some(memory) = b.ir.memories.get_mut(self.id.index()) else { return };
            let port = memory.writes.len();
            memory.writes.push(clock);
            let mask = mask.map(|m| m.node);
            b.push_stmt(Stmt::MemoryWrite {
                memory: self.id,
                port,
                addr: addr.node,
                data: data.node,
                mask,
                loc,
            });
        });
    }
}

/// The words of a hex file, with `//` comments and `_` in numbers.
fn read_hex(path: &std::path::Path, width: u32, depth: u32) -> Result<Vec<Bits>, String> {
    // A word and the space behind it take at most width/4 + 2 characters; comments may double that.
    let limit = (depth as u64 * (width as u64 / 4 + 3) * 2).max(1 << 16);
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > limit {
        return Err(format!("the file has {size} bytes, more than the memory could need"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let mut words = Vec::new();
    for (k, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        for word in code.split_whitespace() {
            let digits = word.replace('_', "");
            let value = num_bigint::BigUint::parse_bytes(digits.as_bytes(), 16)
                .ok_or_else(|| format!("line {}: `{word}` is not a hexadecimal number", k + 1))?;
            if value.bits() > width as u64 {
                return Err(format!("line {}: `{word}` does not fit {width} bits", k + 1));
            }
            words.push(Bits::from_biguint(width, value));
        }
    }
    Ok(words)
}
