//! From an address to the memory or device that answers there.

use crate::core::Bus;
use crate::map::{Access, MemoryMap};
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
    /// Flash memory, if there is one.
    #[flip]
    pub flash: Option<Bus<T>>,
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
        let bus = Bus::shape();
        FetchDecoderIn { master: bus, rom: bus, flash: self.map.named("flash").map(|_| bus), ram: bus }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: FetchDecoderIn<UInt>) -> Empty<UInt> {
        let slaves = [("rom", Some(i.rom)), ("flash", i.flash), ("ram", Some(i.ram))];
        decode(m, i.master, &self.map, &slaves);
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
    /// General-purpose pins, if there are any.
    #[flip]
    pub gpio: Option<Bus<T>>,
    /// Flash memory, if there is one.
    #[flip]
    pub flash: Option<Bus<T>>,
    /// Port for a user's own peripherals, if there is one.
    #[flip]
    pub user: Option<Bus<T>>,
    /// RAM.
    #[flip]
    pub ram: Bus<T>,
    /// External memory, if there is any.
    #[flip]
    pub external: Option<Bus<T>>,
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
        DataDecoderIn {
            master: bus,
            rom: bus,
            exit: bus,
            clint: bus,
            plic: bus,
            uart: bus,
            gpio: self.map.named("gpio").map(|_| bus),
            flash: self.map.named("flash").map(|_| bus),
            user: self.map.named("user").map(|_| bus),
            ram: bus,
            external: self.map.named("external").map(|_| bus),
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: DataDecoderIn<UInt>) -> Empty<UInt> {
        let slaves = [
            ("rom", Some(i.rom)),
            ("exit", Some(i.exit)),
            ("clint", Some(i.clint)),
            ("plic", Some(i.plic)),
            ("uart", Some(i.uart)),
            ("gpio", i.gpio),
            ("flash", i.flash),
            ("user", i.user),
            ("ram", Some(i.ram)),
            ("external", i.external),
        ];
        decode(m, i.master, &self.map, &slaves);
        Empty::new()
    }
}

/// Connects a master to the slaves, by the names of their regions, in which its addresses lie. An access that no region allows is answered with an error one
/// cycle later. A response needs no record of whom the request went to: there is at most one request without a response, and slaves
/// answer nothing else.
fn decode(m: &Builder, master: Bus<UInt>, map: &MemoryMap, slaves: &[(&str, Option<Bus<UInt>>)]) {
    let request = master.request;
    let mut hits = Vec::new();
    let slaves = slaves.iter().filter_map(|(name, slave)| Some((map.named(name)?, (*slave)?)));
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
        hits.push((hit, slave));
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
