//! A hardware description language embedded in Rust.
//!
//! A module is a Rust value whose fields are its parameters; building it runs ordinary Rust, so a loop makes instances and a
//! function makes logic. [`elaborate()`] builds a design and reports all of its mistakes at once, each at its place in the Rust source.
//! [`verilog::emit`] writes it as Verilog-2005 that reads as if written by hand.
//!
//! # A module
//!
//! ```
//! use ferrite_hdl::prelude::*;
//! use ferrite_hdl::verilog::{EmitOptions, emit};
//!
//! // The ports: one struct for widths (`PeIn<Shape>`), signals (`PeIn<UInt>`) and test values (`PeIn<i64>`).
//! #[derive(Clone, Bundle)]
//! pub struct PeIn<T> {
//!     act: T,
//!     weight: T,
//!     psum: T,
//!     load: T,
//! }
//! #[derive(Clone, Bundle)]
//! pub struct PeOut<T> {
//!     act: T,
//!     psum: T,
//! }
//!
//! /// A weight-stationary processing element. (This comment stands above the Verilog module too.)
//! #[module]
//! pub struct Pe {
//!     pub acc_bits: u32,
//! }
//!
//! impl Module for Pe {
//!     type In = PeIn<UInt>;
//!     type Out = PeOut<UInt>;
//!
//!     fn inputs(&self) -> PeIn<Shape> {
//!         PeIn { act: signed(8), weight: signed(8), psum: signed(self.acc_bits), load: bit() }
//!     }
//!     fn outputs(&self) -> PeOut<Shape> {
//!         PeOut { act: signed(8), psum: signed(self.acc_bits) }
//!     }
//!     fn build(&self, m: &Builder, i: PeIn<UInt>) -> PeOut<UInt> {
//!         let weight = m.reg("weight_q", signed(8));
//!         m.when(i.load, || weight.set(i.weight));
//!         // Signed arithmetic is a type of its own; no operator loses a bit.
//!         wire!(m, product = (i.act.signed() * weight.signed()).unsigned());
//!         let sum = (i.psum.signed() + product.signed()).truncate(self.acc_bits);
//!         m.assume("weights_are_symmetric", i.weight.ne(0x80));
//!         PeOut { act: m.delay("act_q", i.act), psum: m.delay("psum_q", sum) }
//!     }
//! }
//!
//! /// A row of them: instances in a loop, each connected to the one before.
//! #[module]
//! pub struct Row {
//!     pub length: usize,
//! }
//!
//! impl Module for Row {
//!     type In = PeIn<UInt>;
//!     type Out = PeOut<UInt>;
//!
//!     fn inputs(&self) -> PeIn<Shape> {
//!         Pe { acc_bits: 32 }.inputs()
//!     }
//!     fn outputs(&self) -> PeOut<Shape> {
//!         Pe { acc_bits: 32 }.outputs()
//!     }
//!     fn build(&self, m: &Builder, i: PeIn<UInt>) -> PeOut<UInt> {
//!         let (mut act, mut psum) = (i.act, i.psum);
//!         for k in 0..self.length {
//!             let inputs = PeIn { act, psum, ..i };
//!             let pe = m.instance(&format!("pe_{k}"), &Pe { acc_bits: 32 }).connect(inputs);
//!             (act, psum) = (pe.act, pe.psum);
//!         }
//!         PeOut { act, psum }
//!     }
//! }
//!
//! let design = elaborate(&Row { length: 4 }).unwrap_or_else(|mistakes| panic!("{mistakes}"));
//! let files = emit(&design, &EmitOptions::default());
//! // Equal parameters are one Verilog module: `Pe.v` and `Row.v`.
//! assert_eq!(files.len(), 2);
//! assert!(files[0].text.contains("wire signed [15:0] product = act_in * weight_q;"));
//! assert!(files[1].text.contains("Pe pe_3 ("));
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | ports, nested, repeated, in both directions | [`Bundle`] |
//! | what a module is, its name, its clocks | [`Module`], [`macro@module`] |
//! | registers, wires, conditions, memories, instances, properties | [`Builder`] |
//! | operators and widths | [`UInt`], [`SInt`], [`concat()`] |
//! | what stands beside a signal: numbers, values with a width, enums | [`Operand`], [`Bits`], [`Encoding`] |
//! | widths and signs of ports and registers | [`Shape`], [`bit`], [`bits()`], [`signed`] |
//! | memories: ports, byte enables, initial contents from Rust or from a file | [`Memory`], [`hex`] |
//! | Verilog that comes from elsewhere | [`External`] |
//! | streams, queues, arbiters, synchronisers, the asynchronous FIFO | [`library`] |
//! | the emitted files; failing properties and memory files in other tools | [`verilog`] |
//! | mistakes as data | [`Diagnostics`] |
//!
//! Engines and other back ends read a [`Design`]: its modules as statements ([`ir`]) and as data flow ([`lower`]), the whole as one
//! netlist ([`flat`]), and the meaning of every operation ([`eval`]).

extern crate self as ferrite_hdl;

pub mod bits;
mod builder;
mod bundle;
mod components;
pub mod design;
pub mod diagnostic;
mod elaborate;
pub mod eval;
mod finish;
pub mod flat;
pub mod hex;
pub mod ir;
pub mod library;
pub mod lower;
mod lowering;
mod memory;
mod module;
mod shape;
mod signal;
pub mod verilog;

pub use bits::Bits;
pub use builder::{Builder, Instance, Switch, When};
pub use bundle::{Bundle, Empty, Leaf, LeafInfo, Path};
pub use design::Design;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use elaborate::elaborate;
pub use ferrite_hdl_derive::{Bundle, Encoding, module};
pub use ir::External;
pub use memory::Memory;
pub use module::{Describe, Module, port_names};
pub use shape::{Encoding, EncodingInfo, Shape, bit, bits, index_width, signed};
pub use signal::{MAX_WIDTH, Operand, SInt, SignedOperand, UInt, concat};

/// Everything that a description of hardware needs: `use ferrite_hdl::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Bits, Builder, Bundle, Design, Diagnostics, Empty, Encoding, External, Memory, Module, SInt, Shape,
        UInt, bit, bits, concat, elaborate, index_width, module, reg, signed, wire,
    };
}
