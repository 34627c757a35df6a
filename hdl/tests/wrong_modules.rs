//! Random modules, most of them wrong: elaboration ends with a design or with mistakes, and never panics.

use ferrite_hdl::library::{Queue, RoundRobinArbiter, Stream, Synchroniser};
use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encoding)]
enum Mode {
    Off,
    Slow,
    Fast,
}

/// One call of the builder or of a signal: which, three operands among the signals so far, and a number.
type Call = (u8, u8, u8, u8, u32);

#[derive(Clone, Bundle)]
struct Inputs<T> {
    x: Vec<T>,
    #[flip]
    back: Stream<T>,
}

#[derive(Clone, Bundle)]
struct Outputs<T> {
    y: Vec<T>,
}

/// Does the calls one after the other; some of them with the rest as body of a branch.
#[module]
struct Wrong {
    name: String,
    clocks: usize,
    widths: Vec<u32>,
    outputs: Vec<u32>,
    calls: Vec<Call>,
    depth: u32,
    /// Sets all outputs, with their widths.
    tidy: bool,
}

const NAMES: [&str; 10] = ["a", "b", "wire", "x_0", "clk", "rst", "1st", "", "y_0", "Wrong"];
const CLOCKS: [&str; 3] = ["clk", "other_clk", "clk"];

impl Module for Wrong {
    type In = Inputs<UInt>;
    type Out = Outputs<UInt>;

    fn name(&self) -> String {
        self.name.clone()
    }
    fn clocks(&self) -> Vec<&'static str> {
        CLOCKS[..self.clocks].to_vec()
    }
    fn inputs(&self) -> Inputs<Shape> {
        Inputs { x: self.widths.iter().map(|w| bits(*w)).collect(), back: Stream::of(bits(8)) }
    }
    fn outputs(&self) -> Outputs<Shape> {
        Outputs { y: self.outputs.iter().map(|w| bits(*w)).collect() }
    }
    fn build(&self, m: &Builder, i: Inputs<UInt>) -> Outputs<UInt> {
        let mut pool = i.x;
        pool.extend([i.back.valid, i.back.data, i.back.ready, m.constant(Bits::from_u64(8, 5))]);
        let mut memories = Vec::new();
        if self.tidy {
            i.back.valid.set(0);
            i.back.data.set(0);
        }
        self.run(m, &self.calls, &mut pool, &mut memories);
        if self.tidy {
            let last = pool[pool.len() - 1];
            let fit =
                |width: u32| if width > last.width() { last.extend(width) } else { last.truncate(width) };
            return Outputs { y: self.outputs.iter().map(|width| fit(*width)).collect() };
        }
        let returned = self.calls.first().map_or(0, |call| call.4 as usize % 4);
        Outputs { y: pool.into_iter().rev().take(returned).collect() }
    }
}

