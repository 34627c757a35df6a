//! Execute: results, requests to memory and coprocessor, and when the instruction may go on.

use ferrite_hdl::prelude::*;

use super::CoprocessorPort;
use super::alu::{Alu, AluIn};
use super::bitmanip::{Bitmanip, BitmanipIn};
use super::branch::{Branch, BranchIn, BranchOut};
use super::bus::Bus;
use super::config::{CoreConfig, Predictor};
use super::decode::Unit;
use super::memory;
use super::pipeline::Execute;

/// What follows from the instruction in execute alone.
pub struct Results {
    /// Its `funct3`.
    pub funct3: UInt,
    /// The ALU's result.
    pub result: UInt,
    /// The bit manipulation unit's result.
    pub manipulated: UInt,
    /// Whether it jumps, and whether fetch knew.
    pub branch: BranchOut<UInt>,
    /// The address of a load or store, or the target of a jump or branch.
    pub address: UInt,
    /// Where the program goes on, if fetch did not know.
    pub next_pc: UInt,
}

/// Computes.
pub fn compute(m: &Builder, config: &CoreConfig, x: Execute<UInt>) -> Results {
    wire!(m, x_funct3 = x.insn.slice(12, 3));
    let alu = m.instance("alu", &Alu { extensions: config.extensions }).connect(AluIn {
        control: x.d.alu,
        a: x.a,
        b: x.b,
        next_pc: x.sequential_pc,
    });
    // Beside the ALU, since a store's second operand is what it stores.
    wire!(m, x_sum = x.a.wrapping_add(x.d.imm));
    // `jalr` clears bit 0, which of a jump's target no one looks at.
    let from_rs1 = x.d.target_from_rs1 | x.d.unit.is(Unit::Load) | x.d.unit.is(Unit::Store);
    let clear = x.d.target_from_rs1;
    let sum = x_sum.slice(1, 31).concat(x_sum.bit(0) & !clear);
    wire!(m, x_address = from_rs1.mux(sum, x.target));
    let predicts = matches!(config.predictor, Predictor::Btb { .. });
    let branch = m.instance("branch", &Branch { predicts }).connect(BranchIn {
        unit: x.d.unit,
        funct3: x_funct3,
        rs1_value: x.a,
        rs2_value: x.b,
        less_unsigned: alu.less_unsigned,
        flips: alu.flips,
        direct_target: x.target,
        target_from_rs1: x.d.target_from_rs1,
        predicted: x.prediction.taken,
        predicted_pc: x.predicted_pc,
    });
    let manipulated = if config.extensions.zbb {
        let unit = m.instance("bitmanip", &Bitmanip {});
        unit.connect(BitmanipIn { op: x.d.bitmanip, a: x.a, b: x.b }).result
    } else {
        m.constant(Bits::zero(32))
    };
    let next_pc = if predicts { branch.taken.mux(x_address, x.sequential_pc) } else { x_address };
    Results { funct3: x_funct3, result: alu.result, manipulated, branch, address: x_address, next_pc }
}

/// Asks memory and coprocessor. `acts` is up once nothing before the instruction can trap or redirect, and it does not trap itself.
pub fn request(
    m: &Builder,
    x: Execute<UInt>,
    results: &Results,
    acts: UInt,
    dbus: Bus<UInt>,
    coprocessor: CoprocessorPort<UInt>,
) {
    wire!(m, x_asks = acts & (x.d.unit.is(Unit::Load) | x.d.unit.is(Unit::Store)));
    wire!(m, x_commands = acts & x.d.unit.is(Unit::Coprocessor));
    dbus.request.valid.set(x_asks);
    dbus.request.addr.set(results.address.slice(2, 30).concat(m.constant(Bits::zero(2))));
    dbus.request.write.set(x.d.unit.is(Unit::Store));
    dbus.request.wdata.set(memory::store_data(results.funct3, x.b));
    dbus.request.mask.set(memory::byte_mask(m, results.funct3, results.address));
    coprocessor.command.valid.set(x_commands);
    coprocessor.command.funct7.set(x.insn.slice(25, 7));
    coprocessor.command.rs1.set(x.a);
    coprocessor.command.rs2.set(x.b);
}

/// Whether the instruction has nothing more to wait for. One that traps waits for nothing, `wfi` until `wakes` is up, and a CSR
/// instruction until everything before it has taken effect.
pub fn finishes(
    m: &Builder,
    x: Execute<UInt>,
    traps: UInt,
    dbus: Bus<UInt>,
    coprocessor: CoprocessorPort<UInt>,
    wakes: UInt,
    c_valid: UInt,
) -> UInt {
    let x_finishes = m.wire("x_finishes", 1);
    x_finishes.set(1);
    m.when(!traps, || {
        m.switch(x.d.unit, |units| {
            units.cases([Unit::Load, Unit::Store], || x_finishes.set(dbus.ready));
            units.case(Unit::Coprocessor, || x_finishes.set(coprocessor.ready));
            units.case(Unit::Wfi, || x_finishes.set(wakes));
            units.case(Unit::Csr, || x_finishes.set(!c_valid));
        });
    });
    x_finishes
}
