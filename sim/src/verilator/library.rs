//! A loaded simulator: the border to C++.

use std::ffi::c_void;
use std::path::Path;
use std::ptr;

use ferrite_hdl::Bits;
use libloading::Library;

use super::error::VerilatorError;
use super::shim::bytes;

/// A model in C++; only ever behind a pointer.
#[repr(C)]
struct CppModel {
    _opaque: [u8; 0],
}

#[repr(C)]
struct Watched {
    place: *const c_void,
    bytes: usize,
}

type Create = unsafe extern "C" fn(*mut *mut CppModel, *mut *mut c_void) -> usize;
type OnModel = unsafe extern "C" fn(*mut CppModel);
type Run =
    unsafe extern "C" fn(*mut CppModel, u64, *const usize, usize, *const Watched, usize, *mut bool) -> u64;

/// Where a value, or the first word of a memory, is.
#[derive(Clone, Copy)]
struct Place {
    /// Valid for reads and writes of all words as long as the model lives.
    pointer: *mut c_void,
    width: u32,
    words: u32,
}

/// How many values a library must show, and how wide they are.
pub(super) struct Shape {
    /// Bits, and words (1 for what is no memory), in the order in which the shim lists the places.
    pub places: Vec<(u32, u32)>,
    /// How many of them, the last ones, are found by name.
    pub named: usize,
}

/// A model with the library that holds its code.
pub(super) struct Model {
    model: *mut CppModel,
    places: Vec<Place>,
    destroy: OnModel,
    settle: OnModel,
    touch: OnModel,
    run: Run,
    /// Keeps the functions loaded; dropped after the model, which `Drop` destroys.
    _library: Library,
}

impl Model {
    /// Loads a library and makes a model at power-up.
    ///
    /// # Safety
    /// The library must be one that was built from the texts of [`super::shim`], with places of this shape.
    pub unsafe fn load(file: &Path, shape: &Shape) -> Result<Model, VerilatorError> {
        let broken = |reason: String| VerilatorError::Load { library: file.to_path_buf(), reason };
        let missing = |error: libloading::Error| broken(error.to_string());
        // SAFETY: initialisers of the library are those of libstdc++ and of Verilator's runtime, which run on any thread.
        let library = unsafe { Library::new(file) }.map_err(missing)?;
        // SAFETY: the shim defines these functions with these parameters; the caller vouches for the library.
        let (create, destroy, settle, touch, run) = unsafe {
            (
                *library.get::<Create>(b"ferrite_create").map_err(missing)?,
                *library.get::<OnModel>(b"ferrite_destroy").map_err(missing)?,
                *library.get::<OnModel>(b"ferrite_settle").map_err(missing)?,
                *library.get::<OnModel>(b"ferrite_touch").map_err(missing)?,
                *library.get::<Run>(b"ferrite_run").map_err(missing)?,
            )
        };
        let mut model = ptr::null_mut();
        let mut pointers = vec![ptr::null_mut(); shape.places.len()];
        // SAFETY: the shim writes one pointer for every place of the shape at most, and makes a model.
        let found = unsafe { create(&mut model, pointers.as_mut_ptr()) };
        let places = pointers.into_iter().zip(&shape.places);
        let places = places.map(|(pointer, &(width, words))| Place { pointer, width, words }).collect();
        // From here on the model is destroyed with the value.
        let model = Model { model, places, destroy, settle, touch, run, _library: library };
        match found == shape.named {
            true => Ok(model),
            false => Err(broken(format!("variable {found} of {} is not in it", shape.named))),
        }
    }

    /// Computes what depends on inputs that were written; clocks are low.
    pub fn settle(&mut self) {
        // SAFETY: the model lives, and `&mut self` keeps others from using it.
        unsafe { (self.settle)(self.model) }
    }

    /// Computes what depends on words of memories that were written, and on inputs.
    pub fn touch(&mut self) {
        // SAFETY: as in `settle`.
        unsafe { (self.touch)(self.model) }
    }

    /// Edges of some clocks, until one of the places `watched` changes or a property of these clocks fails: how many, and whether one
    /// failed. The model must be settled.
    pub fn run(&mut self, cycles: u64, clocks: &[usize], watched: &[usize]) -> (u64, bool) {
        let watched: Vec<Watched> = watched
            .iter()
            .map(|place| &self.places[*place])
            .map(|place| Watched { place: place.pointer, bytes: bytes(place.width) })
            .collect();
        let mut fails = false;
        // SAFETY: the model lives; both slices are as long as said; watched places are places of the model.
        let done = unsafe {
            (self.run)(
                self.model,
                cycles,
                clocks.as_ptr(),
                clocks.len(),
                watched.as_ptr(),
                watched.len(),
                &mut fails,
            )
        };
        (done, fails)
    }

    fn word(&self, place: usize, word: u32) -> (*mut c_void, u32) {
        let Place { pointer, width, words } = self.places[place];
        assert!(word < words, "word {word} of {words}");
        // SAFETY: the place holds `words` words of as many bytes, one behind the other.
        (unsafe { pointer.byte_add(word as usize * bytes(width)) }, width)
    }

    /// The value of a place; of a memory, a word that it has.
    #[inline]
    pub fn read(&self, place: usize, word: u32) -> Bits {
        let (pointer, width) = self.word(place, word);
        // SAFETY: a value of so many bits has the type below, and is aligned for it; nothing writes it meanwhile, since
        // C++ runs under `&mut self` only.
        let low = unsafe {
            match bytes(width) {
                _ if width > 64 => return wide(pointer.cast(), width),
                1 => u64::from(pointer.cast::<u8>().read()),
                2 => u64::from(pointer.cast::<u16>().read()),
                4 => u64::from(pointer.cast::<u32>().read()),
                _ => pointer.cast::<u64>().read(),
            }
        };
        Bits::from_u64(width, low)
    }

    /// Changes an input or a word of a memory. The value has the width of the place.
    #[inline]
    pub fn write(&mut self, place: usize, word: u32, value: &Bits) {
        let (pointer, width) = self.word(place, word);
        debug_assert_eq!(value.width(), width);
        let low = value.low_u64();
        // SAFETY: as in `read`, and `&mut self` keeps others from reading. A value without bits above the width is what
        // Verilator expects; `Bits` has none.
        unsafe {
            match bytes(width) {
                _ if width > 64 => {
                    let words = value.to_words();
                    for k in 0..width.div_ceil(32) as usize {
                        let half = (words[k / 2] >> (32 * (k % 2))) as u32;
                        pointer.cast::<u32>().add(k).write(half);
                    }
                }
                1 => pointer.cast::<u8>().write(low as u8),
                2 => pointer.cast::<u16>().write(low as u16),
                4 => pointer.cast::<u32>().write(low as u32),
                _ => pointer.cast::<u64>().write(low),
            }
        }
    }
}

/// A value of more than 64 bits.
///
/// # Safety
/// The pointer must be valid for reading as many 32-bit words as `width` bits need.
unsafe fn wide(pointer: *const u32, width: u32) -> Bits {
    // SAFETY: the caller's promise.
    let halves = unsafe { std::slice::from_raw_parts(pointer, width.div_ceil(32) as usize) };
    let words: Vec<u64> = halves
        .chunks(2)
        .map(|pair| u64::from(pair[0]) | u64::from(pair.get(1).copied().unwrap_or(0)) << 32)
        .collect();
    Bits::from_words(width, &words)
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: made by `create`, destroyed once, and used by nobody afterwards.
        unsafe { (self.destroy)(self.model) }
    }
}
