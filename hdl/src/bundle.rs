//! One generic struct gives a module's ports, their widths, their names and their test values.

use std::collections::HashSet;

use crate::bits::Bits;
use crate::shape::Shape;
use crate::signal::UInt;

/// A struct of signals, made by `#[derive(Bundle)]` on a struct that is generic over what a signal is.
///
/// `PeIn<Shape>` says how wide the ports are, `PeIn<UInt>` are the signals inside the module, `PeIn<i32>` are values in
/// a test. Fields are leaves of type `T`, other bundles, `Vec`s and arrays of either, and options.
///
/// A field marked `#[flip]` goes the other way: an output of the module among its inputs.
///
/// ```
/// use ferrite_hdl::prelude::*;
///
/// #[derive(Clone, Bundle)]
/// struct Pixel<T> {
///     red: T,
///     green: T,
///     blue: T,
/// }
/// let names = Pixel { red: 5, green: 6, blue: 5 }.leaves();
/// assert_eq!(names[1].name, "green");
/// ```
pub trait Bundle: Sized {
    /// What a signal is.
    type Leaf: Leaf;
    /// The same bundle of something else.
    type With<U: Leaf>: Bundle<Leaf = U>;

    /// Turns every leaf into something else, in the order of the fields. `path` names the fields that lead here.
    fn map_leaves<U: Leaf>(self, path: &mut Path, f: &mut dyn FnMut(&Path, Self::Leaf) -> U)
    -> Self::With<U>;

    /// Turns every leaf into something else.
    fn map<U: Leaf>(self, mut f: impl FnMut(Self::Leaf) -> U) -> Self::With<U> {
        self.map_leaves(&mut Path::default(), &mut |_, leaf| f(leaf))
    }

    /// All leaves with names and directions, in the order of the fields.
    fn leaves(self) -> Vec<LeafInfo<Self::Leaf>> {
        let mut all = Vec::new();
        self.map_leaves(&mut Path::default(), &mut |path, leaf| {
            all.push(LeafInfo { name: path.name(), flipped: path.flipped, doc: path.doc(), value: leaf });
            Shape::from(1)
        });
        all
    }
}

/// A leaf of a bundle with where it stands.
#[derive(Clone, Debug)]
pub struct LeafInfo<T> {
    /// Field names from the outside in, joined by `_`.
    pub name: String,
    /// Whether an odd number of `#[flip]`s lies above it.
    pub flipped: bool,
    /// The doc comment of its field.
    pub doc: &'static str,
    /// The leaf.
    pub value: T,
}

/// Where two bundles of one type differ, as vectors, arrays and options may.
pub(crate) fn difference<A, B>(left: &[LeafInfo<A>], right: &[LeafInfo<B>]) -> Option<String> {
    let only = |name: &str| Some(format!("the bundles differ: only one of them has `{name}`"));
    let names = |bundle: &mut dyn Iterator<Item = &String>| bundle.cloned().collect::<HashSet<String>>();
    let in_left = names(&mut left.iter().map(|l| &l.name));
    let in_right = names(&mut right.iter().map(|r| &r.name));
    let missing = |name: &&String| !in_left.contains(*name) || !in_right.contains(*name);
    let all = left.iter().map(|l| &l.name).chain(right.iter().map(|r| &r.name));
    all.into_iter().find(missing).and_then(|name| only(name))
}

/// What can stand for a signal in a bundle: a shape, a signal, a test value. A leaf is a bundle of one.
pub trait Leaf: Bundle<Leaf = Self> + Clone {}

/// The way from a bundle to one of its leaves.
#[derive(Default)]
pub struct Path {
    fields: Vec<(String, &'static str)>,
    flipped: bool,
}

impl Path {
    /// Walks into a field for the time of `inner`; called by derived code.
    pub fn field<R>(
        &mut self,
        name: &str,
        doc: &'static str,
        flip: bool,
        inner: impl FnOnce(&mut Path) -> R,
    ) -> R {
        self.fields.push((name.to_string(), doc));
        self.flipped ^= flip;
        let result = inner(self);
        self.flipped ^= flip;
        self.fields.pop();
        result
    }

    /// The names joined by `_`.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|f| f.0.as_str()).filter(|n| !n.is_empty()).collect();
        names.join("_")
    }

    /// Whether the leaf goes against the bundle's direction.
    pub fn is_flipped(&self) -> bool {
        self.flipped
    }

    /// The doc comment nearest to the leaf.
    pub fn doc(&self) -> &'static str {
        self.fields.iter().rev().map(|f| f.1).find(|d| !d.is_empty()).unwrap_or("")
    }
}

macro_rules! leaf {
    ($($t:ty),*) => {$(
        impl Bundle for $t {
            type Leaf = $t;
            type With<U: Leaf> = U;
            fn map_leaves<U: Leaf>(self, path: &mut Path, f: &mut dyn FnMut(&Path, $t) -> U) -> U {
                f(path, self)
            }
        }
        impl Leaf for $t {}
    )*};
}

leaf!(Shape, UInt, Bits, bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, String);

impl<B: Bundle> Bundle for Vec<B> {
    type Leaf = B::Leaf;
    type With<U: Leaf> = Vec<B::With<U>>;
    fn map_leaves<U: Leaf>(self, path: &mut Path, f: &mut dyn FnMut(&Path, B::Leaf) -> U) -> Vec<B::With<U>> {
        let items = self.into_iter().enumerate();
        items
            .map(|(k, item)| path.field(&k.to_string(), "", false, |path| item.map_leaves(path, f)))
            .collect()
    }
}

impl<B: Bundle, const N: usize> Bundle for [B; N] {
    type Leaf = B::Leaf;
    type With<U: Leaf> = [B::With<U>; N];
    fn map_leaves<U: Leaf>(self, path: &mut Path, f: &mut dyn FnMut(&Path, B::Leaf) -> U) -> [B::With<U>; N] {
        let mut k = 0;
        self.map(|item| {
            let mapped = path.field(&k.to_string(), "", false, |path| item.map_leaves(path, f));
            k += 1;
            mapped
        })
    }
}

impl<B: Bundle> Bundle for Option<B> {
    type Leaf = B::Leaf;
    type With<U: Leaf> = Option<B::With<U>>;
    fn map_leaves<U: Leaf>(
        self,
        path: &mut Path,
        f: &mut dyn FnMut(&Path, B::Leaf) -> U,
    ) -> Option<B::With<U>> {
        self.map(|item| item.map_leaves(path, f))
    }
}

/// A bundle without signals, for a module that has no inputs or no outputs of its own. `T` is what a signal would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Empty<T>(std::marker::PhantomData<T>);

impl<T> Empty<T> {
    /// No signals.
    pub fn new() -> Empty<T> {
        Empty(std::marker::PhantomData)
    }
}

impl<T: Leaf> Bundle for Empty<T> {
    type Leaf = T;
    type With<U: Leaf> = Empty<U>;
    fn map_leaves<U: Leaf>(self, _: &mut Path, _: &mut dyn FnMut(&Path, T) -> U) -> Empty<U> {
        Empty::new()
    }
}
