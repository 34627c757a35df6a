//! Checked access to FlatBuffers tables.
//!
//! Every read goes through the verifier of the `flatbuffers` crate first: it checks bounds and alignment, and
//! counts the bytes that have been visited. A file whose tables share parts so as to unfold to many times its
//! size therefore ends in an error, and time and memory stay proportional to the file's length.

use flatbuffers::{InvalidFlatbuffer, Vector, Verifiable, Verifier, VerifierOptions};

use super::error::ReadError;

/// How many times its own length a file may unfold to. Converters share only vtables and a few small vectors,
/// so that real files stay below 2.
const MAX_UNFOLDING: usize = 16;
/// Allowance for very small files, whose vtables are large in proportion.
const UNFOLDING_ALLOWANCE_BYTES: usize = 4096;
/// Where the first field's entry stands in a vtable, after the sizes of vtable and table.
const FIRST_FIELD_BYTES: u16 = 4;
/// Bytes of a vector's length, before its elements.
const LENGTH_BYTES: usize = 4;

/// The limits for a file of this length.
pub(super) fn limits(file_bytes: usize) -> VerifierOptions {
    VerifierOptions {
        max_apparent_size: file_bytes.saturating_mul(MAX_UNFOLDING).saturating_add(UNFOLDING_ALLOWANCE_BYTES),
        ..VerifierOptions::default()
    }
}

/// A table: the places of its first `N` fields.
#[derive(Clone, Copy)]
pub(super) struct Table<const N: usize> {
    /// Byte offset in the file.
    pub(super) offset: usize,
    fields: [Option<usize>; N],
}

/// Reads tables, vectors and scalars of one file.
pub(super) struct Reader<'opts, 'file> {
    file: &'file [u8],
    verifier: Verifier<'opts, 'file>,
}

impl<'opts, 'file> Reader<'opts, 'file> {
    pub(super) fn new(file: &'file [u8], limits: &'opts VerifierOptions) -> Self {
        Self { file, verifier: Verifier::new(limits, file) }
    }

    /// The table that the offset at the start of the file points to.
    pub(super) fn root<const N: usize>(&mut self, what: &str) -> Result<Table<N>, ReadError> {
        self.table_at(0, what)
    }

    /// The table that the offset stored at `place` points to.
    fn table_at<const N: usize>(&mut self, place: usize, what: &str) -> Result<Table<N>, ReadError> {
        let damaged = |reason: InvalidFlatbuffer| ReadError::damaged(what, place, &reason);
        let offset = self.target(place).map_err(damaged)?;
        let mut visit = self.verifier.visit_table(offset).map_err(damaged)?;
        let mut fields = [None; N];
        for (entry, field) in (FIRST_FIELD_BYTES..).step_by(2).zip(&mut fields) {
            *field = visit.deref(entry).map_err(damaged)?;
        }
        visit.finish();
        Ok(Table { offset, fields })
    }

    /// The table in a field, if present.
    pub(super) fn table<const N: usize, const M: usize>(
        &mut self,
        table: &Table<N>,
        field: usize,
        what: &str,
    ) -> Result<Option<Table<M>>, ReadError> {
        table.fields[field].map(|place| self.table_at(place, what)).transpose()
    }

    /// The tables of a vector in a field, one after the other; none if the field is absent.
    pub(super) fn tables<const N: usize, const M: usize>(
        &mut self,
        table: &Table<N>,
        field: usize,
        what: &str,
    ) -> Result<Vec<Table<M>>, ReadError> {
        let places = self.vector::<u32, N>(table, field, what)?;
        let start = places.0;
        let count = places.1.len() / LENGTH_BYTES;
        (0..count)
            .map(|index| self.table_at(start + index * LENGTH_BYTES, &format!("{what} {index}")))
            .collect()
    }

