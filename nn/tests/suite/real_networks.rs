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
        let target = Target { ram_bytes: 1 << 20, ..target(rows, cols) };
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
    assert!(program.image.len() <= 512 << 10);
}

#[test]
fn a_weight_changed_in_the_chips_memory_changes_the_output() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target::default();
    let mut program = compile(&network, &target).unwrap();
    let before = run(&program, &target, &[0x10]);
    // The last layer has one output: its weights stand in the first column.
    let weights = program.layers[2].weights;
    let at = (weights.address - program.base) as usize;
    let column = (at..at + 16 * 16).step_by(16).filter(|&place| program.image[place] != 0);
    for place in column.collect::<Vec<_>>() {
        program.image[place] = program.image[place].wrapping_add(0x60);
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
    // Tiles of 4 x 8: 1 x 2 for 1 to 16 channels, 4 x 2 for 16 to 16, 4 x 1 for 16 to 1.
    for (layer, tiles) in program.layers.iter().zip([2, 8, 4]) {
        let counters = finished.counters(layer.counters);
        assert_eq!(counters.tensor[4], tiles * 4 * 8, "multiply-accumulate operations");
        assert_eq!(counters.tensor[5], tiles * 4 * 8, "bytes written");
        assert_eq!(layer.weights.bytes, tiles * 4 * 8);
        // In the golden model every instruction takes one cycle.
        assert_eq!(counters.cycles, counters.instructions);
        assert!(counters.cycles > tiles * 4 * 8 / 8);
    }
    let input = finished.counters(program.input_counters);
    assert_eq!((input.tensor[4], input.tensor[5]), (0, 8));
    let output = finished.counters(program.output_counters);
    assert_eq!((output.tensor[4], output.tensor[5]), (0, 0));
}

#[test]
fn a_trap_ends_the_run_with_its_own_code_and_leaves_a_record() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target::default();
    let mut program = compile(&network, &target).unwrap();
    let run_layer = program.symbols["run_layer"];
    let at = (run_layer - program.base) as usize;
    program.image[at..at + 4].fill(0);
    let finished = execute(&program, &target, &[0]);
    assert_eq!(finished.exit, Exit::Code(exit_code::TRAP));
    let record = program.symbols["trap_record"];
    // Cause 2 is an illegal instruction.
    assert_eq!((finished.word(record), finished.word(record + 4)), (2, run_layer));
}

#[test]
fn an_error_of_the_tensor_unit_ends_the_run_with_its_own_code() {
    let network = tflite::read(&microflow("sine.tflite")).unwrap();
    let target = Target::default();
    let mut program = compile(&network, &target).unwrap();
    // The operand of `t.scale`: a reserved bit makes it invalid.
    let at = (program.symbols["scales_0"] - program.base) as usize;
    program.image[at + 3] = 0x80;
    let finished = execute(&program, &target, &[0]);
    assert_eq!(finished.exit, Exit::Code(exit_code::TENSOR_ERROR));
    // Command 0x13 (`t.scale`), cause 2, bit 1 for error.
    assert_eq!(finished.word(program.symbols["tensor_status"]), 0x13 << 16 | 2 << 8 | 2);
}
