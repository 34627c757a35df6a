//! Names that Verilog, a tool or a file system would take for others.

#[macro_use]
mod mistaken;

use ferrite_hdl::library::{Stream, Synchroniser, SynchroniserIn};
use ferrite_hdl::prelude::*;
use mistaken::Out;

mistake!(a_register_that_has_the_name_of_its_module, |m, i| { m.delay("Bad", i.a) });

mistake!(a_memory_that_has_the_name_of_its_module, |m, i| {
    let words = m.memory("Bad", 16, 8);
    words.read("word", i.b)
});

mistake!(an_instance_that_has_the_name_of_a_signal, |m, i| {
    let sync = m.delay("sync", i.a);
    m.instance("sync", &Synchroniser { width: 8, stages: 2 }).connect(SynchroniserIn { data: sync }).data
});

mistake!(a_signal_that_has_the_name_of_an_output_of_an_instance, |m, i| {
    let before = m.delay("sync_data_out", i.a);
    m.instance("sync", &Synchroniser { width: 8, stages: 2 }).connect(SynchroniserIn { data: before }).data
});

mistake!(a_register_that_has_the_name_of_the_reset, |m, i| {
    let r = m.reg("rst", 8).reset_to(0);
    r.set(i.a);
    r
});

mistake!(a_property_whose_name_is_no_identifier, |m, i| {
    m.assert("a is small", i.a.lt(100));
    m.when(i.c, || m.cover("final", i.a.lt(100)));
    i.a
});

mistake!(names_that_only_some_tools_reserve, |m, i| {
    // Words of SystemVerilog, of Icarus Verilog and of Verilator.
    let context = m.delay("context", i.a);
    let flag = m.delay("bool", context);
    m.delay("process", flag)
});

#[derive(Clone, Bundle)]
struct ClashIn<T> {
    data: T,
    data_in: T,
    word_valid: T,
    word: Stream<T>,
}

#[derive(Clone, Bundle)]
struct ClashOut<T> {
    data: T,
}

/// Fields whose flattened names are the same, and one that a suffix makes the same.
#[module]
struct Clash;

impl Module for Clash {
    type In = ClashIn<UInt>;
    type Out = ClashOut<UInt>;

    fn inputs(&self) -> ClashIn<Shape> {
        ClashIn { data: bits(8), data_in: bits(8), word_valid: bit(), word: Stream::of(bits(8)) }
    }
    fn outputs(&self) -> ClashOut<Shape> {
        ClashOut { data: bits(8) }
    }
    fn build(&self, _m: &Builder, i: ClashIn<UInt>) -> ClashOut<UInt> {
        i.word.ready.set(i.word_valid & i.word.valid);
        ClashOut { data: i.data ^ i.data_in }
    }
}

#[test]
fn fields_that_flatten_to_one_name() {
    let mistakes = elaborate(&Clash).expect_err("the mistake is noticed");
    insta::assert_snapshot!(mistakes.render(false));
}

/// A module by any name, here or elsewhere.
#[module]
struct Named {
    name: &'static str,
    factor: u64,
    external: Option<&'static str>,
}

impl Module for Named {
    type In = SynchroniserIn<UInt>;
    type Out = Out<UInt>;

    fn name(&self) -> String {
        self.name.to_string()
    }
    fn inputs(&self) -> SynchroniserIn<Shape> {
        SynchroniserIn { data: bits(8) }
    }
    fn outputs(&self) -> Out<Shape> {
        Out { q: bits(8) }
    }
    fn external(&self) -> Option<External> {
        let text = self.external?;
        Some(External {
            verilog_name: self.name.to_string(),
            verilog: Some(text.to_string()),
            ..External::default()
        })
    }
    fn build(&self, _m: &Builder, i: SynchroniserIn<UInt>) -> Out<UInt> {
        Out { q: (i.data * self.factor).truncate(8) }
    }
}

mistake!(modules_that_differ_in_case_only, |m, i| {
    let first = m.instance("first", &Named { name: "Scale", factor: 3, external: None });
    let second = m.instance("second", &Named { name: "scale", factor: 5, external: None });
    let data = first.connect(SynchroniserIn { data: i.a }).q;
    second.connect(SynchroniserIn { data }).q
});

mistake!(two_modules_of_one_name, |m, i| {
    let first = m.instance("first", &Named { name: "Scale", factor: 3, external: None });
    let second = m.instance("second", &Named { name: "Scale", factor: 5, external: None });
    let data = first.connect(SynchroniserIn { data: i.a }).q;
    second.connect(SynchroniserIn { data }).q
});

mistake!(two_texts_for_one_external_module, |m, i| {
    let first =
        m.instance("first", &Named { name: "scale", factor: 3, external: Some("module scale; endmodule") });
    let second = m.instance("second", &Named { name: "scale", factor: 5, external: Some("// none") });
    let data = first.connect(SynchroniserIn { data: i.a }).q;
    second.connect(SynchroniserIn { data }).q
});