    /// The offset and the bytes of a vector of `T`; no bytes if the field is absent.
    fn vector<T, const N: usize>(
        &mut self,
        table: &Table<N>,
        field: usize,
        what: &str,
    ) -> Result<(usize, &'file [u8]), ReadError>
    where
        for<'v> Vector<'v, T>: Verifiable,
    {
        let Some(place) = table.fields[field] else { return Ok((0, &[])) };
        let damaged = |reason: InvalidFlatbuffer| ReadError::damaged(what, place, &reason);
        let vector = self.target(place).map_err(damaged)?;
        Vector::<T>::run_verifier(&mut self.verifier, vector).map_err(damaged)?;
        let bytes =
            (self.verifier.get_uoffset(vector).map_err(damaged)? as usize).saturating_mul(size_of::<T>());
        let start = vector + LENGTH_BYTES;
        Ok((start, self.slice(start, bytes)))
    }

    /// The vector of bytes in a field; empty if absent.
    pub(super) fn bytes<const N: usize>(
        &mut self,
        table: &Table<N>,
        field: usize,
        what: &str,
    ) -> Result<&'file [u8], ReadError> {
        Ok(self.vector::<u8, N>(table, field, what)?.1)
    }

    /// The string in a field; empty if absent. Bytes that are not UTF-8 are replaced: names serve messages
    /// only.
    pub(super) fn text<const N: usize>(
        &mut self,
        table: &Table<N>,
        field: usize,
        what: &str,
    ) -> Result<String, ReadError> {
        Ok(String::from_utf8_lossy(self.bytes(table, field, what)?).into_owned())
    }

    /// The vector of numbers in a field; empty if absent.
    pub(super) fn numbers<T: Number, const N: usize>(
        &mut self,
        table: &Table<N>,
        field: usize,
        what: &str,
    ) -> Result<Vec<T>, ReadError>
    where
        for<'v> Vector<'v, T>: Verifiable,
    {
        let (_, bytes) = self.vector::<T, N>(table, field, what)?;
        Ok(bytes.chunks_exact(size_of::<T>()).map(T::from_le).collect())
    }

    /// The number in a field, or the schema's default if absent.
    pub(super) fn number<T: Number, const N: usize>(
        &mut self,
        table: &Table<N>,
        field: usize,
        default: T,
        what: &str,
    ) -> Result<T, ReadError> {
        let Some(place) = table.fields[field] else { return Ok(default) };
        self.verifier.in_buffer::<T>(place).map_err(|reason| ReadError::damaged(what, place, &reason))?;
        Ok(T::from_le(self.slice(place, size_of::<T>())))
    }

    /// Bytes that the file holds outside of its tables, as buffers of more than 2 GiB do.
    pub(super) fn outside(&mut self, offset: u64, bytes: u64, what: &str) -> Result<&'file [u8], ReadError> {
        let clip = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (offset, bytes) = (clip(offset), clip(bytes));
        let fits = self.verifier.range_in_buffer(offset, bytes);
        fits.map_err(|reason| ReadError::damaged(what, offset, &reason))?;
        Ok(self.slice(offset, bytes))
    }

    /// Where the offset stored at `place` points.
    fn target(&mut self, place: usize) -> Result<usize, InvalidFlatbuffer> {
        Ok(place.saturating_add(self.verifier.get_uoffset(place)? as usize))
    }

    /// Bytes that the verifier has found to lie within the file.
    fn slice(&self, offset: usize, bytes: usize) -> &'file [u8] {
        let end = offset.saturating_add(bytes);
        self.file.get(offset..end).unwrap_or(&[])
    }
}

/// A number as it stands in the file: little-endian.
pub(super) trait Number: Copy {
    /// From exactly as many bytes as the number has.
    fn from_le(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Number for $number {
            fn from_le(bytes: &[u8]) -> Self {
                let mut whole = [0; size_of::<$number>()];
                whole.copy_from_slice(bytes);
                <$number>::from_le_bytes(whole)
            }
        }
    )*};
}
numbers!(i8, u8, i32, u32, i64, u64, f32);
