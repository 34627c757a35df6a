//! x
use ferrite_hdl::prelude::*;
use super::csr::PmpState;
/// In
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PmpIn<T> { /// s
pub state: PmpState<T>, /// a
pub address: T, /// b
pub bytes: T, /// m
pub machine_mode: T, /// r
pub read: T, /// w
pub write: T, /// e
pub execute: T }
/// o
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PmpOut<T> { /// a
pub allowed: T }
/// p
#[module]
pub struct Pmp { /// r
 pub regions: u32 }
impl Module for Pmp { type In = PmpIn<UInt>; type Out = PmpOut<UInt>;
fn inputs(&self) -> PmpIn<Shape> { PmpIn { state: PmpState { cfg: bit(), addr: bit() }, address: bits(32), bytes: bits(2), machine_mode: bit(), read: bit(), write: bit(), execute: bit() } }
fn outputs(&self) -> PmpOut<Shape> { PmpOut { allowed: bit() } }
fn build(&self, _m: &Builder, i: PmpIn<UInt>) -> PmpOut<UInt> { PmpOut { allowed: i.machine_mode } } }
