//! A hardware description language embedded in Rust.
//!
//! A module is a Rust value whose fields are its parameters; building it runs ordinary Rust. Its ports are one generic struct
//! ([`Bundle`]), from which widths, signals, test values and names all come. [`elaborate()`] builds a design and reports all
//! of its mistakes at once, each at its place in the Rust source; [`verilog::emit`] writes it as Verilog-2005 that
//! reads as if written by hand.
//!
//! ```
//! use ferrite_hdl::prelude::*;
//!
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
//!     weight: T,
//!     psum: T,
//! }
//!
//! /// A weight-stationary processing element.
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
//!         PeOut { act: signed(8), weight: signed(8), psum: signed(self.acc_bits) }
//!     }
//!     fn build(&self, m: &Builder, i: PeIn<UInt>) -> PeOut<UInt> {
//!         let weight = m.reg("weight", signed(8));
//!         m.when(i.load, || weight.set(i.weight));
//!         wire!(m, product = (i.act.signed() * weight.signed()).unsigned());
//!         PeOut {
//!             act: m.delay("act", i.act),
//!             weight,
//!             psum: m.delay("psum", (i.psum.signed() + product.signed()).truncate(self.acc_bits)),
//!         }
//!     }
//! }
//!
//! let design = elaborate(&Pe { acc_bits: 32 }).unwrap();
//! assert_eq!(design.top_module().name, "Pe");
//! ```

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
