//! Two engines as one, which must never differ.

use std::fmt;

use ferrite_hdl::Bits;
use ferrite_hdl::flat::Flat;
use ferrite_sim::{Simulator, Snapshot, SnapshotError, StepError};

/// A design on two engines that are given the same inputs. Before every edge all outputs are compared, those of a chip's RVFI port and
/// its UART's line among them, and every word of a memory when it is read: what is done to a `Twin` is done to both, and what it says,
/// both say.
pub struct Twin {
    engines: [Box<dyn Simulator>; 2],
    names: [&'static str; 2],
}

/// Outputs that two engines show differently in one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Clock edges before.
    pub cycle: u64,
    /// The engines.
    pub names: [&'static str; 2],
    /// Of a chip: the number and the address of the instruction that retires, as the first engine has them.
    pub instruction: Option<(u64, u64)>,
    /// Outputs by name, and their values on both.
    pub outputs: Vec<(String, [Bits; 2])>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = self.names;
        write!(f, "{one} and {other} differ in cycle {}", self.cycle)?;
        if let Some((order, pc)) = self.instruction {
            write!(f, ", instruction {order} at {pc:08x}")?;
        }
        for (name, [on_one, on_other]) in &self.outputs {
            write!(f, "\n  {name}: {on_one} on {one}, {on_other} on {other}")?;
        }
        Ok(())
    }
}

impl Twin {
    /// Two engines at power-up, with their names for messages.
    ///
    /// # Panics
    /// If they run different designs.
    pub fn new(engines: [(&'static str, Box<dyn Simulator>); 2]) -> Twin {
        let [(one_name, one), (other_name, other)] = engines;
        assert_eq!(ports(one.flat()), ports(other.flat()), "the designs differ");
        Twin { engines: [one, other], names: [one_name, other_name] }
    }

    /// What differs in this cycle.
    pub fn difference(&mut self) -> Option<Difference> {
        let count = self.engines[0].flat().outputs.len();
        let differing: Vec<usize> = (0..count).filter(|k| !self.agrees_on(*k)).collect();
        if differing.is_empty() {
            return None;
        }
        let outputs = differing.into_iter().map(|k| {
            let name = self.engines[0].flat().outputs[k].name.clone();
            (name, self.engines.each_mut().map(|engine| engine.peek(k)))
        });
        let outputs = outputs.collect();
        let instruction = self.number("rvfi_order").zip(self.number("rvfi_pc_rdata"));
        Some(Difference { cycle: self.cycle(), names: self.names, instruction, outputs })
    }

    fn agrees_on(&mut self, output: usize) -> bool {
        let [one, other] = &mut self.engines;
        one.peek(output) == other.peek(output)
    }

    fn number(&mut self, output: &str) -> Option<u64> {
        let output = self.engines[0].output(output).ok()?;
        Some(self.engines[0].peek(output).low_u64())
    }

    fn assert_equal(&mut self) {
        if let Some(difference) = self.difference() {
            panic!("{difference}");
        }
    }
}

fn ports(flat: &Flat) -> Vec<(&str, u32)> {
    flat.inputs.iter().chain(&flat.outputs).map(|port| (port.name.as_str(), port.shape.width)).collect()
}

/// # Panics
/// Wherever the engines differ.
impl Simulator for Twin {
    fn flat(&self) -> &Flat {
        self.engines[0].flat()
    }

    fn poke(&mut self, input: usize, value: &Bits) {
        self.engines.iter_mut().for_each(|engine| engine.poke(input, value));
    }

    fn peek(&mut self, output: usize) -> Bits {
        if !self.agrees_on(output) {
            self.assert_equal();
        }
        self.engines[0].peek(output)
    }

    fn peek_signal(&mut self, signal: usize) -> Option<Bits> {
        self.engines[0].peek_signal(signal)
    }

    fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        self.assert_equal();
        let [one, other] = self.engines.each_mut().map(|engine| engine.step_clocks(clocks));
        assert_eq!(one, other, "{:?} after {} cycles", self.names, self.cycle());
        one
    }

    fn cycle(&self) -> u64 {
        self.engines[0].cycle()
    }

    fn read_memory(&self, memory: usize, word: u32) -> Bits {
        let [one, other] = self.engines.each_ref().map(|engine| engine.read_memory(memory, word));
        let path = &self.flat().memories[memory].path;
        assert_eq!(one, other, "{path}[{word}] on {:?} after {} cycles", self.names, self.cycle());
        one
    }

    fn write_memory(&mut self, memory: usize, word: u32, value: &Bits) {
        self.engines.iter_mut().for_each(|engine| engine.write_memory(memory, word, value));
    }

    fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        self.assert_equal();
        self.engines[0].save()
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        self.engines.iter_mut().try_for_each(|engine| engine.restore(snapshot))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use ferrite_gen::run::{Chip, Watch};
    use ferrite_hw::map::RAM_BASE;
    use ferrite_sim::{Native, NativeOptions};

    use super::*;
    use crate::bench::{LIMITS, design, small_chip};
    use crate::workloads::core_only;

    /// A cycle and an output.
    type Spot = Rc<Cell<Option<(u64, usize)>>>;

    /// Shows the lowest bit of an output wrong in one cycle.
    struct Perturbed {
        engine: Box<dyn Simulator>,
        at: Spot,
    }

    impl Simulator for Perturbed {
        fn flat(&self) -> &Flat {
            self.engine.flat()
        }
        fn poke(&mut self, input: usize, value: &Bits) {
            self.engine.poke(input, value);
        }
        fn peek(&mut self, output: usize) -> Bits {
            let value = self.engine.peek(output);
            match self.at.get() == Some((self.cycle(), output)) {
                true => Bits::from_u64(value.width(), value.low_u64() ^ 1),
                false => value,
            }
        }
        fn peek_signal(&mut self, signal: usize) -> Option<Bits> {
            self.engine.peek_signal(signal)
        }
        fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError> {
            self.engine.step_clocks(clocks)
        }
        fn cycle(&self) -> u64 {
            self.engine.cycle()
        }
        fn read_memory(&self, memory: usize, word: u32) -> Bits {
            self.engine.read_memory(memory, word)
        }
        fn write_memory(&mut self, memory: usize, word: u32, value: &Bits) {
            self.engine.write_memory(memory, word, value);
        }
        fn save(&mut self) -> Result<Snapshot, SnapshotError> {
            self.engine.save()
        }
        fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
            self.engine.restore(snapshot)
        }
    }

