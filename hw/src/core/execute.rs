//! Execute: results, requests to memory and coprocessor, and when the instruction may go on.

use ferrite_hdl::prelude::*;

use super::CoprocessorPort;
use super::alu::{Alu, AluIn};
use super::bitmanip::{Bitmanip, BitmanipIn};
use super::branch::{Branch, BranchIn, BranchOut};
use super::bus::Bus;
use super::config::CoreConfig;
use super::fetch;
use super::memory;
use super::only;
use super::pipeline::Execute;
use super::split::Part;

/// What follows from the instruction in execute alone.
pub struct Results {
    /// Its `funct3`.
    pub funct3: UInt,
    /// The result as far as decode may have it already: the ALU's.
    pub forwarded: UInt,
    /// The result.
    pub result: UInt,
    /// The bit manipulation unit's result.
    pub manipulated: UInt,
    /// Whether it jumps, and whether fetch knew.
    pub branch: BranchOut<UInt>,
    /// The address of a load or store, or the target of a jump or branch.
    pub address: UInt,
    /// Address of the instruction behind it.
    pub sequential_pc: UInt,
}

/// Computes.
pub fn compute(m: &Builder, config: &CoreConfig, x: Execute<UInt>) -> Results {
    wire!(m, x_funct3 = x.insn.slice(12, 3));
    wire!(m, x_sequential_pc = fetch::sequential(m, x.pc, x.halves));
    let nothing = m.constant(Bits::zero(32));
    let alu =
        m.instance("alu", &Alu { extensions: config.extensions, shifter: config.shifter }).connect(AluIn {
            control: x.d.alu,
            a: x.a,
            b: x.b,
            links_to: if config.guesses_direct_targets() { x.target } else { nothing },
        });
    // Where an adder of its own makes the address that a jump leaves, it is not forwarded from here: few want it at once.
    let linked = if config.guesses_direct_targets() { nothing } else { only(x.d.alu.links, x_sequential_pc) };
    // Beside the ALU, since a store's second operand is what it stores.
    wire!(m, x_sum = x.a.wrapping_add(x.d.imm));
    // `jalr` clears bit 0, which of a jump's target no one looks at.
    let from_rs1 = x.d.target_from_rs1 | x.kind.load | x.kind.store;
    let clear = x.d.target_from_rs1;
    let sum = x_sum.slice(1, 31).concat(x_sum.bit(0) & !clear);
    wire!(m, x_address = from_rs1.mux(sum, x.target));
    let branch = m.instance("branch", &Branch { predicts: config.predicts() }).connect(BranchIn {
        is_jump: x.kind.jump,
        is_branch: x.kind.branch,
        funct3: x_funct3,
        rs1_value: x.a,
        rs2_value: x.b,
        less_unsigned: alu.less_unsigned,
        flips: alu.flips,
        predicted: x.prediction.taken,
        elsewhere: x.elsewhere,
        checks_target: x.checks_target,
    });
    let manipulated = if config.extensions.zbb {
        let unit = m.instance("bitmanip", &Bitmanip {});
        unit.connect(BitmanipIn { op: x.d.bitmanip, a: x.a, b: x.b }).result
    } else {
        m.constant(Bits::zero(32))
    };
    Results {
        funct3: x_funct3,
        forwarded: alu.result,
        result: alu.result | linked,
        manipulated,
        branch,
        address: x_address,
        sequential_pc: x_sequential_pc,
    }
}

/// The two lowest bits of the address of a load or store, found sooner than the others.
pub fn low_address(x: Execute<UInt>) -> UInt {
    let (a, b) = (x.a, x.d.imm);
    let carry = a.bit(0) & b.bit(0);
    (a.bit(1) ^ b.bit(1) ^ carry).concat(a.bit(0) ^ b.bit(0))
}

/// Asks memory and coprocessor. `acts` is up once nothing before the instruction can trap or redirect, and it does not trap itself;
/// `part` tells what of a load or store that may be misaligned is due.
pub fn request(
    m: &Builder,
    x: Execute<UInt>,
    results: &Results,
    acts: UInt,
    part: Option<Part>,
    dbus: Bus<UInt>,
    coprocessor: CoprocessorPort<UInt>,
) {
    let accesses = acts & (x.kind.load | x.kind.store);
    wire!(m, x_asks = part.map_or(accesses, |part| accesses & part.asks));
    wire!(m, x_commands = acts & x.kind.coprocessor);
    dbus.request.valid.set(x_asks);
    let word = part.map_or(results.address.slice(2, 30), |part| part.word);
    dbus.request.addr.set(word.concat(m.constant(Bits::zero(2))));
    dbus.request.write.set(x.kind.store);
    let data = part.map_or_else(|| memory::store_data(results.funct3, x.b), |part| part.data);
    dbus.request.wdata.set(data);
    let mask = part.map_or_else(|| memory::byte_mask(m, results.funct3, results.address), |part| part.mask);
    dbus.request.mask.set(mask);
    coprocessor.command.valid.set(x_commands);
    coprocessor.command.funct7.set(x.insn.slice(25, 7));
    coprocessor.command.rs1.set(x.a);
    coprocessor.command.rs2.set(x.b);
}

/// What an instruction in execute may wait for.
pub struct Awaited {
    /// The data bus takes a request.
    pub dbus_ready: UInt,
    /// The coprocessor takes a command.
    pub coprocessor_ready: UInt,
    /// An interrupt that is enabled is pending.
    pub wakes: UInt,
    /// Commit holds an instruction.
    pub c_valid: UInt,
    /// What of a load or store is due.
    pub part: Option<Part>,
}

/// Whether the instruction has nothing more to wait for. One that
/// `stops` for a trap waits for nothing, `wfi` until `wakes` is up, and a
/// CSR instruction until everything before it has taken effect.
pub fn finishes(m: &Builder, x: Execute<UInt>, stops: UInt, awaited: Awaited) -> UInt {
    let taken = awaited.part.map_or(awaited.dbus_ready, |part| awaited.dbus_ready & !part.holds);
    let memory = (x.kind.load | x.kind.store) & !taken;
    let command = x.kind.coprocessor & !awaited.coprocessor_ready;
    let others = (x.kind.wfi & !awaited.wakes) | (x.kind.csr & awaited.c_valid);
    wire!(m, x_finishes = stops | !(memory | command | others));
    x_finishes
}
