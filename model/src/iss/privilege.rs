//! Privilege modes and kinds of memory access.

/// A privilege mode (RISC-V Privileged 20240411, 1.2). The numbers are those of `mstatus.MPP` and RVFI's `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privilege {
    /// U mode: applications.
    User = 0,
    /// M mode: everything is allowed that PMP has not locked.
    Machine = 3,
}

/// What memory is accessed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}
