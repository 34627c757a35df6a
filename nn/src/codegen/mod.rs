//! From a plan to a program: weights, parameters and command lists for external memory; code and tables for the RAM.
//!
//! The code does not grow with the network: it is one loop over a table of steps, each of which is a command list.

mod counters;
mod data;
mod run;

use ferrite_model::isa::{Asm, Label};

use crate::error::CompileError;
use crate::lists::RECORD_BYTES;
use crate::lower::Chain;
use crate::network::Tensor;
use crate::plan::Plan;
use crate::program::{Counters, Image, Layer, Port, Program, Region};
use crate::schedule::{Step, ZERO_BYTES, parts, schedule};
use crate::target::Target;

/// What tables start at a multiple of.
const ALIGNMENT: u32 = 8;

/// `trap_record` and `tensor_status`.
const RECORDS_BYTES: u32 = 12 + 12;

/// The places that the code refers to.
struct Labels {
    trap: Label,
    next_step: Label,
    note: Label,
    account: Label,
    steps: Label,
    steps_end: Label,
    counters: Label,
    counters_now: Label,
    counters_before: Label,
    trap_record: Label,
    tensor_status: Label,
}

impl Labels {
    fn new(asm: &mut Asm) -> Self {
        Self {
            trap: asm.label("trap"),
            next_step: asm.label("next_step"),
            note: asm.label("note"),
            account: asm.label("account"),
            steps: asm.label("steps"),
            steps_end: asm.label("steps_end"),
            counters: asm.label("counters"),
            counters_now: asm.label("counters_now"),
            counters_before: asm.label("counters_before"),
            trap_record: asm.label("trap_record"),
            tensor_status: asm.label("tensor_status"),
        }
    }
}

/// Writes the program.
///
/// # Errors
///
/// [`CompileError::Ram`] if it does not fit.
pub fn generate(chain: &Chain, plan: &Plan, target: &Target) -> Result<Program, CompileError> {
    let mut asm = Asm::new(target.ram_base);
    let labels = Labels::new(&mut asm);
    run::emit(&mut asm, &labels);
    counters::emit_note(&mut asm, &labels, target);
    counters::emit_account(&mut asm, &labels);
    run::emit_trap_handler(&mut asm, &labels);
    asm.align(ALIGNMENT);

    let code_bytes = asm.address() - target.ram_base;
    let steps = u64::from(plan.passes) * parts(chain) as u64;
    let counters = parts(chain) as u64 + 2;
    let needed = u64::from(code_bytes)
        + steps * u64::from(run::STEP_BYTES)
        + counters * u64::from(Counters::BYTES)
        + u64::from(RECORDS_BYTES);
    if needed > target.ram_bytes.into() {
        return Err(CompileError::Ram { needed, available: target.ram_bytes });
    }
    let steps = schedule(chain, plan, target);
    emit_tables(&mut asm, &labels, chain, plan, &steps);
    let assembled = asm.finish()?;
    debug_assert_eq!(assembled.bytes.len() as u64, needed);

    let symbols = assembled.symbols;
    let address = |name: &str| symbols.get(name).copied().unwrap_or(target.ram_base);
    let counters = |part: usize| address("counters") + part as u32 * Counters::BYTES;
    Ok(Program {
        ram: Image { base: assembled.base, bytes: assembled.bytes },
        external: external_image(chain, plan, target, &steps),
        entry: address("start"),
        input: port(&chain.input, plan.external.input),
        output: port(&chain.output, plan.external.output),
        layers: layers(chain, plan, counters),
        input_counters: counters(0),
        output_counters: counters(parts(chain) - 1),
        symbols,
    })
}

fn layers(chain: &Chain, plan: &Plan, counters: impl Fn(usize) -> u32) -> Vec<Layer> {
    let layers = chain.layers.iter().zip(&plan.layers).enumerate();
    let layer =
        |(index, (layer, cut)): (usize, (&crate::lower::FullyConnected, &crate::plan::LayerPlan))| Layer {
            name: layer.name.clone(),
            operator: "FULLY_CONNECTED",
            batches: chain.batches as u32,
            inputs: layer.inputs as u32,
            outputs: layer.outputs as u32,
            macs: chain.batches as u64 * layer.inputs as u64 * layer.outputs as u64,
            weights: cut.data,
            counters: counters(index + 1),
        };
    layers.map(layer).collect()
}

fn port(tensor: &Tensor, region: Region) -> Port {
    Port {
        name: tensor.name.clone(),
        shape: tensor.shape.clone(),
        region,
        quantisation: tensor.quantisation.clone(),
    }
}

fn emit_tables(asm: &mut Asm, labels: &Labels, chain: &Chain, plan: &Plan, steps: &[Step]) {
    let counters: Vec<Label> = (0..parts(chain)).map(|_| asm.local()).collect();
    asm.bind(labels.steps);
    let mut list = plan.external.lists.address;
    for step in steps {
        asm.word(list);
        asm.word(step.commands.len() as u32);
        asm.word_of(counters[step.part]);
        list += step.commands.len() as u32 * RECORD_BYTES;
    }
    asm.bind(labels.steps_end);
    for place in [labels.counters_now, labels.counters_before] {
        asm.bind(place);
        asm.space(Counters::BYTES);
    }
    asm.bind(labels.counters);
    for place in counters {
        asm.bind(place);
        asm.space(Counters::BYTES);
    }
    asm.bind(labels.trap_record);
    asm.space(12);
    asm.bind(labels.tensor_status);
    asm.space(12);
}

/// Weights, parameters, zeros and lists; the tensors stand behind them.
fn external_image(chain: &Chain, plan: &Plan, target: &Target, steps: &[Step]) -> Image {
    let base = target.external_base;
    let mut bytes = Vec::with_capacity((plan.external.input.address - base) as usize);
    let begin = |bytes: &mut Vec<u8>, region: Region| bytes.resize((region.address - base) as usize, 0);
    for (layer, cut) in chain.layers.iter().zip(&plan.layers) {
        begin(&mut bytes, cut.data);
        cut.pieces.iter().for_each(|piece| data::append(&mut bytes, layer, piece, target));
    }
    begin(&mut bytes, plan.external.zeros);
    if plan.external.zeros.bytes > 0 {
        bytes.resize(bytes.len() + ZERO_BYTES as usize, 0);
    }
    begin(&mut bytes, plan.external.lists);
    for command in steps.iter().flat_map(|step| &step.commands) {
        command.encode().iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    }
    Image { base, bytes }
}
