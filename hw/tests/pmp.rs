//! Physical memory protection against the golden model.

use ferrite_hdl::Bits;
use ferrite_hw::core::pmp::Pmp;
use ferrite_model::isa::csr;
use ferrite_model::iss::{self, Access, PmpRegions, Privilege};
use ferrite_sim::Sim;

/// A generator of numbers (xorshift), the same ones in every run.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.word() % bound
    }

    /// A value of `pmpaddr`: mostly from a few neighbouring words, so that ranges meet and overlap; of any size; at the ends of what there is.
    fn pmpaddr(&mut self) -> u32 {
        let ones = (1u32 << self.below(31)) - 1;
        match self.below(8) {
            0 => [0, 1, 0x3FFF_FFFE, 0x3FFF_FFFF, 0x4000_0000, 0x7FFF_FFFF, u32::MAX][self.below(7) as usize],
            1 => self.word(),
            2 | 3 => self.word() & !(ones << 1) & 0x3FFF_FFFF | ones,
            _ => 0x2000_0000 + self.below(24),
        }
    }
}

/// The first and the last byte of what an entry may cover, and its neighbours.
fn edges(model: &iss::Pmp, entry: u32) -> Vec<u32> {
    let address = model.read(csr::PMPADDR0 + entry as u16).unwrap_or(0);
    let size_log2 = address.trailing_ones() + 3;
    let start = (u64::from(address) << 2) >> size_log2 << size_log2;
    let places = [u64::from(address) << 2, start, start + (1 << size_log2)];
    let near =
        |place: u64| [-8i64, -4, -1, 0, 1, 2, 4, 8].map(|step| (place as i64).wrapping_add(step) as u32);
    places.into_iter().flat_map(near).collect()
}

fn compare(regions: u32, states: u32) {
    let known = [PmpRegions::None, PmpRegions::Four, PmpRegions::Eight, PmpRegions::Sixteen];
    let known = known.into_iter().find(|known| *known as u32 == regions).expect("a number of regions");
    let mut sim = Sim::new(&Pmp { regions }).unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let ports = ["state_cfg", "state_addr"].map(|name| sim.engine().input(name).expect("an input"));
    let (mut allowed, mut denied) = (0, 0);
    for _ in 0..states {
        let mut model = iss::Pmp::new(known);
        for entry in 0..regions as u16 {
            model.write(csr::PMPADDR0 + entry, random.pmpaddr());
        }
        // In some states most entries are off, so that the last ones and none at all are reached.
        let sparse = random.below(2) == 0;
        for word in 0..regions as u16 / 4 {
            let mask = if sparse { random.word() & 0x1818_1818 } else { 0 };
            model.write(csr::PMPCFG0 + word, random.word() & !mask);
        }
        let words = |first: u16, count: u32| {
            (0..count as u16).fold(Bits::zero(0), |low, k| {
                Bits::from_u64(32, model.read(first + k).unwrap_or(0).into()).concat(&low)
            })
        };
        if regions > 0 {
            let state = [words(csr::PMPCFG0, regions / 4), words(csr::PMPADDR0, regions)];
            for (port, value) in ports.into_iter().zip(state) {
                sim.engine().poke(port, &value);
            }
        }
        let mut addresses: Vec<u32> = (0..8).map(|_| random.word()).collect();
        if regions > 0 {
            let entry = random.below(regions);
            addresses.extend(edges(&model, entry));
        }
        for address in addresses {
            for (access, kind) in [(Access::Read, 0), (Access::Write, 1), (Access::Execute, 2)] {
                for mode in [Privilege::Machine, Privilege::User] {
                    let bytes = [1, 2, 4][random.below(3) as usize];
                    let address = address & !(bytes - 1);
                    sim.set(sim.i.address, address);
                    sim.set(sim.i.machine_mode, mode == Privilege::Machine);
                    sim.set(sim.i.kind.read, kind == 0);
                    sim.set(sim.i.kind.write, kind == 1);
                    sim.set(sim.i.kind.execute, kind == 2);
                    let expected = model.allows(address, bytes, access, mode);
                    assert_eq!(
                        sim.get(sim.o.allowed),
                        i128::from(expected),
                        "{access:?} of {bytes} bytes at {address:#x} in {mode:?}: {model:x?}"
                    );
                    if expected { allowed += 1 } else { denied += 1 }
                }
            }
        }
    }
    // Neither answer is rare.
    assert!(
        regions == 0 && denied == 0 || denied.min(allowed) > (denied + allowed) / 10,
        "{allowed}, {denied}"
    );
}

#[test]
fn every_access_is_allowed_or_denied_as_by_the_model() {
    for regions in [4, 8, 16] {
        compare(regions, 3000);
    }
}

#[test]
fn without_entries_everything_is_allowed() {
    compare(0, 100);
}
