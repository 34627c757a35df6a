//! Snapshots as files: little-endian throughout.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 4 | [`VERSION`] |
//! | 8 | bytes of the whole file |
//! | 32 | fingerprint of the netlist |
//! | 8 | cycle |
//! | 8 + 8 n | number of words of values, the words |
//! | 8 | number of memories |
//! | 8 + 8 n each | number of words, the words |
//! | 8 + n | number of bytes of the harness, the bytes |
//! | 32 | SHA-256 of all before |

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Fingerprint, Snapshot, SnapshotError};
use crate::new_file::{NewFile, resolved};

const MAGIC: &[u8; 8] = b"FERRSNAP";
const VERSION: u32 = 1;
/// Magic, version, and bytes of the file.
const START_BYTES: usize = 20;
const DIGEST_BYTES: usize = 32;
/// More than a netlist's largest memories take.
const MOST_BYTES: u64 = 1 << 32;

impl Snapshot {
    /// Writes it as a file, which appears, or replaces one that is there, when it is complete.
    ///
    /// # Errors
    /// [`SnapshotError::Write`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), SnapshotError> {
        let path = path.as_ref();
        self.persist(path).map_err(|source| SnapshotError::Write { path: path.to_owned(), source })
    }

    fn persist(&self, path: &Path) -> io::Result<()> {
        let path = resolved(path);
        let mut file = NewFile::beside(&path, ".snapshot")?;
        file.append(&self.to_bytes())?;
        file.persist(&path)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let words = self.values.len() + self.memories.iter().map(|words| 1 + words.len()).sum::<usize>();
        let bytes = START_BYTES + 32 + 8 * (4 + words) + self.harness.len() + DIGEST_BYTES;
        let mut file = Vec::with_capacity(bytes);
        file.extend(MAGIC);
        file.extend(VERSION.to_le_bytes());
        file.extend((bytes as u64).to_le_bytes());
        file.extend(self.fingerprint);
        file.extend(self.cycle.to_le_bytes());
        append(&mut file, &self.values);
        file.extend((self.memories.len() as u64).to_le_bytes());
        self.memories.iter().for_each(|words| append(&mut file, words));
        file.extend((self.harness.len() as u64).to_le_bytes());
        file.extend(&self.harness);
        let digest = Sha256::digest(&file);
        file.extend(digest);
        debug_assert_eq!(file.len(), bytes);
        file
    }

    /// Reads what [`Snapshot::write`] has written. Whether it fits a design is found when it is restored.
    ///
    /// # Errors
    /// The file cannot be read, is something else, or has been damaged.
    pub fn read(path: impl AsRef<Path>) -> Result<Snapshot, SnapshotError> {
        let path = path.as_ref();
        let failed = |source| SnapshotError::Read { path: path.to_owned(), source };
        let damaged = |what| SnapshotError::Damaged { path: path.to_owned(), what };
        let file = File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        (&file).take(START_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
        if !bytes.starts_with(MAGIC) {
            return Err(SnapshotError::Foreign { path: path.to_owned() });
        }
        let truncated = |found: usize, expected| SnapshotError::Truncated {
            path: path.to_owned(),
            found: found as u64,
            expected,
        };
        let mut start = Reader(&bytes[MAGIC.len()..]);
        let version = start.bytes().map(u32::from_le_bytes);
        let version = version.ok_or_else(|| truncated(bytes.len(), START_BYTES as u64))?;
        if version != VERSION {
            return Err(SnapshotError::Version { path: path.to_owned(), found: version, known: VERSION });
        }
        let expected = start.number().ok_or_else(|| truncated(bytes.len(), START_BYTES as u64))?;
        if !((START_BYTES + DIGEST_BYTES) as u64..=MOST_BYTES).contains(&expected) {
            return Err(damaged("the length that it gives is impossible"));
        }
        // A byte more would be one that does not belong to it.
        file.take(expected + 1 - START_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
        if (bytes.len() as u64) < expected {
            return Err(truncated(bytes.len(), expected));
        }
        if bytes.len() as u64 > expected {
            return Err(damaged("something follows its end"));
        }
        let (content, digest) = bytes.split_at(bytes.len() - DIGEST_BYTES);
        if Sha256::digest(content)[..] != *digest {
            return Err(damaged("its checksum is not that of its content"));
        }
        Reader(&content[START_BYTES..]).snapshot().ok_or_else(|| damaged("its lengths contradict each other"))
    }
}

/// Appends the number of words, and the words.
fn append(file: &mut Vec<u8>, words: &[u64]) {
    file.extend((words.len() as u64).to_le_bytes());
    words.iter().for_each(|word| file.extend(word.to_le_bytes()));
}

/// Takes things from the front of bytes that may end too early.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(bytes).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N as u64)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// A number of words, and the words: allocated only when they are known to be there.
    fn words(&mut self) -> Option<Vec<u64>> {
        let bytes = self.number()?.checked_mul(8)?;
        let (words, _) = self.take(bytes)?.as_chunks::<8>();
        Some(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
    }

    fn snapshot(mut self) -> Option<Snapshot> {
        let fingerprint: Fingerprint = self.bytes()?;
        let cycle = self.number()?;
        let values = self.words()?;
        let count = self.number()?;
        let mut memories = Vec::new();
        for _ in 0..count {
            memories.push(self.words()?);
        }
        let harness = self.number()?;
        let harness = self.take(harness)?.to_vec();
        self.0.is_empty().then_some(Snapshot { fingerprint, cycle, values, memories, harness })
    }
}
