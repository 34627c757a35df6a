//! Execute: results, requests to memory and coprocessor, and when the instruction may go on.

use ferrite_hdl::prelude::*;

use super::CoprocessorPort;
use super::alu::{Alu, AluIn, AluOut};
use super::branch::{Branch, BranchIn, BranchOut};
use super::bus::Bus;
use super::decode::{OperandA, Unit};
use super::memory;
use super::muldiv::{Divider, DividerIn, DividerOut, Multiplier, MultiplierIn, MultiplierOut};
use super::pipeline::Execute;

/// What follows from the instruction in execute alone.
pub struct Results {
    /// Its `funct3`.
    pub funct3: UInt,
    /// The ALU's result.
    pub alu: AluOut<UInt>,
    /// Whether it jumps, and where to.
    pub branch: BranchOut<UInt>,
    /// Its product, one cycle later.
    pub multiplier: MultiplierOut<UInt>,
    /// The address of a load or store.
    pub address: UInt,
    /// The address of the instruction behind it.
    pub sequential_pc: UInt,
}

/// Computes.
pub fn compute(m: &Builder, x: Execute<UInt>) -> Results {
    wire!(m, x_funct3 = x.insn.slice(12, 3));
    let operand_a =
        x.d.operand_a.is(OperandA::Pc).mux(x.pc, x.d.operand_a.is(OperandA::Zero).mux(0, x.rs1_value));
    let alu = m.instance("alu", &Alu {}).connect(AluIn {
        op: x.d.alu_op,
        a: operand_a,
        b: x.d.uses_imm.mux(x.d.imm, x.rs2_value),
    });
    let branch = m.instance("branch", &Branch {}).connect(BranchIn {
        unit: x.d.unit,
        funct3: x_funct3,
        pc: x.pc,
        rs1_value: x.rs1_value,
        rs2_value: x.rs2_value,
        imm: x.d.imm,
        target_from_rs1: x.d.target_from_rs1,
    });
    let multiplier = m.instance("multiplier", &Multiplier {}).connect(MultiplierIn {
        funct3: x_funct3,
        a: x.rs1_value,
        b: x.rs2_value,
    });
    wire!(m, x_address = x.rs1_value.wrapping_add(x.d.imm));
    wire!(m, x_sequential_pc = x.pc.wrapping_add(4));
    Results { funct3: x_funct3, alu, branch, multiplier, address: x_address, sequential_pc: x_sequential_pc }
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
    dbus.request.wdata.set(memory::store_data(results.funct3, x.rs2_value));
    dbus.request.mask.set(memory::byte_mask(m, results.funct3, results.address));
    coprocessor.command.valid.set(x_commands);
    coprocessor.command.funct7.set(x.insn.slice(25, 7));
    coprocessor.command.rs1.set(x.rs1_value);
    coprocessor.command.rs2.set(x.rs2_value);
}

/// Divides, over many cycles, as long as `acts` is up.
pub fn divide(m: &Builder, x: Execute<UInt>, funct3: UInt, acts: UInt) -> DividerOut<UInt> {
    let divider = m.instance("divider", &Divider {});
    let divides = acts & x.d.unit.is(Unit::Divide) & !divider.o.busy & !divider.o.done;
    divider.connect(DividerIn { start: divides, funct3, dividend: x.rs1_value, divisor: x.rs2_value })
}

/// Whether the instruction has nothing more to wait for. One that traps waits for nothing, `wfi` until `wakes` is up.
pub fn finishes(
    m: &Builder,
    x: Execute<UInt>,
    traps: UInt,
    dbus: Bus<UInt>,
    coprocessor: CoprocessorPort<UInt>,
    divider: DividerOut<UInt>,
    wakes: UInt,
) -> UInt {
    let x_finishes = m.wire("x_finishes", 1);
    x_finishes.set(1);
    m.when(!traps, || {
        m.switch(x.d.unit, |units| {
            units.cases([Unit::Load, Unit::Store], || x_finishes.set(dbus.ready));
            units.case(Unit::Coprocessor, || x_finishes.set(coprocessor.ready));
            units.case(Unit::Divide, || x_finishes.set(divider.done));
            units.case(Unit::Wfi, || x_finishes.set(wakes));
        });
    });
    x_finishes
}

/// The result that is there in execute; of a load or store the address.
pub fn result(m: &Builder, x: Execute<UInt>, results: &Results, divider: DividerOut<UInt>) -> UInt {
    let x_result = m.wire("x_result", 32);
    x_result.set(results.alu.result);
    m.switch(x.d.unit, |units| {
        units.case(Unit::Jump, || x_result.set(results.sequential_pc));
        units.case(Unit::Divide, || x_result.set(divider.result));
        units.cases([Unit::Load, Unit::Store], || x_result.set(results.address));
    });
    x_result
}
