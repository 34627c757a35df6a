//! The project that a reader of `tutorial.md` ends up with. The build script takes its files from the page, and what the page
//! shows as output is what `insta` expects, so that the tests fail where page and code part.

include!(concat!(env!("OUT_DIR"), "/src/lib.rs"));
