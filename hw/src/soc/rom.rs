//! The boot ROM.

use super::slave::answer;
use crate::core::Bus;
use crate::map::RAM_BASE;
use ferrite_hdl::prelude::*;

/// Jumps to the start of the RAM: `lui t0, RAM_BASE >> 12` and `jr t0` (RISC-V Unprivileged 20240411, 34).
const BOOT: [u32; 2] = {
    const T0: u32 = 5;
    const LUI: u32 = 0b011_0111;
    const JALR: u32 = 0b110_0111;
    assert!(RAM_BASE & 0xFFF == 0);
    [RAM_BASE | T0 << 7 | LUI, T0 << 15 | JALR]
};

/// Ports of the boot ROM.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RomIn<T> {
    /// Instruction fetch.
    pub fetch: Bus<T>,
    /// Loads. The decoder lets no store through.
    pub data: Bus<T>,
}

/// The boot ROM: the core starts here and jumps to the RAM. The rest of it is 0.
#[module]
pub struct Rom {
    /// Size; a power of two.
    pub bytes: u32,
}

impl Module for Rom {
    type In = RomIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> RomIn<Shape> {
        RomIn { fetch: Bus::shape(), data: Bus::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: RomIn<UInt>) -> Empty<UInt> {
        let contents = BOOT.map(|word| Bits::from_u64(32, word.into()));
        let words = m.memory("words", self.bytes / 4, 32).with_contents(contents);
        for (bus, name, answers) in
            [(i.fetch, "fetched", "fetch_answers"), (i.data, "loaded", "data_answers")]
        {
            let mut word = bus.request.addr;
            m.when(bus.request.valid, || {
                word = words.read(name, bus.request.addr.slice(2, words.addr_width()));
            });
            answer(m, answers, bus, word);
        }
        Empty::new()
    }
}
