//! From a plan to a program: code first, then tables, weights and buffers.
//!
//! The code does not grow with the network: it is one loop over a table of layers, each of which is a few
//! words that name the layer's weights, sizes and places (see `layer_table`). One file writes one part of the
//! code.

mod copy;
mod counters;
mod layer;
mod layer_table;
mod start;

use ferrite_model::isa::{Asm, Label};

use crate::error::CompileError;
use crate::lower::Chain;
use crate::network::Tensor;
use crate::plan::{Plan, tiles};
use crate::program::{Counters, Layer, Port, Program, Region};
use crate::target::Target;

/// What buffers and tables start at a multiple of.
const ALIGNMENT: u32 = 8;
/// Room behind a buffer: the copy loops move whole words or pairs of words.
const BUFFER_SLACK: u32 = 8;

/// The places that the code refers to.
struct Labels {
    trap: Label,
    account: Label,
    run_layer: Label,
    layer_table: Label,
    counters: Label,
    counters_before: Label,
    trap_record: Label,
    tensor_status: Label,
    input: Label,
    output: Label,
}

impl Labels {
    fn new(asm: &mut Asm) -> Self {
        Self {
            trap: asm.label("trap"),
            account: asm.label("account"),
            run_layer: asm.label("run_layer"),
            layer_table: asm.label("layer_table"),
            counters: asm.label("counters"),
            counters_before: asm.label("counters_before"),
            trap_record: asm.label("trap_record"),
            tensor_status: asm.label("tensor_status"),
            input: asm.label("input"),
            output: asm.label("output"),
        }
    }
}

/// The data of one layer.
struct LayerData {
    weights: Label,
    biases: Label,
    scales: Label,
}

/// Writes the program.
///
/// # Errors
///
/// [`CompileError::Ram`] if it does not fit.
pub fn generate(chain: &Chain, plan: &Plan, target: &Target) -> Result<Program, CompileError> {
    let mut asm = Asm::new(target.ram_base);
    let labels = Labels::new(&mut asm);
    start::emit(&mut asm, &labels, chain, plan);
    layer::emit(&mut asm, &labels, plan, target);
    counters::emit(&mut asm, &labels, target);
    start::emit_trap_handler(&mut asm, &labels);
    asm.align(ALIGNMENT);

    // Before anything large is made, so that a network of any size costs no more than a sum.
    let code_bytes = asm.address() - target.ram_base;
    let needed = u64::from(code_bytes) + data_bytes(chain, plan, target);
    if needed > target.ram_bytes.into() {
        return Err(CompileError::Ram { needed, available: target.ram_bytes });
    }
    let layers = emit_data(&mut asm, &labels, chain, plan, target);
    let assembled = asm.finish()?;
    debug_assert_eq!(assembled.bytes.len() as u64, needed);

    let symbols = assembled.symbols;
    let address = |name: &str| symbols.get(name).copied().unwrap_or(target.ram_base);
    let counters = address("counters");
    let layer_counters = |index: usize| counters + (index as u32 + 1) * Counters::BYTES;
    Ok(Program {
        base: assembled.base,
        image: assembled.bytes,
        entry: address("start"),
        input: port(&chain.input, address("input")),
        output: port(&chain.output, address("output")),
        layers: layers
            .into_iter()
            .enumerate()
            .map(|(index, layer)| Layer { counters: layer_counters(index), ..layer })
            .collect(),
        input_counters: counters,
        output_counters: layer_counters(chain.layers.len()),
        symbols,
    })
}

fn port(tensor: &Tensor, address: u32) -> Port {
    Port {
        name: tensor.name.clone(),
        shape: tensor.shape.clone(),
        region: Region { address, bytes: tensor.elements as u32 },
        quantisation: tensor.quantisation.clone(),
    }
}

/// Bytes of everything behind the code.
fn data_bytes(chain: &Chain, plan: &Plan, target: &Target) -> u64 {
    let aligned = |bytes: u64| bytes.next_multiple_of(ALIGNMENT.into());
    let layers: u64 = chain
        .layers
        .iter()
        .zip(&plan.layers)
        .map(|(layer, cut)| {
            let columns = u64::from(cut.column_blocks) * u64::from(target.cols);
            let scale_columns = if layer.multipliers.len() == 1 { target.cols.into() } else { columns };
            let weights =
                u64::from(cut.row_blocks) * u64::from(cut.column_blocks) * u64::from(target.tile_bytes());
            aligned(weights)
                + aligned(columns * 4)
                + aligned(scale_columns * 8)
                + u64::from(layer_table::ENTRY_BYTES)
        })
        .sum();
    let counters = (chain.layers.len() as u64 + 2 + 1) * u64::from(Counters::BYTES);
    let buffer = |tensor: &Tensor| aligned(tensor.elements as u64 + u64::from(BUFFER_SLACK));
    layers + counters + RECORD_BYTES + buffer(&chain.input) + buffer(&chain.output)
}

/// `trap_record` and `tensor_status`.
const RECORD_BYTES: u64 = 16;

fn emit_data(asm: &mut Asm, labels: &Labels, chain: &Chain, plan: &Plan, target: &Target) -> Vec<Layer> {
    let mut data = Vec::with_capacity(chain.layers.len());
    asm.bind(labels.layer_table);
    for index in 0..chain.layers.len() {
        let places = LayerData {
            weights: asm.label(format!("weights_{index}")),
            biases: asm.label(format!("biases_{index}")),
            scales: asm.label(format!("scales_{index}")),
        };
        layer_table::emit_entry(asm, &places, chain, plan, index);
        data.push(places);
    }
    let mut layers = Vec::with_capacity(chain.layers.len());
    for (layer, places) in chain.layers.iter().zip(data) {
        let bytes = tiles(layer, target);
        asm.bind(places.weights);
        let weights = Region { address: asm.address(), bytes: bytes.len() as u32 };
        asm.data(&bytes);
        asm.align(ALIGNMENT);
        layer_table::emit_columns(asm, &places, layer, target);
        layers.push(Layer {
            name: layer.name.clone(),
            operator: "FULLY_CONNECTED",
            batches: chain.batches as u32,
            inputs: layer.inputs as u32,
            outputs: layer.outputs as u32,
            macs: chain.batches as u64 * layer.inputs as u64 * layer.outputs as u64,
            weights,
            counters: 0,
        });
    }
    asm.bind(labels.counters_before);
    asm.space(Counters::BYTES);
    asm.bind(labels.counters);
    asm.space((chain.layers.len() as u32 + 2) * Counters::BYTES);
    asm.bind(labels.trap_record);
    asm.space(12);
    asm.bind(labels.tensor_status);
    asm.space(4);
    for (label, tensor) in [(labels.input, &chain.input), (labels.output, &chain.output)] {
        asm.bind(label);
        asm.space(tensor.elements as u32 + BUFFER_SLACK);
        asm.align(ALIGNMENT);
    }
    layers
}
