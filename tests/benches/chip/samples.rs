//! Measurements that are repeated, since machines are never quiet.

use std::fmt;
use std::time::Instant;

/// One quantity, measured several times.
pub struct Samples(Vec<f64>);

impl Samples {
    /// The value in the middle.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    fn range(&self) -> (f64, f64) {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        self.0.iter().fold(ends, |(low, high), value| (low.min(*value), high.max(*value)))
    }

    /// Every value converted.
    pub fn map(&self, convert: impl Fn(f64) -> f64) -> Samples {
        Samples(self.0.iter().map(|value| convert(*value)).collect())
    }

    /// How many times as large as another quantity this one is, round by round: what slows a whole round down leaves the ratio alone.
    pub fn over(&self, other: &Samples) -> Samples {
        Samples(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }
}

/// The median, then the smallest and the largest, with as many decimals as asked for.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(0);
        let (low, high) = self.range();
        write!(f, "{:.decimals$} ({low:.decimals$} to {high:.decimals$})", self.median())
    }
}

/// How many seconds something takes.
pub fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// The seconds that something takes, several times.
pub fn repeated(rounds: usize, mut run: impl FnMut()) -> Samples {
    Samples((0..rounds).map(|_| seconds(&mut run)).collect())
}

/// The seconds that two things take, in turn. One more round, before the others, only warms caches up.
pub fn in_turn(rounds: usize, mut one: impl FnMut(), mut other: impl FnMut()) -> (Samples, Samples) {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..=rounds {
        ones.push(seconds(&mut one));
        others.push(seconds(&mut other));
    }
    (Samples(ones.split_off(1)), Samples(others.split_off(1)))
}
