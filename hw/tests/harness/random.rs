//! Random numbers.

#![allow(dead_code)] // Every test crate uses a part of it.

/// A generator (xorshift64*), the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        ((high * u64::from(limit)) >> 32) as u32
    }

    /// True so many times in eight.
    pub fn eighths(&mut self, eighths: u32) -> bool {
        self.below(8) < eighths
    }

    /// 32 random bits.
    pub fn word(&mut self) -> u32 {
        self.below(1 << 16) << 16 | self.below(1 << 16)
    }
}
