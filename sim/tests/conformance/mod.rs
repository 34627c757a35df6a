//! What every engine does, besides showing the interpreter's values.

use ferrite_hdl::Bits;
use ferrite_hdl::library::{Queue, RoundRobinArbiter, SkidBuffer};
use ferrite_hdl::prelude::*;
use ferrite_sim::{Interpreter, Simulator, StepError};

use crate::circuits::Counter;

pub fn design<M: Module>(module: &M) -> Design {
    elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A value as the counter has it.
pub fn count(value: u64) -> Bits {
    Bits::from_u64(32, value)
}

/// Modules of the library to be compared with the interpreter, by a function that takes a design and a number of cycles.
pub fn compare_library_modules(mut agrees: impl FnMut(&Design, u32) -> u32) {
    agrees(&design(&Queue { width: 8, depth: 4 }), 300);
    agrees(&design(&SkidBuffer { width: 70 }), 300);
    agrees(&design(&RoundRobinArbiter { requesters: 5 }), 300);
}

/// Lets a counter count.
pub fn enable(sim: &mut dyn Simulator) {
    let enable = sim.input("enable").expect("the input exists");
    sim.poke(enable, &Bits::from_bool(true));
}

/// On a counter up to 1000 that counts.
pub fn assert_a_run_ends_when_a_watched_output_changes(sim: &mut dyn Simulator) {
    let (output, is_round) = (sim.output("count").unwrap(), sim.output("is_round").unwrap());
    assert_eq!(sim.run(100, &[is_round]), Ok(1));
    assert_eq!(sim.run(100, &[is_round]), Ok(15));
    assert_eq!(sim.peek(output), count(16));
    assert_eq!(sim.run(100, &[is_round, output]), Ok(1));
    assert_eq!(sim.run(100, &[]), Ok(100));
    assert_eq!((sim.peek(output), sim.cycle()), (count(117), 117));
}

/// On a counter up to 50 that counts.
pub fn assert_a_run_ends_before_the_edge_at_which_a_property_fails(sim: &mut dyn Simulator) {
    let mut interpreter = Interpreter::new(&design(&Counter { limit: 50 }));
    interpreter.poke(1, &Bits::from_bool(true));
    let Err(StepError::Check { cycle, kind, path, place }) = sim.step(1000) else {
        panic!("the counter passed its limit");
    };
    assert_eq!((cycle, kind, path.as_str()), (50, "assertion", "below_limit"));
    assert!(place.contains("circuits/mod.rs:"), "{place}");
    let failed = Err(StepError::Check { cycle, kind, path, place });
    assert_eq!(interpreter.step(1000), failed);
    assert_eq!(sim.step(1), failed, "it still does not hold");
    assert_eq!((sim.peek(0), sim.cycle()), (count(50), 50));
    // Where the property is not looked at, time goes on.
    sim.poke(1, &Bits::from_bool(false));
    assert_eq!(sim.run(7, &[0]), Ok(7));
}
