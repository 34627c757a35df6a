//! The real networks that the tests read.

use ferrite_tests::files;

/// A network of the crate `microflow`.
pub fn microflow(name: &str) -> Vec<u8> {
    std::fs::read(files::microflow(name)).unwrap()
}

/// A file of the folder with the recorded networks, if that is there.
pub fn recorded(name: &str) -> Option<Vec<u8>> {
    files::recorded(name).map(|path| std::fs::read(path).unwrap())
}
