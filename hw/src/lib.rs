//! The Ferrite chip: what can be configured, where its memories and devices stand, and the hardware itself.

pub mod adapter;
pub mod config;
pub mod core;
pub mod map;
pub mod soc;
pub mod tensor;
