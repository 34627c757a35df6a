//! Random numbers that are the same everywhere and always.

/// A generator of random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator for each seed.
    pub fn new(seed: u64) -> Random {
        // Neighbouring seeds begin far from each other, and no state is 0.
        let mixed = (seed ^ seed >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Random((mixed ^ mixed >> 29) | 1 << 63)
    }

    /// 32 random bits.
    pub fn word(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u32) -> u32 {
        ((u64::from(self.word()) * u64::from(limit)) >> 32) as u32
    }

    /// True once in `times`, on average; never if that is 0.
    pub fn once_in(&mut self, times: u32) -> bool {
        times > 0 && self.below(times) == 0
    }

    /// One of these, of which there is at least one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u32) as usize]
    }

    /// The position of one of these weights, each as likely as it is large. They are not all 0.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut place = self.below(weights.iter().sum());
        let covers = |weight: &u32| {
            let inside = place < *weight;
            place = place.wrapping_sub(*weight);
            inside
        };
        weights.iter().position(covers).unwrap_or(0)
    }
}
