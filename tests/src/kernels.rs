//! The kernels of `sw/bench`, on the chip.

use std::path::Path;

use ferrite_gen::elf;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::RAM_BASE;

use crate::tools::make;

/// A kernel, built.
pub struct Kernel {
    /// Its name.
    pub name: String,
    /// The checksum that it computes on the host.
    pub expected: String,
    /// What is loaded: addresses and bytes.
    pub segments: Vec<(u32, Vec<u8>)>,
}

impl Kernel {
    /// The program as it lies from the start of the RAM on.
    pub fn image(&self) -> Vec<u8> {
        let mut image = Vec::new();
        for (address, bytes) in &self.segments {
            let start = (address - RAM_BASE) as usize;
            image.resize(image.len().max(start + bytes.len()), 0);
            image[start..start + bytes.len()].copy_from_slice(bytes);
        }
        image
    }
}

/// Builds all kernels in a folder, to do their work so many times. Needs [`crate::tools::GCC`] and `gcc`.
///
/// # Errors
/// What `make` or the linker say.
pub fn build(chip: &ChipConfig, folder: &Path, rounds: u32) -> Result<Vec<Kernel>, String> {
    let made = make(folder, &["bench", &format!("ROUNDS={rounds}")]);
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned());
    }
    let folder = folder.join("bench");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut programs: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "elf")).collect();
    programs.sort();
    let kernel = |path: &Path| {
        let loaded = elf::load(path, chip).map_err(|error| error.to_string())?;
        let expected = path.with_extension("expected");
        let expected = std::fs::read_to_string(&expected)
            .map_err(|error| format!("cannot read {}: {error}", expected.display()))?;
        Ok(Kernel {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            expected: expected.trim().to_string(),
            segments: loaded.segments.into_iter().map(|segment| (segment.address, segment.bytes)).collect(),
        })
    };
    programs.iter().map(|path| kernel(path)).collect()
}

/// What a kernel printed about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its checksum.
    pub checksum: String,
    /// Cycles, from just before the kernel to just behind it.
    pub cycles: u64,
    /// Instructions, likewise.
    pub instructions: u64,
}

impl Told {
    /// Reads it; `None` if it is something else.
    pub fn parse(printed: &str) -> Option<Told> {
        let mut words = printed.split_whitespace();
        let told = Told {
            checksum: words.next()?.to_string(),
            cycles: words.next()?.parse().ok()?,
            instructions: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(told)
    }
}
