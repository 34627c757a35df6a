//! Memories.

use std::panic::Location;

use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{report, with_building};
use crate::hex::{self, HexError};
use crate::ir::{self, Loc, MemoryId, ReadPort, Signal, SignalKind, Stmt};
use crate::shape::bits;
use crate::signal::{MAX_WIDTH, Operand, UInt};

/// The largest memory, in bits.
pub const MAX_MEMORY_BITS: u64 = 1 << 33;

/// A memory of the module being built; made by [`Builder::memory`](crate::Builder::memory). Reads and writes take part in the clock and the `when`s around them. A read at
/// an edge that also writes the word gives the old word.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    id: MemoryId,
    /// The module that it belongs to.
    serial: u32,
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
        let made = with_building(|b, _| {
            let id = MemoryId(b.ir.memories.len() as u32);
            b.ir.memories.push(ir::Memory {
                name: name.to_string(),
                depth,
                width,
                init: Vec::new(),
                without_collisions: false,
                reads: Vec::new(),
                writes: Vec::new(),
                doc: String::new(),
                loc,
            });
            (id, b.serial)
        });
        let (id, serial) = made.unwrap_or((MemoryId(0), 0));
        Memory { id, serial, depth, width }
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
        self.fill(words, loc)
    }

    /// Initial contents from text as Verilog's `$readmemh` reads it; [`crate::hex`] describes the form.
    #[track_caller]
    pub fn with_contents_from_hex(self, text: &str) -> Memory {
        self.with_words_of(hex::parse(text, self.width, self.depth), Location::caller())
    }

    /// Initial contents from a file as Verilog's `$readmemh` reads it; [`crate::hex`] describes the form.
    #[track_caller]
    pub fn with_contents_from_hex_file(self, path: impl AsRef<std::path::Path>) -> Memory {
        self.with_words_of(hex::read(path.as_ref(), self.width, self.depth), Location::caller())
    }

    fn with_words_of(self, words: Result<Vec<Bits>, HexError>, loc: Loc) -> Memory {
        match words {
            Ok(words) => self.fill(words, loc),
            Err(error) => {
                let help = format!(
                    "the memory holds {} words of {} bits; give them as hexadecimal numbers, as `$readmemh` takes them",
                    self.depth, self.width
                );
                report(Diagnostic::new(Kind::MemoryContents, loc, error.to_string()).help(help));
                self
            }
        }
    }

    /// Promises that nothing depends on what a read gives of bits that are written at the same edge. Block RAMs of many FPGAs do not give the old word then; without the promise, synthesis surrounds
    /// them with a comparison of addresses, a register for a whole word and a choice behind each read. Simulators give the old word. An assertion beside the memory should say that it is so.
    #[track_caller]
    pub fn without_collisions(self) -> Memory {
        self.change(Location::caller(), |memory| memory.without_collisions = true)
    }

    fn fill(self, words: Vec<Bits>, loc: Loc) -> Memory {
        self.change(loc, |memory| memory.init = words)
    }

    fn change(self, loc: Loc, change: impl FnOnce(&mut ir::Memory)) -> Memory {
        if self.is_here(loc) {
            with_building(|b, _| b.ir.memories.get_mut(self.id.index()).map(change));
        }
        self
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

    /// Whether it belongs to the module being built; else a mistake is noted.
    fn is_here(&self, loc: Loc) -> bool {
        let is_here = with_building(|b, _| b.serial == self.serial).unwrap_or(false);
        if !is_here {
            report(
                Diagnostic::new(Kind::ForeignSignal, loc, "a memory of another module is used here")
                    .help("give the words through ports"),
            );
        }
        is_here
    }

    fn port(&self, name: &str, addr: Option<UInt>, loc: Loc) -> Option<(UInt, usize)> {
        if !self.is_here(loc) {
            return None;
        }
        with_building(|b, _| {
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
        })
        .flatten()
    }

    /// What a read gives after a mistake.
    fn no_word(&self, loc: Loc) -> UInt {
        crate::signal::constant(Bits::zero(self.width), None, loc)
    }

    /// Reads a word without a clock: `name` always holds the word at `addr`.
    #[track_caller]
    pub fn read_async(&self, name: &str, addr: impl Into<Operand>) -> UInt {
        let loc = Location::caller();
        let addr = self.address(addr, loc);
        self.port(name, Some(addr), loc).map_or_else(|| self.no_word(loc), |(data, _)| data)
    }

    /// Reads a word at the clock edge, where the surrounding `when`s hold: `name` holds it from then on.
    #[track_caller]
    pub fn read(&self, name: &str, addr: impl Into<Operand>) -> UInt {
        let loc = Location::caller();
        let addr = self.address(addr, loc);
        let Some((data, port)) = self.port(name, None, loc) else { return self.no_word(loc) };
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
        if !self.is_here(loc) {
            return;
        }
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
