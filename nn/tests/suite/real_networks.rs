//! Networks that others have trained, on chips of several shapes.

use ferrite_model::iss::Exit;
use ferrite_nn::{Target, compile, exit_code, reference, tflite};

use crate::machine::{bytes, execute, run, target};
use crate::real_files::{microflow, recorded};

/// Arrays: the smallest, two that are not square, the default and the largest.
const SHAPES: [(u32, u32); 5] = [(4, 4), (8, 16), (16, 8), (16, 16), (32, 32)];

#[test]
fn sine_has_three_int8_layers() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let operators: Vec<String> = network.operators.iter().map(|operator| operator.kind.to_string()).collect();
    assert_eq!(operators, ["FULLY_CONNECTED"; 3]);
    let program = compile(&network, &Target::default()).unwrap();
    assert_eq!((program.input.shape.as_slice(), program.output.shape.as_slice()), (&[1, 1][..], &[1, 1][..]));
    let macs: Vec<u64> = program.layers.iter().map(|layer| layer.macs).collect();
    assert_eq!(macs, [16, 256, 16]);
}

#[test]
fn sine_equals_the_reference_kernels_for_every_input_on_every_array() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    for (rows, cols) in SHAPES {
        let target = target(rows, cols);
        let program = compile(&network, &target).unwrap();
        for input in i8::MIN..=i8::MAX {
            let expected = reference::run(&network, &[input]).unwrap().pop().unwrap();
            assert_eq!(
                run(&program, &target, &bytes(&[input])),
                bytes(&expected),
                "{input} on {rows}x{cols}"
            );
        }
    }
}

#[test]
fn sine_is_a_sine() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target::default();
    let program = compile(&network, &target).unwrap();
    let real = |port: &ferrite_nn::Port, integer: i8| {
        let quantisation = port.quantisation.as_ref().unwrap();
        f64::from(quantisation.scales[0]) * f64::from(i32::from(integer) - quantisation.zero_points[0])
    };
    for input in (i8::MIN..=i8::MAX).step_by(16) {
        let output = run(&program, &target, &bytes(&[input]))[0] as i8;
        let (x, y) = (real(&program.input, input), real(&program.output, output));
        // The network approximates the function from 0 to 2 pi; its author's own tests allow as much.
        assert!((y - x.sin()).abs() < 0.2, "sin({x}) = {}, not {y}", x.sin());
    }
}

#[test]
fn the_anomaly_detector_equals_the_recorded_outputs_on_every_array() {
    let Some(file) = recorded("ad01_int8.tflite") else { return };
    let network = tflite::read(&file).unwrap();
    for (rows, cols) in SHAPES {
        let target = target(rows, cols);
        let program = compile(&network, &target).unwrap();
        for sample in 0..3 {
            let input = recorded(&format!("ad01_int8.input_{sample}.bin")).unwrap();
            let expected = recorded(&format!("ad01_int8.output_{sample}.bin")).unwrap();
            assert!(run(&program, &target, &input) == expected, "sample {sample} on {rows}x{cols}");
        }
    }
}

#[test]
fn the_reference_kernels_give_the_anomaly_detectors_recorded_outputs() {
    let Some(file) = recorded("ad01_int8.tflite") else { return };
    let network = tflite::read(&file).unwrap();
    for sample in 0..3 {
        let input = recorded(&format!("ad01_int8.input_{sample}.bin")).unwrap();
        let input: Vec<i8> = input.iter().map(|&byte| byte as i8).collect();
        let output = reference::run(&network, &input).unwrap().pop().unwrap();
        assert!(bytes(&output) == recorded(&format!("ad01_int8.output_{sample}.bin")).unwrap());
    }
}

#[test]
fn every_layer_of_the_anomaly_detector_equals_the_recorded_one() {
    let Some(file) = recorded("ad01_int8.tflite") else { return };
    let network = tflite::read(&file).unwrap();
    let input = recorded("ad01_int8.input_0.bin").unwrap();
    let layers = recorded("ad01_int8.layers_0.bin").unwrap();
    let mut offset = 0;
    for count in 1..=network.operators.len() {
        // The network cut off behind a layer: its output is then the network's.
        let mut head = network.clone();
        head.operators.truncate(count);
        head.outputs = head.operators[count - 1].outputs.clone();
        let target = Target::default();
        let program = compile(&head, &target).unwrap();
        let output = run(&program, &target, &input);
        let expected = &layers[offset..offset + output.len()];
        assert!(output == expected, "layer {} (\"{}\")", count - 1, program.layers[count - 1].name);
        offset += output.len();
    }
    assert_eq!(offset, layers.len());
}

