//! Where FST files are written, and what is left when that fails.

mod designs;

use std::path::{Path, PathBuf};

use designs::Top;
use ferrite_hdl::elaborate;
use ferrite_sim::{FstError, FstOptions, FstRecorder, Interpreter, Simulator};
use tempfile::TempDir;

/// A folder for one test and a file in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.fst");
    (folder, path)
}

fn create(path: &Path) -> Result<FstRecorder, FstError> {
    let engine = Interpreter::new(&elaborate(&Top).expect("a good design"));
    FstRecorder::create(path, engine.flat(), &FstOptions::default())
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_before_the_run() {
    let (folder, file) = place();
    std::fs::write(&file, "no folder").expect("a writable folder");
    let mut places = vec![file.join("run.fst"), folder.path().to_owned(), "/dev/null".into()];
    if cfg!(target_os = "linux") {
        // Not even root makes files there.
        places.push("/proc/run.fst".into());
    }
    for path in places {
        let error = create(&path).err();
        let Some(error @ FstError::Write { path: named, .. }) = &error else {
            panic!("{} was taken", path.display())
        };
        assert_eq!(*named, path);
        assert!(!error.to_string().contains(".ferrite-"), "a name that nobody has given: {error}");
    }
}

#[test]
fn folders_that_are_missing_are_made() {
    let (folder, _) = place();
    let path = folder.path().join("missing").join("too").join("run.fst");
    create(&path).expect("a writable folder").finish().expect("a writable file");
    assert!(path.is_file());
}

#[test]
fn the_file_appears_when_it_is_complete_and_nothing_is_left_beside_it() {
    let (folder, path) = place();
    let mut engine = Interpreter::new(&elaborate(&Top).expect("a good design"));
    let mut recorder = create(&path).expect("a writable folder");
    recorder.sample(&mut engine, &[0]).expect("a writable file");
    assert!(!path.exists());
    recorder.finish().expect("a writable file");
    assert_eq!(names_in(folder.path()), ["run.fst"]);
}
