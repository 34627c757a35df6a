//! Cores whose accesses take a detour over another bus: adapters, and slaves that lead back to buses of the core's own kind. They have the
//! ports of a core, and are tested as one.

use ferrite_hdl::prelude::*;
use ferrite_hw::adapter::{
    Axi4LiteBus, Axi4LiteCore, Responses, Standalone, WishboneBus, WishboneCore, WishboneMode,
};
use ferrite_hw::core::{Bus, CoreConfig, CoreIn, CoreOut, CsrValues, Interrupts, Rvfi};
use ferrite_hw::core::{BusRequest, CoprocessorPort};

/// Which bus the detour takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    Axi4Lite(Responses),
    Wishbone(WishboneMode),
}

/// A core with a coprocessor's port.
#[module]
pub struct Detour {
    pub config: CoreConfig,
    pub over: Over,
    /// Decides when the slaves hesitate.
    pub seed: u16,
}

impl Module for Detour {
    type In = CoreIn<UInt>;
    type Out = CoreOut<UInt>;

    fn inputs(&self) -> CoreIn<Shape> {
        CoreIn {
            ibus: Bus::shape(),
            dbus: Bus::shape(),
            interrupts: Interrupts::shape(),
            coprocessor: CoprocessorPort::shape(),
        }
    }
    fn outputs(&self) -> CoreOut<Shape> {
        CoreOut { rvfi: Rvfi::shape(), csrs: CsrValues::shape() }
    }
    fn build(&self, m: &Builder, i: CoreIn<UInt>) -> CoreOut<UInt> {
        let name = "core_alone".to_string();
        let core = Standalone { name, config: self.config, has_coprocessor: true, has_rvfi: true };
        let (interrupts, coprocessor, o) = match self.over {
            Over::Axi4Lite(responses) => {
                let core = m.instance("core", &Axi4LiteCore { core, responses });
                let fetch = m.instance("fetch_slave", &Axi4LiteSlave { seed: self.seed });
                let data = m.instance("data_slave", &Axi4LiteSlave { seed: !self.seed });
                let (from, to) = (core.i.m_axi_ibus, fetch.i.axi);
                for (input, value) in
                    [(to.arvalid, from.arvalid), (to.araddr, from.araddr), (to.arprot, from.arprot)]
                {
                    input.set(value);
                }
                to.rready.set(from.rready);
                from.arready.set(to.arready);
                from.rvalid.set(to.rvalid);
                from.rdata.set(to.rdata);
                from.rresp.set(to.rresp);
                for unused in [to.awvalid, to.awaddr, to.awprot, to.wvalid, to.wdata, to.wstrb, to.bready] {
                    unused.set(0);
                }
                m.connect(i.ibus, fetch.i.bus);
                m.connect(data.i.axi, core.i.m_axi_dbus);
                m.connect(i.dbus, data.i.bus);
                (core.i.interrupts, core.i.coprocessor, core.o)
            }
            Over::Wishbone(mode) => {
                let core = m.instance("core", &WishboneCore { core, mode });
                let fetch = m.instance("fetch_slave", &WishboneSlave { seed: self.seed, mode });
                let data = m.instance("data_slave", &WishboneSlave { seed: !self.seed, mode });
                m.connect(fetch.i.wb, core.i.wbm_ibus);
                m.connect(i.ibus, fetch.i.bus);
                m.connect(data.i.wb, core.i.wbm_dbus);
                m.connect(i.dbus, data.i.bus);
                (core.i.interrupts, core.i.coprocessor, core.o)
            }
        };
        m.connect(interrupts, i.interrupts);
        m.connect(i.coprocessor, coprocessor.expect("it has one"));
        CoreOut { rvfi: o.rvfi.expect("it has them"), csrs: o.csrs.expect("it has them") }
    }
}

/// Bits that are mostly up, from a linear feedback shift register (x^16 + x^14 + x^13 + x^11 + 1).
fn whims<const N: usize>(m: &Builder, seed: u16) -> [UInt; N] {
    let lfsr = m.reg("lfsr", 16).reset_to(seed | 1);
    lfsr.set(lfsr.slice(0, 15).concat(lfsr.bit(15) ^ lfsr.bit(13) ^ lfsr.bit(12) ^ lfsr.bit(10)));
    std::array::from_fn(|k| lfsr.bit(k as u32) | lfsr.bit(k as u32 + 7))
}

#[derive(Clone, Copy, Debug, Bundle)]
pub struct Axi4LiteSlaveIn<T> {
    pub axi: Axi4LiteBus<T>,
    #[flip]
    pub bus: Bus<T>,
}

/// Takes address and data of a write in any order, and answers with either of the two errors.
#[module]
pub struct Axi4LiteSlave {
    pub seed: u16,
}

