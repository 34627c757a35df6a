//! Faults put into the core's Verilog, one at a time, each of which a test must catch.

pub mod faults;
pub mod icarus;
pub mod run;
