//! Listening at the UART's pin.

/// Data bits of a frame.
const DATA_BITS: u32 = 8;

/// A receiver for 8 data bits, no parity, one stop bit, fed with the levels of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    cycles_per_bit: u64,
    /// Cycles since the start bit began; `None` on an idle line.
    elapsed: Option<u64>,
    /// Bits sampled so far, the start bit among them, and what they are; the first is the lowest.
    sampled: u32,
    bits: u32,
}

impl Receiver {
    /// A receiver at an idle line of `cycles_per_bit` clock cycles for a bit.
    pub fn new(cycles_per_bit: u32) -> Receiver {
        Receiver { cycles_per_bit: cycles_per_bit.max(1).into(), elapsed: None, sampled: 0, bits: 0 }
    }

    /// Whether no frame is under way.
    pub fn is_idle(&self) -> bool {
        self.elapsed.is_none()
    }

    /// Takes note that the line was at `level` for `cycles`; gives the byte whose stop bit was seen meanwhile. One frame at most ends in a
    /// stretch of one level, since every frame begins with a 0 and ends with a 1.
    pub fn hear(&mut self, level: bool, cycles: u64) -> Option<u8> {
        let before = match self.elapsed {
            Some(before) => before,
            None if level || cycles == 0 => return None,
            None => {
                (self.sampled, self.bits) = (0, 0);
                0
            }
        };
        let now = before + cycles;
        self.elapsed = Some(now);
        // Bits are sampled in their middle.
        while self.cycles_per_bit * u64::from(self.sampled) + self.cycles_per_bit / 2 < now {
            self.bits |= u32::from(level) << self.sampled;
            self.sampled += 1;
            if self.sampled == DATA_BITS + 2 {
                self.elapsed = None;
                return Some((self.bits >> 1) as u8);
            }
        }
        None
    }
}

/// The UART's line since reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    receiver: Receiver,
    /// A frame has begun.
    pub heard: bool,
    /// Cycles without a frame.
    pub quiet: u64,
}

impl Line {
    /// An idle line of `cycles_per_bit` clock cycles for a bit.
    pub fn new(cycles_per_bit: u32) -> Line {
        Line { receiver: Receiver::new(cycles_per_bit), heard: false, quiet: 0 }
    }

    /// As [`Receiver::hear`].
    pub fn hear(&mut self, level: bool, cycles: u64) -> Option<u8> {
        let byte = self.receiver.hear(level, cycles);
        self.heard |= !level;
        self.quiet = if self.receiver.is_idle() && byte.is_none() { self.quiet + cycles } else { 0 };
        byte
    }

    /// Everything but the length of a bit.
    pub fn to_words(&self) -> [u64; 5] {
        let Receiver { elapsed, sampled, bits, .. } = self.receiver;
        [self.heard.into(), self.quiet, elapsed.map_or(0, |cycles| cycles + 1), sampled.into(), bits.into()]
    }

    /// What [`Line::to_words`] gave; `None` for anything that a line cannot be.
    pub fn from_words(words: &[u64], cycles_per_bit: u32) -> Option<Line> {
        let [heard, quiet, elapsed, sampled, bits] = *words else { return None };
        let mut line = Line { heard: heard != 0, quiet, ..Line::new(cycles_per_bit) };
        let frame_bits = u64::from(DATA_BITS + 2);
        let holds = elapsed <= line.receiver.cycles_per_bit * frame_bits
            && sampled <= frame_bits
            && bits < 1 << frame_bits;
        line.receiver.elapsed = elapsed.checked_sub(1);
        (line.receiver.sampled, line.receiver.bits) = (sampled as u32, bits as u32);
        holds.then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The levels of a frame, each with its length in cycles.
    fn frame(byte: u8, cycles_per_bit: u64) -> Vec<(bool, u64)> {
        let data = (0..8).map(|k| byte >> k & 1 == 1);
        [false].into_iter().chain(data).chain([true]).map(|level| (level, cycles_per_bit)).collect()
    }

    #[test]
    fn every_byte_is_received_whether_levels_come_bit_by_bit_or_merged() {
        for cycles_per_bit in [4, 5, 434] {
            let (mut by_bit, mut merged) = (Receiver::new(cycles_per_bit), Receiver::new(cycles_per_bit));
            let mut stretches: Vec<(bool, u64)> = vec![(true, 17)];
            let (mut heard, mut heard_merged) = (Vec::new(), Vec::new());
            for byte in 0..=255 {
                for (level, cycles) in frame(byte, cycles_per_bit.into()) {
                    heard.extend(by_bit.hear(level, cycles));
                    match stretches.last_mut() {
                        Some(last) if last.0 == level => last.1 += cycles,
                        _ => stretches.push((level, cycles)),
                    }
                }
            }
            for (level, cycles) in stretches {
                heard_merged.extend(merged.hear(level, cycles));
            }
            assert_eq!(heard, (0..=255).collect::<Vec<u8>>());
            assert_eq!(heard_merged, heard);
            assert!(by_bit.is_idle());
        }
    }

    #[test]
    fn an_idle_line_says_nothing() {
        let mut receiver = Receiver::new(4);
        assert_eq!(receiver.hear(true, 1_000_000), None);
        assert!(receiver.is_idle());
    }
}