#[test]
fn the_default_chip_holds_the_anomaly_detector() {
    let Some(file) = recorded("ad01_int8.tflite") else { return };
    let network = tflite::read(&file).unwrap();
    let program = compile(&network, &Target::default()).unwrap();
    let macs: u64 = program.layers.iter().map(|layer| layer.macs).sum();
    // The sum that the networks' manifest gives.
    assert_eq!(macs, 264_192);
    assert!(program.ram.bytes.len() < 8 << 10, "code and tables do not grow with the weights");
    assert!(program.external.bytes.len() < 512 << 10);
}

#[test]
fn a_weight_changed_in_the_chips_memory_changes_the_output() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target::default();
    let mut program = compile(&network, &target).unwrap();
    let before = run(&program, &target, &[0x10]);
    // The last layer has one output: its weights stand in the first column.
    let weights = program.layers[2].weights;
    let image = &mut program.external;
    // Behind 16 biases, 16 multipliers and 16 shifts.
    let at = (weights.address - image.base) as usize + 2 * 64 + 16;
    let column = (at..at + 16 * 16).step_by(16).filter(|&place| image.bytes[place] != 0);
    for place in column.collect::<Vec<_>>() {
        image.bytes[place] = image.bytes[place].wrapping_add(0x60);
    }
    assert_ne!(run(&program, &target, &[0x10]), before);
}

#[test]
fn the_counters_of_a_layer_count_that_layers_work_alone() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = target(4, 8);
    let program = compile(&network, &target).unwrap();
    let finished = execute(&program, &target, &[0]);
    assert_eq!(finished.exit, Exit::Code(exit_code::DONE));
    // Tiles of 4 x 8: 1 x 2 for 1 to 16 channels, 4 x 2 for 16 to 16, 4 x 1 for 16 to 1. 72 bytes of parameters for each 8 output channels.
    let data = |tiles: u32, out_tiles: u32| tiles * 4 * 8 + out_tiles * 72;
    let layers = [(2, data(2, 2)), (8, data(8, 2)), (4, data(4, 1))];
    for (index, (layer, (tiles, bytes))) in program.layers.iter().zip(layers).enumerate() {
        let counters = finished.counters(layer.counters);
        assert_eq!(counters.tensor[11], tiles * 4 * 8, "multiply-accumulate operations");
        // What the layer needs first has been loaded during the step before, which is all here.
        assert_eq!(counters.tensor[9], layers.get(index + 1).map_or(0, |next| next.1), "bytes loaded");
        assert_eq!(counters.tensor[10], 0, "bytes stored");
        assert_eq!(layer.weights.bytes, bytes);
        // In the golden model every instruction takes one cycle.
        assert_eq!(counters.cycles, counters.instructions);
        assert!(counters.cycles > 0);
    }
    let input = finished.counters(program.input_counters).tensor;
    assert_eq!((input[9], input[10], input[11]), (1 + layers[0].1, 0, 0));
    let output = finished.counters(program.output_counters).tensor;
    assert_eq!((output[9], output[10], output[11]), (0, 1, 0));
}

#[test]
fn a_chip_whose_core_has_no_counters_counts_what_the_tensor_unit_does() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target { core_counters: false, ..Target::default() };
    let program = compile(&network, &target).unwrap();
    let counters = execute(&program, &target, &[0]).counters(program.layers[1].counters);
    assert_eq!((counters.cycles, counters.instructions, counters.tensor[11]), (0, 0, 256));
}

#[test]
fn a_trap_ends_the_run_with_its_own_code_and_leaves_a_record() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target::default();
    let mut program = compile(&network, &target).unwrap();
    let next_step = program.symbols["next_step"];
    let at = (next_step - program.ram.base) as usize;
    program.ram.bytes[at..at + 4].fill(0);
    let finished = execute(&program, &target, &[0]);
    assert_eq!(finished.exit, Exit::Code(exit_code::TRAP));
    let record = program.symbols["trap_record"];
    // Cause 2 is an illegal instruction.
    assert_eq!((finished.word(record), finished.word(record + 4)), (2, next_step));
}

#[test]
fn an_error_of_the_tensor_unit_ends_the_run_with_its_own_code() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target::default();
    let mut program = compile(&network, &target).unwrap();
    // The second list begins with a convolution; its code becomes one that there is not.
    let word = |image: &[u8], at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap());
    let step = (program.symbols["steps"] - program.ram.base) as usize + 12;
    let list = word(&program.ram.bytes, step) - program.external.base;
    program.external.bytes[list as usize] = 0xEE;
    let finished = execute(&program, &target, &[0]);
    assert_eq!(finished.exit, Exit::Code(exit_code::TENSOR_ERROR));
    // Cause 1, bit 1 for error. Two commands were accepted: the input's load and that of the first weights.
    let status = program.symbols["tensor_status"];
    assert_eq!([0, 4, 8].map(|at| finished.word(status + at)), [1 << 8 | 2, 2, 0]);
}
