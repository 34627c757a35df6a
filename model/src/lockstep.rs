//! Compares a core with the simulator, instruction by instruction.
