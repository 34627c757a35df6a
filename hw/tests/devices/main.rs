//! The chip's devices, one by one, from the bus on one side and the pins on the other, on the native engine and the interpreter at once.

mod board;
mod flash;
mod gpio;
mod plic;
mod program;
mod uart;
