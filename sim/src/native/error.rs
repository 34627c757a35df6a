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
    /// The design's memories have more words than a simulation should hold.
    #[error("the design's memories take {bytes} bytes; the native engine takes up to {limit}")]
    LargeMemories {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ferrite_hdl::flat::{FlatNode, FlatPort, FlatSignal};
    use ferrite_hdl::library::{AsyncFifo, Queue};
    use ferrite_hdl::{Design, elaborate};

    use super::super::plan::Plan;
    use super::*;
    use crate::{KeptSignals, Native, NativeOptions};

    fn design() -> Design {
        elaborate(&Queue { width: 8, depth: 2 }).expect("a good design")
    }

    fn refused(design: &Design) -> NativeError {
        Native::new(design, &NativeOptions::default()).err().expect("refused")
    }

    #[test]
    fn more_clocks_than_a_word_has_bits_are_refused() {
        let mut design = design();
        design.flat.clocks = (0..65).map(|k| format!("clk_{k}")).collect();
        assert_eq!(refused(&design), NativeError::TooManyClocks { count: 65 });
    }

    #[test]
    fn memories_that_no_machine_holds_are_refused_before_any_is_allocated() {
        let mut design = design();
        design.flat.memories[0].depth = 1 << 31;
        design.flat.memories[0].width = 64;
        let limit = 4 << 30;
        assert_eq!(refused(&design), NativeError::LargeMemories { bytes: 8 << 31, limit });
    }

    #[test]
    fn a_design_with_more_state_than_can_be_addressed_is_refused_with_its_size_and_the_limit() {
        let mut design = design();
        let port = design.flat.inputs[0].clone();
        let node = FlatNode { width: u32::MAX, ..design.flat.nodes[port.node as usize].clone() };
        design.flat.inputs.push(FlatPort { node: design.flat.nodes.len() as u32, ..port });
        design.flat.nodes.push(node);
        let error = refused(&design);
        let NativeError::TooLarge { bytes, limit } = error else { panic!("{error}") };
        assert!(bytes >= u64::from(u32::MAX / 8) && limit < bytes);
        let message = error.to_string();
        assert!(message.contains(&bytes.to_string()) && message.contains(&limit.to_string()), "{message}");
    }

    #[test]
    fn every_part_that_is_compiled_has_a_place_with_instance_module_and_signal() {
        let design = elaborate(&AsyncFifo { width: 8, depth: 4 }).expect("a good design");
        let plan = Plan::new(&design.flat, &KeptSignals::Needed).expect("a design within the limits");
        let flat = &design.flat;
        let mut instances = BTreeSet::new();
        for block in &plan.blocks {
            let place = NativeError::place(flat, block);
            let is_there = |signal: &FlatSignal| {
                let scope = signal.scope;
                let (path, module) = (flat.scope_path(scope), &flat.scopes[scope].module);
                let end = format!(
                    " of instance {path} of module {module} (its signal `{}` and others)",
                    signal.name
                );
                place.ends_with(&end).then_some(path)
            };
            let instance = flat.signals.iter().find_map(is_there);
            instances.insert(instance.unwrap_or_else(|| panic!("{place}")));
        }
        assert!(instances.len() > 1, "{instances:?}");
    }

    #[test]
    fn a_failure_of_the_code_generator_is_the_engines_and_names_the_place() {
        let place = "level 3 of instance core.decode of module Decoder".to_owned();
        let error = NativeError::Compile { place, reason: "code is too large".to_owned() };
        assert_eq!(
            error.to_string(),
            "the native engine failed on level 3 of instance core.decode of module Decoder: code is too large; this is a fault of the \
             engine, not of the design"
        );
    }
}
