//! From an address to the memory or device that answers there.

use crate::core::Bus;
use crate::map::{self, Access, MemoryMap, Region};
use ferrite_hdl::library::one_hot_mux;
use ferrite_hdl::prelude::*;

/// Ports of the decoder for instruction fetch.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FetchDecoderIn<T> {
    /// The core.
    pub master: Bus<T>,
    /// Boot ROM.
    #[flip]
    pub rom: Bus<T>,
    /// RAM.
    #[flip]
    pub ram: Bus<T>,
}

/// Leads instruction fetches to the memories. Devices cannot be fetched from.
#[module]
pub struct FetchDecoder {
    /// What stands where.
    pub map: MemoryMap,
}

impl Module for FetchDecoder {
    type In = FetchDecoderIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> FetchDecoderIn<Shape> {
        FetchDecoderIn { master: Bus::shape(), rom: Bus::shape(), ram: Bus::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: FetchDecoderIn<UInt>) -> Empty<UInt> {
        decode(m, i.master, &[(*self.map.rom(), i.rom), (*self.map.ram(), i.ram)]);
        Empty::new()
    }
}

/// Ports of the decoder for loads and stores.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DataDecoderIn<T> {
    /// The core.
    pub master: Bus<T>,
    /// Boot ROM.
    #[flip]
    pub rom: Bus<T>,
    /// Exit device.
    #[flip]
    pub exit: Bus<T>,
    /// Timer.
    #[flip]
    pub clint: Bus<T>,
    /// Interrupt controller.
    #[flip]
    pub plic: Bus<T>,
    /// UART.
    #[flip]
    pub uart: Bus<T>,
    /// RAM.
    #[flip]
    pub ram: Bus<T>,
}

/// Leads loads and stores to memories and devices.
#[module]
pub struct DataDecoder {
    /// What stands where.
    pub map: MemoryMap,
}

impl Module for DataDecoder {
    type In = DataDecoderIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> DataDecoderIn<Shape> {
        let bus = Bus::shape();
        DataDecoderIn { master: bus, rom: bus, exit: bus, clint: bus, plic: bus, uart: bus, ram: bus }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: DataDecoderIn<UInt>) -> Empty<UInt> {
        let slaves = [
            (*self.map.rom(), i.rom),
            (map::exit::REGION, i.exit),
            (map::clint::REGION, i.clint),
            (map::plic::REGION, i.plic),
            (map::uart::REGION, i.uart),
            (*self.map.ram(), i.ram),
        ];
        decode(m, i.master, &slaves);
        Empty::new()
    }
}

/// Connects a master to the slaves whose regions its addresses lie in. An access that no region allows is answered with an error one
/// cycle later. A response needs no record of whom the request went to: there is at most one request without a response, and slaves
/// answer nothing else.
fn decode(m: &Builder, master: Bus<UInt>, slaves: &[(Region, Bus<UInt>)]) {
    let request = master.request;
    let mut hits = Vec::new();
    for (region, slave) in slaves {
        let low = region.size.ilog2();
        let is_inside = request.addr.slice(low, 32 - low).eq(region.base >> low);
        let hit = match region.access {
            Access::ReadWrite => is_inside,
            Access::ReadOnly => is_inside & !request.write,
            Access::WriteOnly => is_inside & request.write,
        };
        let hit = m.node(&format!("hits_{}", region.name), hit);
        slave.request.valid.set(request.valid & hit);
        slave.request.addr.set(request.addr);
        slave.request.write.set(request.write);
        slave.request.wdata.set(request.wdata);
        slave.request.mask.set(request.mask);
        hits.push((hit, *slave));
    }
    let any = |bits: Vec<UInt>| concat(bits).any();
    wire!(m, is_hole = !any(hits.iter().map(|(hit, _)| *hit).collect()));
    let refuses = m.reg("refuses", 1).reset_to(0);
    refuses.set(request.valid & is_hole);

    master.ready.set(is_hole | any(hits.iter().map(|(hit, slave)| *hit & slave.ready).collect()));
    let valid: Vec<UInt> = hits.iter().map(|(_, slave)| slave.response.valid).collect();
    let errors = hits.iter().map(|(_, slave)| slave.response.valid & slave.response.error).collect();
    let words: Vec<UInt> = hits.iter().map(|(_, slave)| slave.response.data).collect();
    // The first slave's bit is the lowest of the selection.
    let selection = concat(valid.iter().rev().copied());
    master.response.valid.set(refuses | any(valid));
    master.response.data.set(one_hot_mux(selection, &words));
    master.response.error.set(refuses | any(errors));
}
