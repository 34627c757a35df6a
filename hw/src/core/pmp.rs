//! Physical memory protection (RISC-V Privileged 20240411, 3.7.1), with a granularity of 4 bytes.

use ferrite_hdl::prelude::*;

/// Bits of an entry's configuration that are kept: L, A, X, W, R.
pub const CONFIG_BITS: u32 = 6;

/// The entries, number 0 in the low bits. One bit of 0 where there are none.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PmpState<T> {
    /// A byte for each: L 00 AA X W R.
    pub cfg: T,
    /// A word for each: bits 33:2 of an address.
    pub addr: T,
}

impl PmpState<Shape> {
    /// The widths for so many entries.
    pub fn shape(regions: u32) -> PmpState<Shape> {
        PmpState { cfg: bits((8 * regions).max(1)), addr: bits((32 * regions).max(1)) }
    }
}

/// The fields of an entry's configuration.
pub struct Config {
    /// It can be changed no more, and binds machine mode.
    pub locked: UInt,
    /// How its address is meant.
    mode: UInt,
    /// X, W and R.
    permissions: UInt,
}

/// Mode TOR: from the address of the entry below up to its own.
const TOP_OF_RANGE: u32 = 1;
/// The bit that is set in modes NA4 and NAPOT: naturally aligned.
const NATURALLY_ALIGNED: u32 = 1;
/// The bit that tells NAPOT from NA4: the address says how large the range is.
const SIZED: u32 = 0;

impl Config {
    /// The fields of the bits that are kept.
    pub fn of(config: UInt) -> Config {
        Config { locked: config.bit(5), mode: config.slice(3, 2), permissions: config.slice(0, 3) }
    }

    /// Whether its range begins at the address of the entry below.
    pub fn is_top_of_range(&self) -> UInt {
        self.mode.eq(TOP_OF_RANGE)
    }
}

/// What memory is accessed for: one of these.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AccessKind<T> {
    /// A load.
    pub read: T,
    /// A store.
    pub write: T,
    /// An instruction fetch.
    pub execute: T,
}

/// Inputs of the PMP.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PmpIn<T> {
    /// The entries.
    pub state: PmpState<T>,
    /// An address in the word that is accessed.
    pub address: T,
    /// The access has the rights of machine mode, else of user mode.
    pub machine_mode: T,
    /// What for.
    pub kind: AccessKind<T>,
}

/// Output of the PMP.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PmpOut<T> {
    /// The access is allowed.
    pub allowed: T,
}

/// Whether an access within a word is allowed.
///
/// The first entry that matches any byte of an access decides. Ranges consist of words, and an access never crosses the border of a word (a fetch that does is
/// two; so are misaligned loads and stores), so an entry matches all bytes of an access or none: the size of the access does not matter.
#[module]
pub struct Pmp {
    /// Entries: 4, 8 or 16, or 0 for none, which allows everything.
    pub regions: u32,
}

impl Module for Pmp {
    type In = PmpIn<UInt>;
    type Out = PmpOut<UInt>;

    fn inputs(&self) -> PmpIn<Shape> {
        PmpIn {
            state: PmpState::shape(self.regions),
            address: bits(32),
            machine_mode: bit(),
            kind: AccessKind { read: bit(), write: bit(), execute: bit() },
        }
    }
    fn outputs(&self) -> PmpOut<Shape> {
        PmpOut { allowed: bit() }
    }
    fn build(&self, m: &Builder, i: PmpIn<UInt>) -> PmpOut<UInt> {
        let word = i.address.slice(2, 30).extend(32);
        let asked = concat([i.kind.execute, i.kind.write, i.kind.read]);
        // Where no entry matches, machine mode may do everything, user mode nothing.
        let mut allowed = if self.regions == 0 { m.constant(Bits::ones(1)) } else { i.machine_mode };
        let mut entries = Vec::new();
        let mut below_bottom = m.constant(Bits::zero(1));
        for k in 0..self.regions {
            let byte = i.state.cfg.slice(8 * k, 8);
            let config = Config::of(byte.bit(7).concat(byte.slice(0, CONFIG_BITS - 1)));
            let address = i.state.addr.slice(32 * k, 32);
            // Less rather than greater or equal: a carry chain alone.
            let below = m.node(&format!("below_{k}"), word.lt(address));
            let in_range = config.is_top_of_range() & below & !below_bottom;
            // NAPOT: the ones at the low end of an address, and the 0 above them, are the size of the range. NA4: the range is the word.
            let size = address ^ address.wrapping_add(config.mode.bit(SIZED).extend(32));
            let aligned = config.mode.bit(NATURALLY_ALIGNED) & !((word ^ address) & !size).any();
            let matches = m.node(&format!("matches_{k}"), in_range | aligned);
            let permitted = (config.permissions & asked).any() | (i.machine_mode & !config.locked);
            entries.push((matches, m.node(&format!("permitted_{k}"), permitted)));
            below_bottom = below;
        }
        for (matches, permitted) in entries.into_iter().rev() {
            allowed = matches.mux(permitted, allowed);
        }
        PmpOut { allowed }
    }
}
