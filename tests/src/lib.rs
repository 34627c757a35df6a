//! What several end-to-end tests need: chips on engines, outside tools, and files from elsewhere.

pub mod bench;
pub mod cocotb;
pub mod files;
pub mod formal;
pub mod hotspots;
pub mod kernels;
pub mod mutants;
pub mod parallel;
pub mod pmp_edges;
pub mod section;
pub mod stalls;
pub mod tools;
pub mod twin;
pub mod workloads;
