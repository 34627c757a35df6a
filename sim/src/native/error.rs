//! What can go wrong while a design is compiled.

use std::fmt::Display;

use ferrite_hdl::flat::Flat;

use super::plan::Block;

/// Clocks are bits of a word.
pub(super) const MOST_CLOCKS: usize = 64;

/// Why there is no native simulator of a design. None of these is a mistake of the design.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NativeError {
    /// Code for this processor cannot be made or loaded.
    #[error("the native engine cannot make code on this machine: {reason}; use another engine")]
    Host {
        /// What the code generator says.
        reason: String,
    },
    /// The code generator refuses a part of the design.
    #[error(
        "the native engine failed on {place}: {reason}; this is a fault of the engine, not of the design"
    )]
    Compile {
        /// The instance and module, and a signal in it.
        place: String,
        /// What the code generator says.
        reason: String,
    },
    /// The design has more state than can be addressed.
    #[error("the design's registers and wires take {bytes} bytes; the native engine takes up to {limit}")]
    TooLarge {
        /// What they take.
        bytes: u64,
        /// What they may take.
        limit: u64,
    },
    /// The design has more clocks than a set of them can hold.
    #[error("the design has {count} clocks; the native engine takes up to {MOST_CLOCKS}")]
    TooManyClocks {
        /// Its clocks.
        count: usize,
    },
}

impl NativeError {
    pub(super) fn host(reason: &dyn Display) -> NativeError {
        NativeError::Host { reason: reason.to_string() }
    }

    /// A block's place in the design.
    pub(super) fn place(flat: &Flat, block: &Block) -> String {
        let scope = block.scope() as usize;
        let module = flat.scopes.get(scope).map_or("?", |s| s.module.as_str());
        let inside = |signal: &&ferrite_hdl::flat::FlatSignal| signal.scope == scope;
        let signal = flat.signals.iter().find(inside).map_or("?", |s| s.name.as_str());
        format!(
            "level {} of instance {} of module {module} (its signal `{signal}` and others)",
            block.level(),
            flat.scope_path(scope)
        )
    }
}
