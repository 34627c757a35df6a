//! Where branches went, and whether fetch had guessed it.

use ferrite_hw::core::Predictor;
use ferrite_model::isa::{Format, Op};

use super::{Group, Observation, Passed, Past};
use crate::fuzz::Traits;

/// Cycles from one instruction to the next, at least, if fetch had to begin anew between them. No other reason delays an instruction that needs
/// nothing, on a board that answers at once.
const REFILL_CYCLES: u64 = 3;

const BRANCHES: [Op; 6] = [Op::Beq, Op::Bne, Op::Blt, Op::Bge, Op::Bltu, Op::Bgeu];
const OUTCOMES: [&str; 3] = ["not taken", "taken forwards", "taken backwards"];

/// Every branch with every outcome.
pub fn outcomes(_: &Traits) -> Group {
    let name = |op: &Op| OUTCOMES.map(|outcome| Some(format!("{}: {outcome}", op.spec().mnemonic)));
    Group::new("branches", BRANCHES.iter().flat_map(name).collect())
}

fn is_taken(passed: &Passed) -> bool {
    passed.next_pc != passed.pc.wrapping_add(passed.bytes)
}

pub fn observe_outcome(group: &mut Group, _: &Traits, past: &Past, o: &Observation<'_>) {
    let Some(passed) = past.last() else { return };
    let _ = o;
    let Some(op) = BRANCHES.iter().position(|op| *op == passed.inst.op) else { return };
    let outcome = match is_taken(&passed) {
        false => 0,
        true if passed.next_pc > passed.pc => 1,
        true => 2,
    };
    group.hit(op * OUTCOMES.len() + outcome);
}

const WAYS: [&str; 5] = ["branch, taken", "branch, not taken", "jal", "jalr", "return"];
const DIRECT: usize = 2;
const INDIRECT: usize = 3;
const RETURN: usize = 4;

/// What changes the program's course, and whether what follows was there at once.
pub fn timing(traits: &Traits) -> Group {
    let predicts = traits.core.predicts();
    let returns = predicts && traits.core.return_stack > 0;
    let is_static = traits.core.predictor == Predictor::Static;
    let names = WAYS.iter().enumerate().flat_map(|(way, name)| {
        let straight = name.ends_with("not taken");
        let guessed = match way {
            RETURN => returns,
            INDIRECT => predicts && !is_static,
            _ => predicts || straight,
        };
        // A direct jump is not mistaken for anything else.
        let wrong = if way == DIRECT { !is_static } else { predicts || !straight };
        [
            guessed.then(|| format!("{name}: as fetch had guessed")),
            wrong.then(|| format!("{name}: not as fetch had guessed")),
        ]
    });
    Group::new("predictions", names.collect())
}

pub fn observe_timing(group: &mut Group, _: &Traits, past: &Past, o: &Observation<'_>) {
    let (Some(passed), Some(gap)) = (past.last(), o.gap) else { return };
    // The next one must have nothing to wait for but to be fetched.
    let simple =
        o.retired.inst.is_some_and(|inst| matches!(inst.op.spec().format, Format::Imm | Format::Reg));
    if !simple || o.retired.handler_entry {
        return;
    }
    let is_link = |number: u32| number == 1 || number == 5;
    let inst = passed.inst;
    let way = match inst.op.spec().format {
        Format::Branch if is_taken(&passed) => 0,
        Format::Branch => 1,
        Format::Jal => 2,
        Format::Jalr if is_link(inst.rs1.number()) && inst.rd != inst.rs1 => RETURN,
        Format::Jalr => 3,
        _ => return,
    };
    group.hit_if(2 * way, gap < REFILL_CYCLES);
    group.hit_if(2 * way + 1, gap >= REFILL_CYCLES);
}
