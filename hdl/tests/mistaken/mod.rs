//! Modules with one mistake each.

use ferrite_hdl::prelude::*;

#[derive(Clone, Bundle)]
pub struct In<T> {
    pub a: T,
    pub b: T,
    pub c: T,
}

#[derive(Clone, Bundle)]
pub struct Out<T> {
    pub q: T,
}

/// A module with inputs `a` (8 bits), `b` (4 bits), `c` (1 bit) and output `q` (8 bits), whose body makes a mistake.
macro_rules! mistake {
    ($test:ident, |$m:ident, $i:ident| $body:block) => {
        #[test]
        fn $test() {
            #[module]
            struct Bad;

            impl Module for Bad {
                type In = $crate::mistaken::In<UInt>;
                type Out = $crate::mistaken::Out<UInt>;

                fn inputs(&self) -> $crate::mistaken::In<Shape> {
                    $crate::mistaken::In { a: bits(8), b: bits(4), c: bit() }
                }
                fn outputs(&self) -> $crate::mistaken::Out<Shape> {
                    $crate::mistaken::Out { q: bits(8) }
                }
                fn build(&self, $m: &Builder, $i: $crate::mistaken::In<UInt>) -> $crate::mistaken::Out<UInt> {
                    $crate::mistaken::Out { q: $body }
                }
            }
            let mistakes = elaborate(&Bad).expect_err("the mistake is noticed");
            insta::assert_snapshot!(stringify!($test), mistakes.render(false));
        }
    };
}