    fn twin() -> (Twin, Spot) {
        let design = design(&small_chip());
        let native = || Native::new(&design, &NativeOptions::default()).expect("it can be compiled");
        let at = Rc::new(Cell::new(None));
        let perturbed = Perturbed { engine: Box::new(native()), at: at.clone() };
        (Twin::new([("native", Box::new(native())), ("perturbed", Box::new(perturbed))]), at)
    }

    #[test]
    fn a_bit_of_any_pin_that_differs_in_one_cycle_is_found_and_told() {
        let (mut twin, at) = twin();
        let outputs: Vec<String> = twin.flat().outputs.iter().map(|port| port.name.clone()).collect();
        assert_eq!(outputs.iter().filter(|name| name.starts_with("rvfi_")).count(), 21);
        for (k, name) in outputs.iter().enumerate() {
            let cycle = twin.cycle();
            at.set(Some((cycle, k)));
            let difference = twin.difference().expect("a difference");
            let [one, other] = &difference.outputs[0].1;
            assert_eq!((difference.cycle, difference.outputs.len()), (cycle, 1));
            assert_eq!((&difference.outputs[0].0, one.low_u64() ^ 1), (name, other.low_u64()));
            at.set(Some((cycle + 1, k)));
            assert_eq!(twin.difference(), None);
            at.set(None);
            twin.step(1).expect("no property fails");
        }
    }

    #[test]
    #[should_panic(expected = "native and perturbed differ in cycle 700, instruction ")]
    fn a_program_does_not_run_on_over_a_difference() {
        let (twin, at) = twin();
        let field = twin.output("rvfi_rd_wdata").expect("a chip has it");
        at.set(Some((700, field)));
        let mut chip = Chip::new(&small_chip(), Box::new(twin));
        chip.write(RAM_BASE, &core_only()).expect("the program fits the RAM");
        let ended = chip.run(&LIMITS, &mut Watch::default());
        panic!("nobody noticed: {ended:?}");
    }

    #[test]
    #[should_panic(expected = "ram.words[3] on [\"native\", \"perturbed\"] after 0 cycles")]
    fn a_word_of_a_memory_that_differs_is_found_when_it_is_read() {
        let (mut twin, _) = twin();
        let path = |twin: &Twin, k: usize| twin.flat().memories[k].path.clone();
        let ram = (0..twin.flat().memories.len()).find(|k| path(&twin, *k) == "ram.words").expect("a RAM");
        twin.engines[1].write_memory(ram, 3, &Bits::ones(32));
        twin.read_memory(ram, 3);
    }
}