impl Wrong {
    fn run(&self, m: &Builder, calls: &[Call], pool: &mut Vec<UInt>, memories: &mut Vec<Memory>) {
        let Some(((what, a, b, c, number), rest)) = calls.split_first() else { return };
        let pick = |k: u8| pool[k as usize % pool.len()];
        let (a, b, c, number) = (pick(*a), pick(*b), pick(*c), *number);
        let name = match number % 4 {
            0 => NAMES[*what as usize % NAMES.len()].to_string(),
            _ => format!("s{}_{}", rest.len(), number % 7),
        };
        let half = rest.len() / 2;
        let made = match what % 48 {
            0 => a & b,
            1 => a | number,
            2 => a ^ b,
            3 => a + b,
            4 => a - number,
            5 => a * b,
            6 => a << b,
            7 => a >> number,
            8 => !a,
            9 => a.wrapping_add(b),
            10 => a.eq(b),
            11 => a.signed().lt(b.signed()),
            12 => a.mux(b, c),
            13 => a.mux(1, number),
            14 => a.extend(number),
            15 => a.truncate(number),
            16 => a.slice(number % 70, b.width()),
            17 => a.slice(number, number),
            18 => a.bit_at(b),
            19 => a.repeat(number),
            20 => concat([a, b, c]),
            21 => concat(Vec::<UInt>::new()),
            22 => (a.signed() * b.signed() - 3).truncate(number % 20),
            23 => (-a.signed() >> b).truncate_signed(number % 20).unsigned(),
            24 => a.is(Mode::Fast),
            25 => m.reg(&name, number % 80).reset_to(number),
            26 => m.wire(&name, a.width()),
            27 => m.wire(&name, number),
            28 => m.node(&name, a),
            29 => m.delay(&name, a),
            30 => m.reg(&name, Mode::shape()).init(Mode::Slow),
            31 => a.init(b),
            32 | 33 => {
                a.set(b);
                a
            }
            34 => {
                a.slice(number % 8, 1).set(b.bit(0));
                a
            }
            35 | 36 => {
                let when = m.when(a, || self.run(m, &rest[..half], &mut pool.clone(), memories));
                let when = when.otherwise_when(b, || a.set(c));
                if number % 2 == 0 {
                    m.cover(&name, c);
                }
                when.otherwise(|| self.run(m, &rest[half..], pool, memories));
                return;
            }
            37 | 38 => {
                m.switch(a, |s| {
                    s.case(number, || self.run(m, &rest[..half], &mut pool.clone(), &mut memories.clone()));
                    if number % 3 == 0 {
                        b.set(c);
                    }
                    s.cases([Mode::Off, Mode::Fast], || b.set(number));
                    s.default(|| self.run(m, &rest[half..], pool, memories));
                });
                return;
            }
            39 => {
                let memory = m.memory(&name, number % 100, a.width()).with_contents([Bits::zero(number % 9)]);
                memories.push(memory.with_contents_from_hex("1 2 @3 ff"));
                a
            }
            40 => memories.last().map_or(a, |memory| memory.read(&name, b)),
            41 => memories.first().map_or(a, |memory| {
                memory.write(b, number);
                memory.write_masked(a, b, c);
                memory.read_async(&name, a)
            }),
            42 => {
                m.clock(CLOCKS[number as usize % 2], || self.run(m, rest, pool, memories));
                return;
            }
            43 => {
                m.assert(&name, a);
                m.assume(&name, b.any());
                a
            }
            44 => {
                let queue = m.instance(&name, &Queue { width: number % 9, depth: number % 5 });
                queue.i.enq.data.set(a);
                queue.i.enq.valid.set(b);
                queue.i.deq.data
            }
            45 => {
                let arbiter = m.instance(&name, &RoundRobinArbiter { requesters: number % 4 });
                arbiter.i.request.set(a);
                arbiter.o.grant
            }
            46 => m.instance(&name, &Synchroniser { width: a.width(), stages: number % 3 }).o.data,
            _ if self.depth > 0 => {
                let inner = Wrong { depth: self.depth - 1, calls: rest.to_vec(), ..self.clone() };
                let instance = m.instance(&name, &inner);
                instance.i.x.iter().for_each(|x| x.set(a));
                instance.i.back.ready.set(b);
                instance.o.y.first().copied().unwrap_or(a)
            }
            _ => m.instance(&name, self).o.y.first().copied().unwrap_or(a),
        };
        pool.push(made);
        self.run(m, rest, pool, memories);
    }
}

fn wrong() -> impl Strategy<Value = Wrong> {
    let widths = || prop::collection::vec(prop_oneof![8 => 1u32..20, 1 => Just(0), 1 => Just(70_000)], 0..4);
    let number = prop_oneof![6 => 0u32..12, 2 => any::<u32>(), 1 => Just(65_536)];
    let calls = prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), number), 0..24);
    let name = prop_oneof![Just("Wrong".to_string()), Just("module".to_string()), "[A-Za-z_ ]{0,3}"];
    (name, 0usize..4, widths(), widths(), calls, 0u32..3, any::<bool>()).prop_map(
        |(name, clocks, widths, outputs, calls, depth, tidy)| Wrong {
            name,
            clocks,
            widths,
            outputs,
            calls,
            depth,
            tidy,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_random_module_gives_a_design_or_mistakes_that_can_be_shown(module in wrong()) {
        match elaborate(&module) {
            Ok(design) => {
                let files = emit(&design, &EmitOptions { source_lines: true });
                let file = module.name + ".v";
                prop_assert!(files.iter().any(|other| other.name == file));
            }
            Err(mistakes) => {
                prop_assert!(mistakes.iter().next().is_some());
                let text = mistakes.render(false);
                let count = mistakes.iter().count();
                let last = format!("the design has {count} mistake{}", if count == 1 { "" } else { "s" });
                prop_assert!(text.ends_with(&last), "{text}");
            }
        }
    }
}
