//! The core as a design of its own, with the ports of a bus that other systems have.

use super::{
    Axi4LiteBus, Axi4LiteData, Axi4LiteFetch, Axi4LiteReadBus, Responses, Wishbone, WishboneBus, WishboneMode,
};
use crate::core::{Bus, CoprocessorPort, Core, CoreConfig, CoreIn, CsrValues, Interrupts, Rvfi};
use ferrite_hdl::prelude::*;

/// A core without a chip around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Standalone {
    /// Name of the Verilog module.
    pub name: String,
    /// Features and pipeline.
    pub config: CoreConfig,
    /// Whether custom-0 instructions exist, and a port that hands them on.
    pub has_coprocessor: bool,
    /// Whether there are ports that report instructions and CSRs.
    pub has_rvfi: bool,
}

/// What the core tells.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct StandaloneOut<T> {
    /// A record of every instruction, for simulation and proof.
    pub rvfi: Option<Rvfi<T>>,
    /// The CSRs after the instruction that `rvfi` reports; likewise.
    pub csrs: Option<CsrValues<T>>,
}

impl Standalone {
    fn coprocessor(&self) -> Option<CoprocessorPort<Shape>> {
        self.has_coprocessor.then(CoprocessorPort::shape)
    }

    fn outputs(&self) -> StandaloneOut<Shape> {
        StandaloneOut { rvfi: self.has_rvfi.then(Rvfi::shape), csrs: self.has_rvfi.then(CsrValues::shape) }
    }

    /// The core, whose two buses are still to be connected: those of instructions and of data.
    fn instance(
        &self,
        m: &Builder,
        interrupts: Interrupts<UInt>,
        coprocessor: Option<CoprocessorPort<UInt>>,
    ) -> (Bus<UInt>, Bus<UInt>, StandaloneOut<UInt>) {
        let core = m.instance("core", &Core { config: self.config, has_coprocessor: self.has_coprocessor });
        let CoreIn { ibus, dbus, .. } = core.i;
        m.connect(core.i.interrupts, interrupts);
        match coprocessor {
            Some(port) => m.connect(port, core.i.coprocessor),
            None => {
                core.i.coprocessor.ready.set(0);
                core.i.coprocessor.response.valid.set(0);
                core.i.coprocessor.response.data.set(0);
            }
        }
        let out = StandaloneOut {
            rvfi: self.has_rvfi.then_some(core.o.rvfi),
            csrs: self.has_rvfi.then_some(core.o.csrs),
        };
        (ibus, dbus, out)
    }
}

/// Ports of [`NativeCore`].
#[derive(Clone, Copy, Debug, Bundle)]
pub struct NativeCoreIn<T> {
    /// Instruction fetch.
    #[flip]
    pub ibus: Bus<T>,
    /// Loads and stores.
    #[flip]
    pub dbus: Bus<T>,
    /// Interrupt lines, synchronous to the clock.
    pub interrupts: Interrupts<T>,
    /// The custom-0 instructions.
    #[flip]
    pub coprocessor: Option<CoprocessorPort<T>>,
}

/// A RISC-V core with the buses of its own.
#[module]
pub struct NativeCore {
    /// The core.
    pub core: Standalone,
}

impl Module for NativeCore {
    type In = NativeCoreIn<UInt>;
    type Out = StandaloneOut<UInt>;

    fn name(&self) -> String {
        self.core.name.clone()
    }
    fn inputs(&self) -> NativeCoreIn<Shape> {
        NativeCoreIn {
            ibus: Bus::shape(),
            dbus: Bus::shape(),
            interrupts: Interrupts::shape(),
            coprocessor: self.core.coprocessor(),
        }
    }
    fn outputs(&self) -> StandaloneOut<Shape> {
        self.core.outputs()
    }
    fn build(&self, m: &Builder, i: NativeCoreIn<UInt>) -> StandaloneOut<UInt> {
        let (ibus, dbus, out) = self.core.instance(m, i.interrupts, i.coprocessor);
        m.connect(i.ibus, ibus);
        m.connect(i.dbus, dbus);
        out
    }
}

