//! The scratchpad: four banks of int8 data.

use ferrite_hdl::library::one_hot_mux;
use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use crate::dma::WordRead;

/// Banks: as many as reads and writes of the same cycle mostly find free ones among (`docs/decisions/0014`).
const BANKS: u32 = 4;
const BANK_BITS: u32 = BANKS.ilog2();
/// The port at which words come after one cycle.
const EARLY: usize = 0;

/// A port that writes bytes of a word.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WordWrite<T> {
    /// A word is offered.
    pub valid: T,
    /// Word address.
    pub address: T,
    /// The word; bits 7 to 0 are the first byte.
    pub data: T,
    /// One bit for each byte: whether it is written.
    pub mask: T,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl WordWrite<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> WordWrite<Shape> {
        let bytes = config.word_bytes();
        let (address, data, mask) = (bits(config.word_address_bits()), bits(8 * bytes), bits(bytes));
        WordWrite { valid: bit(), address, data, mask, ready: bit() }
    }
}

/// Ports of the scratchpad, which take [places](place) for addresses. Where two want the same bank, the first one has it and the others wait.
#[derive(Clone, Debug, Bundle)]
pub struct BanksIn<T> {
    /// Ports that read. Words come one cycle after their request is taken at the first port, and two at the others; where none comes, the first port gives 0.
    pub read: Vec<WordRead<T>>,
    /// Ports that write.
    pub write: Vec<WordWrite<T>>,
}

/// Memory in four banks, each of which reads a word and writes one in a cycle. Ports are given a word's [place](place) instead of its address.
///
/// No byte may be read in the cycle in which it is written. In the unit none is: what is under way at once does not touch the same bytes, unless all of it reads.
#[module]
pub struct Banks {
    /// Sizes.
    pub config: ComputeConfig,
    /// Ports that read.
    pub readers: usize,
    /// Ports that write.
    pub writers: usize,
}

/// The place of a word: its address, with the bank instead of the lowest two bits. The bank is the exclusive or of all pairs of the address's bits: a walk with a step of any power of two changes it.
///
/// Who has a register for the address puts the place into it, which gives the comparison of banks more of the next cycle.
pub fn place(address: UInt) -> UInt {
    let pairs = (0..address.width()).step_by(BANK_BITS as usize).map(|low| {
        let width = BANK_BITS.min(address.width() - low);
        address.slice(low, width).extend(BANK_BITS)
    });
    let bank = pairs.reduce(|a, b| a ^ b).expect("addresses have bits");
    address.slice(BANK_BITS, address.width() - BANK_BITS).concat(bank)
}

/// Grants each port its bank unless one before it wants the same.
fn grant(m: &Builder, name: &str, valid: &[UInt], banks: &[UInt]) -> Vec<UInt> {
    let free = (0..valid.len()).map(|port| {
        let taken = (0..port).map(|before| valid[before] & banks[before].eq(banks[port]));
        match taken.reduce(|a, b| a | b) {
            None => m.constant(Bits::ones(1)),
            Some(taken) => m.node(&format!("{name}_ready_{port}"), !taken),
        }
    });
    free.collect()
}

/// One of several values: that of the first port whose condition holds, else the last one's.
fn first_of(ports: impl DoubleEndedIterator<Item = (UInt, UInt)>) -> UInt {
    let chosen =
        ports.rev().reduce(|(_, others), (condition, value)| (condition, condition.mux(value, others)));
    chosen.expect("there is a port").1
}

impl Module for Banks {
    type In = BanksIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        let ComputeConfig { scratchpad_bytes, .. } = self.config;
        format!("Banks_{scratchpad_bytes}x{}_r{}w{}", self.config.word_bytes(), self.readers, self.writers)
    }
    fn inputs(&self) -> BanksIn<Shape> {
        BanksIn {
            read: vec![self.config.word_read(); self.readers],
            write: vec![WordWrite::shape(&self.config); self.writers],
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: BanksIn<UInt>) -> Empty<UInt> {
        let words = self.config.scratchpad_bytes / self.config.word_bytes();
        let rows = |address: UInt| address.slice(BANK_BITS, address.width() - BANK_BITS);
        let named = |kind: &str, port: usize, address: UInt| {
            m.node(&format!("{kind}_bank_{port}"), address.truncate(BANK_BITS))
        };
        let read_banks: Vec<UInt> =
            i.read.iter().enumerate().map(|(k, port)| named("read", k, port.address)).collect();
        let write_banks: Vec<UInt> =
            i.write.iter().enumerate().map(|(k, port)| named("write", k, port.address)).collect();
        let reads: Vec<UInt> = i.read.iter().map(|port| port.valid).collect();
        let writes: Vec<UInt> = i.write.iter().map(|port| port.valid).collect();
        let read_ready = grant(m, "read", &reads, &read_banks);
        let write_ready = grant(m, "write", &writes, &write_banks);

        let stored = (0..BANKS).map(|bank| {
            let memory = m.memory(&format!("bank_{bank}"), words / BANKS, 8 * self.config.word_bytes());
            let memory = memory.without_collisions();
            let writes_here: Vec<UInt> =
                writes.iter().zip(&write_banks).map(|(valid, of)| *valid & of.eq(bank)).collect();
            let field = |value: fn(&WordWrite<UInt>) -> UInt| {
                first_of(writes_here.iter().copied().zip(i.write.iter().map(value)))
            };
            let written_row =
                first_of(writes_here.iter().copied().zip(i.write.iter().map(|port| rows(port.address))));
            let writes = concat(writes_here.iter().copied()).any();
            m.when(writes, || {
                memory.write_masked(written_row, field(|port| port.data), field(|port| port.mask));
            });
            let reads_here: Vec<UInt> =
                reads.iter().zip(&read_banks).map(|(valid, of)| *valid & of.eq(bank)).collect();
            let row = first_of(reads_here.iter().copied().zip(i.read.iter().map(|port| rows(port.address))));
            let reads = concat(reads_here.iter().copied()).any();
            let mut word = None;
            m.when(reads, || {
                word = Some(memory.read(&format!("word_{bank}"), row));
            });
            word.expect("`when` has run its body")
        });
        let stored: Vec<UInt> = stored.collect();

        for (k, port) in i.read.iter().enumerate() {
            port.ready.set(read_ready[k]);
            let comes = m.reg(&format!("comes_{k}"), 1).reset_to(0);
            comes.set(port.valid & read_ready[k]);
            // One bit for each bank, and none if no word comes: the data are 0 then.
            let from: Vec<UInt> = (0..BANKS)
                .map(|bank| {
                    let from = m.reg(&format!("from_{k}_{bank}"), 1).reset_to(0);
                    from.set(port.valid & read_ready[k] & read_banks[k].eq(bank));
                    from
                })
                .collect();
            let data = m.node(&format!("data_{k}"), one_hot_mux(concat(from.into_iter().rev()), &stored));
            // A block RAM is slow. Who reads at the early port puts a register behind it; the others get one here.
            let (data_valid, data) = match k == EARLY {
                true => (comes, data),
                false => {
                    let there = m.reg(&format!("there_{k}"), 1).reset_to(0);
                    there.set(comes);
                    (there, m.delay(&format!("read_{k}"), data))
                }
            };
            port.data_valid.set(data_valid);
            port.data.set(data);
        }
        for (port, ready) in i.write.iter().zip(write_ready) {
            port.ready.set(ready);
        }
        Empty::new()
    }
}
