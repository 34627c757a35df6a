//! The multiplexer that reads CSRs: the largest part of them in a small core.

use ferrite_hdl::prelude::*;

use super::legal::recognise;
use super::numbers::MISA;

/// What reads a CSR, or several that show the same.
pub struct Readable {
    csrs: Vec<u32>,
    value: UInt,
    /// Most of its bits are more than constants.
    is_wide: bool,
}

impl Readable {
    /// A CSR of about 32 bits.
    pub fn wide(csrs: impl Into<Vec<u32>>, value: UInt) -> Readable {
        Readable { csrs: csrs.into(), value, is_wide: true }
    }

    /// A CSR of which most bits are 0.
    pub fn narrow(csrs: impl Into<Vec<u32>>, value: UInt) -> Readable {
        Readable { csrs: csrs.into(), value, is_wide: false }
    }
}

/// Wide CSRs in one chain of LUTs; more of them would make it slow.
const CHAIN: usize = 8;

/// The value of the CSR `number`, one cycle later; anything if it does not exist.
pub fn read(m: &Builder, number: UInt, existing: &[u32], misa: u32, readables: Vec<Readable>) -> UInt {
    // `misa` comes from the set and reset inputs of flip-flops, which begin with the same values.
    let read = m.reg("read_q", 32).init(misa);
    let chosen = |csrs: &[u32]| {
        let others: Vec<u32> =
            existing.iter().copied().filter(|csr| !csrs.contains(csr) && *csr != MISA).collect();
        recognise(number, csrs, &others)
    };
    let (wide, narrow): (Vec<_>, Vec<_>) = readables.into_iter().partition(|readable| readable.is_wide);
    let mut parts = Vec::new();
    for (index, readables) in wide.chunks(CHAIN).enumerate() {
        parts.push(chain(m, index, readables, &chosen));
    }
    for Readable { csrs, value, .. } in narrow {
        parts.push(chosen(&csrs).repeat(32) & value);
    }
    let value = parts.into_iter().fold(m.constant(Bits::zero(32)), |all, part| all | part);
    wire!(m, read_value = value);
    let others: Vec<u32> = existing.iter().copied().filter(|csr| *csr != MISA).collect();
    wire!(m, reads_misa = recognise(number, &[MISA], &others));
    m.when(reads_misa, || read.set(misa)).otherwise(|| read.set(read_value));
    read
}

/// One of several values, or 0: half a LUT of four inputs for each bit of a value.
///
/// The first stage yields one of the first two values, or a constant. Each stage behind it either lets that pass or takes it as the choice between two more
/// values: a LUT with only one input for the choice, where a multiplexer of three values would need two.
fn chain(m: &Builder, index: usize, readables: &[Readable], chosen: &impl Fn(&[u32]) -> UInt) -> UInt {
    let csrs = |members: &mut dyn Iterator<Item = &Readable>| -> Vec<u32> {
        members.flat_map(|readable| readable.csrs.iter().copied()).collect()
    };
    let select = |condition: UInt, yes: UInt, no: UInt| (condition & yes) | (!condition & no);
    let seconds = csrs(&mut readables.iter().skip(1).step_by(2));
    let mut link = m.constant(Bits::zero(32));
    for (stage, pair) in readables.chunks(2).enumerate() {
        let taken =
            m.node(&format!("read_{index}_takes_{stage}"), chosen(&csrs(&mut pair.iter()))).repeat(32);
        let first = pair[0].value;
        let second = pair.get(1).map_or(first, |readable| readable.value);
        let choice = match stage {
            0 if seconds.is_empty() => m.constant(Bits::zero(32)),
            0 => m.node(&format!("read_{index}_second"), chosen(&seconds)).repeat(32),
            _ => link,
        };
        let value = select(choice, second, first);
        let passed = if stage == 0 { choice } else { link };
        link = m.node(&format!("read_{index}_{stage}"), select(taken, value, passed));
    }
    link
}