/// Ports of [`Axi4LiteCore`].
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Axi4LiteCoreIn<T> {
    /// Instruction fetch.
    #[flip]
    pub m_axi_ibus: Axi4LiteReadBus<T>,
    /// Loads and stores.
    #[flip]
    pub m_axi_dbus: Axi4LiteBus<T>,
    /// Interrupt lines, synchronous to the clock.
    pub interrupts: Interrupts<T>,
    /// The custom-0 instructions.
    #[flip]
    pub coprocessor: Option<CoprocessorPort<T>>,
}

/// A RISC-V core that is two masters of AXI4-Lite.
#[module]
pub struct Axi4LiteCore {
    /// The core.
    pub core: Standalone,
    /// When the core sees responses.
    pub responses: Responses,
}

impl Module for Axi4LiteCore {
    type In = Axi4LiteCoreIn<UInt>;
    type Out = StandaloneOut<UInt>;

    fn name(&self) -> String {
        self.core.name.clone()
    }
    fn inputs(&self) -> Axi4LiteCoreIn<Shape> {
        Axi4LiteCoreIn {
            m_axi_ibus: Axi4LiteReadBus::shape(),
            m_axi_dbus: Axi4LiteBus::shape(),
            interrupts: Interrupts::shape(),
            coprocessor: self.core.coprocessor(),
        }
    }
    fn outputs(&self) -> StandaloneOut<Shape> {
        self.core.outputs()
    }
    fn build(&self, m: &Builder, i: Axi4LiteCoreIn<UInt>) -> StandaloneOut<UInt> {
        let responses = self.responses;
        let (ibus, dbus, out) = self.core.instance(m, i.interrupts, i.coprocessor);
        let fetch = m.instance("fetch_adapter", &Axi4LiteFetch { responses });
        m.connect(fetch.i.bus, ibus);
        m.connect(i.m_axi_ibus, fetch.i.axi);
        let data = m.instance("data_adapter", &Axi4LiteData { responses });
        m.connect(data.i.bus, dbus);
        m.connect(i.m_axi_dbus, data.i.axi);
        out
    }
}

/// Ports of [`WishboneCore`].
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WishboneCoreIn<T> {
    /// Instruction fetch.
    #[flip]
    pub wbm_ibus: WishboneBus<T>,
    /// Loads and stores.
    #[flip]
    pub wbm_dbus: WishboneBus<T>,
    /// Interrupt lines, synchronous to the clock.
    pub interrupts: Interrupts<T>,
    /// The custom-0 instructions.
    #[flip]
    pub coprocessor: Option<CoprocessorPort<T>>,
}

/// A RISC-V core that is two masters of Wishbone.
#[module]
pub struct WishboneCore {
    /// The core.
    pub core: Standalone,
    /// How requests pass.
    pub mode: WishboneMode,
}

impl Module for WishboneCore {
    type In = WishboneCoreIn<UInt>;
    type Out = StandaloneOut<UInt>;

    fn name(&self) -> String {
        self.core.name.clone()
    }
    fn inputs(&self) -> WishboneCoreIn<Shape> {
        WishboneCoreIn {
            wbm_ibus: WishboneBus::shape(self.mode),
            wbm_dbus: WishboneBus::shape(self.mode),
            interrupts: Interrupts::shape(),
            coprocessor: self.core.coprocessor(),
        }
    }
    fn outputs(&self) -> StandaloneOut<Shape> {
        self.core.outputs()
    }
    fn build(&self, m: &Builder, i: WishboneCoreIn<UInt>) -> StandaloneOut<UInt> {
        let adapter = Wishbone { mode: self.mode };
        let (ibus, dbus, out) = self.core.instance(m, i.interrupts, i.coprocessor);
        let fetch = m.instance("fetch_adapter", &adapter);
        m.connect(fetch.i.bus, ibus);
        m.connect(i.wbm_ibus, fetch.i.wb);
        let data = m.instance("data_adapter", &adapter);
        m.connect(data.i.bus, dbus);
        m.connect(i.wbm_dbus, data.i.wb);
        out
    }
}
