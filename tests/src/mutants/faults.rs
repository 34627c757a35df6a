//! The faults: each is one place of the Verilog that is wrong.
//!
//! The texts are those of the emitted Verilog, so a change of the core may need one here: the run says which text it no longer finds.

use crate::formal::netlist::Change;

/// What must catch a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaughtBy {
    /// Random programs beside the model.
    Programs,
    /// A check of `make formal`, by name, or by a claim of its.
    Check(&'static str),
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub name: &'static str,
    /// In which core: one of [`crate::formal::cores`].
    pub core: &'static str,
    /// What becomes of the Verilog.
    pub change: Change,
    /// What must catch it.
    pub caught_by: CaughtBy,
}

const fn fault(name: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Fault {
    Fault { name, core: "fast", change: Change { file, from, to }, caught_by: CaughtBy::Programs }
}

const fn proved(check: &'static str, fault: Fault) -> Fault {
    Fault { caught_by: CaughtBy::Check(check), ..fault }
}

const fn small(fault: Fault) -> Fault {
    Fault { core: "small", ..fault }
}

/// Few, of every kind, for the ordinary test run.
pub const SHORT: [&str; 4] = [
    "a subtraction goes the other way round",
    "a load's value is used before it is there",
    "words of the wrong path are kept after a redirect",
    "an ecall of user mode has the code of machine mode",
];

/// All faults.
pub const FAULTS: &[Fault] = &[
    // Arithmetic.
    fault(SHORT[0], "Alu.v", "a - b;", "b - a;"),
    fault("sra forgets the sign", "Alu.v", "fill = control_arithmetic & a[31]", "fill = 1'b0"),
    fault("xor is or", "Alu.v", "a ^ combined_mixed)", "a | combined_mixed)"),
    small(fault("an iterative sra forgets the sign", "Shift.v", "control_arithmetic & a[31];", "1'b0;")),
    fault("branches compare without sign", "Branch.v", "(funct3[2] & flips)", "(funct3[2] & 1'b0)"),
    fault("the maximum is the minimum", "Bitmanip.v", "less ^ op[1]", "less"),
    fault("the divider makes a step too few", "Divide.v", "step <= 6'd0;", "step <= 6'd1;"),
    fault(
        "a quotient by 0 has a sign",
        "Divide.v",
        "(dividend_negative ^ divisor_negative) & !fits",
        "(dividend_negative ^ divisor_negative)",
    ),
    fault("mulhu takes its second factor with a sign", "Multiply.v", "b[31] & !funct3[1]", "b[31]"),
    fault("a high product is used before it is there", "Multiply.v", "!(is_new & is_high)", "1'b1"),
    // Operands and hazards.
    fault("no forwarding from execute to rs1", "RegFile.v", "(executed_rd == rs1)", "1'b0"),
    fault("no forwarding from commit to rs2", "RegFile.v", "(committed_rd == rs2)", "1'b0"),
    fault(
        "an older result is forwarded beside a newer one",
        "RegFile.v",
        "(rs1_is_stored & rs1[4]) | rs1_from_x;",
        "rs1_is_stored & rs1[4];",
    ),
    fault(SHORT[1], "Core.v", "wire waits_for_x = x_valid &", "wire waits_for_x = 1'b0 &"),
    fault(
        "a load's value is used while memory makes it wait",
        "Core.v",
        "wire waits_for_c = c_valid &",
        "wire waits_for_c = 1'b0 &",
    ),
    fault(
        "a CSR instruction does not wait for what is before it",
        "Core.v",
        "(x_kind_csr & c_valid)",
        "1'b0",
    ),
    fault(
        "a trapping instruction writes its register",
        "Core.v",
        "wire c_retires = c_done & !(c_done & (c_trap_valid | c_refused))",
        "wire c_retires = c_done",
    ),
    fault(
        "an instruction behind a trap asks for memory",
        "Core.v",
        "wire x_goes = x_valid & c_takes & !c_redirects;",
        "wire x_goes = x_valid & c_takes;",
    ),
    fault(
        "a misaligned access reaches the bus",
        "Core.v",
        "wire x_acts = x_goes & !x_stops",
        "wire x_acts = x_goes",
    ),
    // Fetch and prediction.
    fault(SHORT[2], "Fetch.v", "kept_valid_0 <= !redirect_valid", "kept_valid_0 <= 1'b1"),
    fault(
        "the late answer of an abandoned fetch is taken",
        "Fetch.v",
        "discard <= outstanding;",
        "discard <= 1'b0;",
    ),
    fault(
        "a redirect is forgotten while the bus refuses",
        "Fetch.v",
        "(redirect_valid | retarget);",
        "redirect_valid;",
    ),
    fault(
        "what follows a predicted branch in its last word is run",
        "Fetch.v",
        "drops <= !redirect_valid & goes & needs_second & taken;",
        "drops <= 1'b0;",
    ),
    proved(
        "successor",
        fault(
            "half an instruction that a prediction cut is run",
            "Fetch.v",
            "offer_broken <= spare_valid ? spare_broken : is_broken;",
            "offer_broken <= 1'b0;",
        ),
    ),
    proved(
        "course",
        fault(
            "a stale prediction of a branch's target is believed",
            "Core.v",
            "x_elsewhere <= d_elsewhere;",
            "x_elsewhere <= 1'b0;",
        ),
    ),
    fault(
        "a stale prediction of a return is believed",
        "Core.v",
        "x_checks_target <= ",
        "x_checks_target <= 1'b0 & ",
    ),
    fault("c.ebreak is an ecall", "Expand.v", "32'h100073", "32'h73"),
    fault("c.addi4spn may add 0", "Expand.v", "legal = |half[12:5];", "legal = 1'b1;"),
    // Memory.
    fault("lb forgets the sign", "Core.v", "((load_first[7] &", "((1'b0 &"),
    fault("a byte is stored at the word's beginning", "Core.v", "4'd1) << x_address[1:0];", "4'd1);"),
    fault(
        "an error of the bus is ignored",
        "Core.v",
        "wire c_refused = c_asked & dbus_response_error;",
        "wire c_refused = 1'b0;",
    ),
    // Traps and CSRs.
    fault(SHORT[3], "Core.v", "x_trap_code = 4'd8;", "x_trap_code = 4'd11;"),
    fault(
        "a misaligned load has the code of a store",
        "Core.v",
        "x_stops_joined ? 4'd4 : 4'd5",
        "x_stops_joined ? 4'd6 : 4'd5",
    ),
    fault(
        "mtval names the first half where the second is missing",
        "Core.v",
        "c_tval = c_pc + {30'd0, c_error_in_second_half, 1'b0};",
        "c_tval = c_pc;",
    ),
    fault("mtval of an illegal instruction is 0", "Core.v", "c_tval = c_insn;", "c_tval = 32'd0;"),
    fault(
        "a trap forgets that interrupts were enabled",
        "Csr.v",
        "mstatus_mpie <= mstatus_mie;",
        "mstatus_mpie <= 1'b0;",
    ),
    fault("mret stays in machine mode", "Csr.v", "machine_mode_q <= mstatus_mpp;", "machine_mode_q <= 1'b1;"),
    fault(
        "mret to user mode leaves MPRV",
        "Csr.v",
        "mstatus_mprv <= mstatus_mprv & mstatus_mpp;",
        "mstatus_mprv <= mstatus_mprv;",
    ),
    proved(
        "csr_writes",
        small(fault(
            "mie has its timer's bit elsewhere",
            "Csr.v",
            "mie_timer <= write_value[7];",
            "mie_timer <= write_value[5];",
        )),
    ),
    fault("exceptions are vectored", "Csr.v", "{4{trap_interrupt & mtvec_vectored}}", "{4{mtvec_vectored}}"),
    fault(
        "csrrc leaves the bits that it should clear",
        "Core.v",
        "csr_read & ~c_result",
        "csr_read & c_result",
    ),
    fault("instructions that trap are counted", "Core.v", ".retires(c_retires)", ".retires(c_done)"),
    fault(
        "minstret counts although it is inhibited",
        "Csr.v",
        "retires & !mcountinhibit_2 & !minstreth_written",
        "retires & !minstreth_written",
    ),
    fault("user mode sees all CSRs", "Decode.v", "(machine_mode | csr_given)", "1'b1"),
    fault("the timer's interrupt has another code", "Csr.v", "is_timer <= only_timer;", "is_timer <= 1'b0;"),
    fault(
        "interrupts come in machine mode although they are disabled",
        "Csr.v",
        "interrupt_q <= any & globally_enabled;",
        "interrupt_q <= any;",
    ),
    fault(
        "an interrupt comes behind the instruction that disables it",
        "Core.v",
        "(x_valid | c_valid | c_was_valid)",
        "(x_valid | c_valid)",
    ),
    // Proofs: the same kinds of fault, found without a program.
    proved(
        "result_sub",
        small(fault(
            "a subtraction goes the other way round, in the small core",
            "Alu.v",
            "a - b;",
            "b - a;",
        )),
    ),
    proved(
        "registers",
        small(fault("no forwarding from commit to rs1", "RegFile.v", "(committed_rd == rs1)", "1'b0")),
    ),
    proved(
        "buses",
        small(fault(
            "a fetch is withdrawn by a redirect",
            "Fetch.v",
            "assign bus_request_valid = asks & allowed;",
            "assign bus_request_valid = asks & allowed & !redirect_valid;",
        )),
    ),
    proved(
        "code",
        small(fault(
            "the late answer of an abandoned fetch is taken, in the small core",
            "Fetch.v",
            "discard <= outstanding;",
            "discard <= 1'b0;",
        )),
    ),
    proved(
        "liveness",
        small(fault(
            "a jump waits for an instruction before it",
            "Core.v",
            "wire x_goes = x_valid",
            "wire x_goes = x_valid & (c_was_valid | !x_kind_jump)",
        )),
    ),
    proved(
        "csr_writes",
        small(fault(
            "mscratch loses a bit",
            "Csr.v",
            "mscratch <= write_value;",
            "mscratch <= {1'b0, write_value[30:0]};",
        )),
    ),
];