impl Module for Axi4LiteSlave {
    type In = Axi4LiteSlaveIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("Axi4LiteSlave_{}", self.seed)
    }
    fn inputs(&self) -> Axi4LiteSlaveIn<Shape> {
        Axi4LiteSlaveIn { axi: Axi4LiteBus::shape(), bus: Bus::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, Axi4LiteSlaveIn { axi, bus }: Axi4LiteSlaveIn<UInt>) -> Empty<UInt> {
        let [takes_ar, takes_aw, takes_w, answers, which_error] = whims(m, self.seed);
        let taken = |name: &str, valid: UInt, ready: UInt, may: UInt| {
            let full = m.reg(name, 1).reset_to(0);
            ready.set(!full & may);
            m.when(valid & !full & may, || full.set(1));
            full
        };
        let ar_full = taken("ar_full", axi.arvalid, axi.arready, takes_ar);
        let aw_full = taken("aw_full", axi.awvalid, axi.awready, takes_aw);
        let w_full = taken("w_full", axi.wvalid, axi.wready, takes_w);
        let araddr = m.reg("araddr", 32);
        m.when(axi.arvalid & axi.arready, || araddr.set(axi.araddr));
        let awaddr = m.reg("awaddr", 32);
        m.when(axi.awvalid & axi.awready, || awaddr.set(axi.awaddr));
        let (wdata, wstrb) = (m.reg("wdata", 32), m.reg("wstrb", 4));
        m.when(axi.wvalid & axi.wready, || {
            wdata.set(axi.wdata);
            wstrb.set(axi.wstrb);
        });
        let writes = aw_full & w_full;
        let request = BusRequest {
            valid: ar_full | writes,
            addr: writes.mux(awaddr, araddr),
            write: writes,
            wdata,
            mask: writes.mux(wstrb, 0b1111),
        };
        let answer = forward(m, bus, request, answers);
        let resp = answer.error.concat(answer.error & which_error);
        axi.rvalid.set(answer.valid & ar_full);
        axi.rdata.set(answer.data);
        axi.rresp.set(resp);
        axi.bvalid.set(answer.valid & writes);
        axi.bresp.set(resp);
        // In this cycle the next access may already begin, on the other channels.
        m.when(answer.valid & ar_full, || ar_full.set(0));
        m.when(answer.valid & writes, || {
            aw_full.set(0);
            w_full.set(0);
        });
        m.assert("answers_are_taken", !answer.valid | ar_full.mux(axi.rready, axi.bready));
        Empty::new()
    }
}

/// An answer that is given in this cycle.
struct Answer {
    valid: UInt,
    data: UInt,
    error: UInt,
}

/// Asks once for a request that stays up until it is answered, and answers it when `answers` is up.
fn forward(m: &Builder, bus: Bus<UInt>, request: BusRequest<UInt>, answers: UInt) -> Answer {
    let asked = m.reg("asked", 1).reset_to(0);
    let known = m.reg("known", 1).reset_to(0);
    let (data, error) = (m.reg("answer", 32), m.reg("error", 1));
    let asks = request.valid & !asked;
    m.connect(bus.request, BusRequest { valid: asks, ..request });
    wire!(m, ends = known & answers);
    m.when(asks & bus.ready, || asked.set(1)).otherwise_when(ends, || asked.set(0));
    m.when(bus.response.valid, || {
        known.set(1);
        data.set(bus.response.data);
        error.set(bus.response.error);
    })
    .otherwise_when(ends, || known.set(0));
    Answer { valid: ends, data, error }
}

#[derive(Clone, Copy, Debug, Bundle)]
pub struct WishboneSlaveIn<T> {
    pub wb: WishboneBus<T>,
    #[flip]
    pub bus: Bus<T>,
}

/// Takes requests, and answers them later.
#[module]
pub struct WishboneSlave {
    pub seed: u16,
    pub mode: WishboneMode,
}

impl Module for WishboneSlave {
    type In = WishboneSlaveIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("WishboneSlave_{}", self.seed)
    }
    fn inputs(&self) -> WishboneSlaveIn<Shape> {
        WishboneSlaveIn { wb: WishboneBus::shape(self.mode), bus: Bus::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, WishboneSlaveIn { wb, bus }: WishboneSlaveIn<UInt>) -> Empty<UInt> {
        let [takes, answers] = whims(m, self.seed);
        let request = m.regs("request", Bus::shape().request);
        request.valid.reset_to(0);
        let answer = forward(m, bus, request, answers);
        // In classic mode the request that ends is still up.
        let is_free = match wb.stall_i {
            Some(_) => !request.valid | answer.valid,
            None => !request.valid,
        };
        wire!(m, may_take = is_free & takes);
        if let Some(stall) = wb.stall_i {
            stall.set(!may_take);
        }
        m.when(wb.cyc_o & wb.stb_o & may_take, || {
            let taken = BusRequest {
                valid: m.constant(Bits::from_bool(true)),
                addr: wb.adr_o,
                write: wb.we_o,
                wdata: wb.dat_o,
                mask: wb.sel_o,
            };
            m.connect(request, taken);
        })
        .otherwise_when(answer.valid, || request.valid.set(0));
        wb.ack_i.set(answer.valid & !answer.error);
        wb.err_i.set(answer.valid & answer.error);
        wb.dat_i.set(answer.data);
        m.assert("cycles_last", wb.cyc_o | !request.valid);
        Empty::new()
    }
}
