//! What the engines should do, on plain bytes.

use super::random::Random;

/// A descriptor, as `docs/dma.md` has it.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    pub external: u32,
    pub bytes: u32,
    pub n1: u32,
    pub n2: u32,
    pub s1: i32,
    pub s2: i32,
    pub local: u32,
    pub d1: u32,
    pub d2: u32,
    pub fill: u8,
}

impl Descriptor {
    /// One run.
    pub fn run(external: u32, bytes: u32, local: u32) -> Descriptor {
        Descriptor { external, bytes, n1: 1, n2: 1, s1: 0, s2: 0, local, d1: 0, d2: 0, fill: 0xa5 }
    }

    /// A random one within so many bytes of memory; `local` is a word of `1 << address_bits`.
    pub fn random(random: &mut Random, memory: u32, address_bits: u32) -> Descriptor {
        let bytes = match random.below(8) {
            0 => 1,
            1..4 => 1 + random.below(40),
            4..7 => 1 + random.below(300),
            _ => 1 + random.below(6000),
        };
        let (mut n1, mut n2) = (1 + random.below(6), 1 + random.below(4));
        if bytes > 300 {
            (n1, n2) = (1 + random.below(2), 1);
        }
        let mut stride = |span: u32| {
            let any = random.below(2 * span) as i32 - span as i32;
            if random.eighths(2) { any & !63 } else { any }
        };
        let (s1, s2) = (stride(600), stride(2000));
        let (far1, far2) = (s1 * (n1 as i32 - 1), s2 * (n2 as i32 - 1));
        let low = far1.min(0) + far2.min(0);
        let high = far1.max(0) + far2.max(0) + bytes as i32;
        let external = random.below((memory as i32 - high + low + 1) as u32) as i32 - low;
        let words = 1 << address_bits;
        let fill = random.below(256) as u8;
        let (local, d1, d2) = (random.below(words), random.below(words), random.below(words));
        Descriptor { external: external as u32, bytes, n1, n2, s1, s2, local, d1, d2, fill }
    }

    /// Address in external memory and first word of each run.
    pub fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs = Vec::new();
        for j in 0..self.n2 {
            for i in 0..self.n1 {
                let far = i64::from(self.s1) * i64::from(i) + i64::from(self.s2) * i64::from(j);
                let external = (i64::from(self.external) + far) as u32;
                runs.push((external, self.local.wrapping_add(i * self.d1).wrapping_add(j * self.d2)));
            }
        }
        runs
    }
}

/// The words that a descriptor writes, in order: number, bytes, address behind the last byte that it needs.
pub fn words_read(d: &Descriptor, memory: &[u8], word_bytes: usize, words: u32) -> Vec<(u32, Vec<u8>, u32)> {
    let mut all = Vec::new();
    for (external, local) in d.runs() {
        let run = &memory[external as usize..][..d.bytes as usize];
        for (k, part) in run.chunks(word_bytes).enumerate() {
            let mut word = part.to_vec();
            word.resize(word_bytes, d.fill);
            let end = external + (k * word_bytes + part.len()) as u32;
            all.push(((local + k as u32) % words, word, end));
        }
    }
    all
}

/// The bytes that a descriptor writes, in order: address and byte.
pub fn bytes_written(d: &Descriptor, scratch: &[u8], word_bytes: usize) -> Vec<(u32, u8)> {
    let mut all = Vec::new();
    for (external, local) in d.runs() {
        for k in 0..d.bytes {
            let at = (local as usize * word_bytes + k as usize) % scratch.len();
            all.push((external + k, scratch[at]));
        }
    }
    all
}

/// The first byte and the bytes of each burst that covers a descriptor's runs.
pub fn bursts(d: &Descriptor, beat_bytes: u32, most_beats: u32) -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    for (external, _) in d.runs() {
        let mut at = external / beat_bytes * beat_bytes;
        let end = (external + d.bytes).div_ceil(beat_bytes) * beat_bytes;
        while at < end {
            let page_end = (at / 4096 + 1) * 4096;
            let stop = end.min(page_end).min(at + most_beats * beat_bytes);
            all.push((at, stop - at));
            at = stop;
        }
    }
    all
}
