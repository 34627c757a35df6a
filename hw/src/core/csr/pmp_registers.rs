//! The registers of physical memory protection (RISC-V Privileged 20240411, 3.7.1).

use ferrite_hdl::prelude::*;

use super::super::pmp::{CONFIG_BITS, Config, PmpState};
use super::WriteBus;
use super::numbers::{PMPADDR, PMPCFG};
use super::read::Readable;

/// `pmpcfg` and `pmpaddr` of so many entries, and how they read.
pub fn pmp_registers(m: &Builder, regions: u32, write: &WriteBus) -> (PmpState<UInt>, Vec<Readable>) {
    if regions == 0 {
        let none = m.constant(Bits::zero(1));
        return (PmpState { cfg: none, addr: none }, Vec::new());
    }
    let configs: Vec<UInt> =
        (0..regions).map(|k| m.reg(&format!("pmp{k}cfg"), CONFIG_BITS).reset_to(0)).collect();
    let addresses: Vec<UInt> = (0..regions).map(|k| m.reg(&format!("pmpaddr{k}"), 32).reset_to(0)).collect();
    let fields: Vec<Config> = configs.iter().map(|&config| Config::of(config)).collect();

    let words_written: Vec<UInt> = (0..regions / 4)
        .map(|word| m.node(&format!("pmpcfg{word}_written"), write.to(PMPCFG + word)))
        .collect();
    for (k, config) in (0u32..).zip(&configs) {
        let written = words_written[k as usize / 4];
        let byte = write.value.slice(8 * (k % 4), 8);
        // Write without read is reserved: such a region cannot be written either.
        let permissions = concat([byte.bit(2), byte.bit(1) & byte.bit(0), byte.bit(0)]);
        m.when(written & !fields[k as usize].locked, || {
            config.set(concat([byte.bit(7), byte.slice(3, 2), permissions]));
        });
    }
    for (k, address) in addresses.iter().enumerate() {
        // A locked entry locks the entry below too if that is where its range begins.
        let bounds_next = fields.get(k + 1).map(|next| next.locked & next.is_top_of_range());
        let locked = bounds_next.map_or(fields[k].locked, |bounds| fields[k].locked | bounds);
        m.when(write.to(PMPADDR + k as u32) & !locked, || address.set(write.value));
    }

    let flat = |parts: Vec<UInt>| concat(parts.into_iter().rev());
    let bytes: Vec<UInt> = configs
        .iter()
        .map(|config| concat([config.msb(), m.constant(Bits::zero(2)), config.slice(0, CONFIG_BITS - 1)]))
        .collect();
    let words = bytes.chunks(4).map(|bytes| flat(bytes.to_vec()));
    let mut readables: Vec<Readable> =
        words.zip(PMPCFG..).map(|(word, csr)| Readable::wide([csr], word)).collect();
    readables.extend(addresses.iter().zip(PMPADDR..).map(|(address, csr)| Readable::wide([csr], *address)));
    (PmpState { cfg: flat(bytes), addr: flat(addresses) }, readables)
}
