//! The Ferrite chip: what can be configured, where its memories and devices stand, and the hardware itself.

pub mod adapter;
pub mod axi;
pub mod command;
pub mod compute;
pub mod config;
pub mod core;
mod countdown;
mod delay;
pub mod dma;
pub mod map;
pub mod record;
pub mod soc;
pub mod tensor;
pub mod unit;
