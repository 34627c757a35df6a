//! What cannot be compiled, and what the user is told.

use ferrite_nn::{Target, compile, tflite};

use crate::build::{CONV_2D, CUSTOM, Dense, DenseChain, FLOAT32, ModelSpec, OperatorSpec};
use crate::real_files::{microflow, recorded};

/// Two layers, 3 to 2 to 1.
fn model() -> ModelSpec {
    let layer = |inputs: usize, outputs| Dense {
        outputs,
        weights: vec![1; inputs * outputs],
        bias: Some(vec![0; outputs]),
        weight_scales: vec![1.0],
        output_scale: 1.0,
        output_zero_point: 0,
        activation: 0,
    };
    let layers = vec![layer(3, 2), layer(2, 1)];
    DenseChain { batches: 1, inputs: 3, input_scale: 1.0, input_zero_point: 0, layers }.model()
}

/// The compiler's message for a file that the reader accepts; offsets replaced, as they are the builder's
/// affair.
fn message(model: &ModelSpec, target: &Target) -> String {
    let network = tflite::read(&model.write()).unwrap();
    without_offset(&compile(&network, target).unwrap_err().to_string())
}

/// The reader's message.
fn read_message(model: &ModelSpec) -> String {
    without_offset(&tflite::read(&model.write()).unwrap_err().to_string())
}

fn without_offset(message: &str) -> String {
    let mut words: Vec<String> = message.split(' ').map(str::to_owned).collect();
    for place in 1..words.len() {
        if words[place - 1] == "offset" {
            let end = words[place].trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
            assert_ne!(end.len(), words[place].len(), "an offset is a number: {message}");
            words[place] = format!("N{end}");
        }
    }
    words.join(" ")
}

#[test]
fn the_untouched_model_compiles() {
    compile(&tflite::read(&model().write()).unwrap(), &Target::default()).unwrap();
}

#[test]
fn an_operator_that_is_not_supported_is_named_with_its_place_and_version() {
    let mut conv = model();
    conv.operators[1].code = CONV_2D;
    conv.operators[1].version = 3;
    assert_eq!(
        message(&conv, &Target::default()),
        "operator 1 (CONV_2D, version 3) at offset N is not supported yet; supported are \
         FULLY_CONNECTED, RESHAPE"
    );
    let mut custom = model();
    custom.operators[0].code = CUSTOM;
    custom.operators[0].custom_name = "MyOp".to_owned();
    custom.operators[0].version = 1;
    assert_eq!(
        message(&custom, &Target::default()),
        "operator 0 (CUSTOM \"MyOp\", version 1) at offset N is not supported yet; \
         supported are FULLY_CONNECTED, RESHAPE"
    );
    let mut newer = model();
    newer.operators[0].code = 150;
    assert!(message(&newer, &Target::default()).starts_with("operator 0 (GELU, version 4)"));
}

#[test]
fn the_other_real_networks_are_read_and_refused_by_their_first_convolution() {
    let read = |file: &[u8]| tflite::read(file).unwrap();
    let refusal = |file: &[u8]| compile(&read(file), &Target::default()).unwrap_err().to_string();
    assert!(refusal(&microflow("person_detect.tflite")).contains("CONV_2D"));
    assert!(refusal(&microflow("speech.tflite")).contains("(DEPTHWISE_CONV_2D, version"));
    for name in ["kws_ref_model", "pretrainedResnet_quant", "vww_96_int8", "str_ww_ref_model"] {
        let Some(file) = recorded(&format!("{name}.tflite")) else { return };
        assert!(refusal(&file).contains("is not supported yet"), "{name}");
    }
}

#[test]
fn a_name_from_the_file_cannot_send_control_codes_to_a_terminal() {
    let mut colourful = model();
    colourful.tensors[1].name = "\x1b[31mred".to_owned();
    colourful.tensors[1].zero_points = vec![3];
    let text = message(&colourful, &Target::default());
    assert!(text.contains("\"\\u{1b}[31mred\"") && !text.contains('\x1b'), "{text}");
}

/// The number in a message.
fn number(text: &str) -> u64 {
    text.split(' ').find_map(|word| word.parse().ok()).unwrap()
}

#[test]
fn a_program_larger_than_the_ram_is_refused_with_both_sizes() {
    let target = Target { ram_bytes: 512, ..Target::default() };
    let text = message(&model(), &target);
    let needed = number(&text);
    assert_eq!(
        text,
        format!(
            "the program needs {needed} bytes of RAM, but the chip has 512; enlarge the RAM or use a \
             smaller network"
        )
    );
    // The number is exact: so much is enough, and one less is not.
    let exact = Target { ram_bytes: needed as u32, ..Target::default() };
    let network = tflite::read(&model().write()).unwrap();
    assert_eq!(compile(&network, &exact).unwrap().ram.bytes.len() as u64, needed);
    assert!(compile(&network, &Target { ram_bytes: needed as u32 - 1, ..exact }).is_err());
}

#[test]
fn a_network_larger_than_external_memory_is_refused_with_both_sizes() {
    let text = message(&model(), &Target { external_bytes: 1024, ..Target::default() });
    let needed = number(&text);
    assert_eq!(
        text,
        format!(
            "the network needs {needed} bytes of external memory, but the chip has 1024; enlarge external \
             memory or use a smaller network"
        )
    );
    let exact = Target { external_bytes: needed as u32, ..Target::default() };
    let network = tflite::read(&model().write()).unwrap();
    let program = compile(&network, &exact).unwrap();
    let end = u64::from(exact.external_base) + needed;
    let output = program.output.region;
    assert!(u64::from(output.address + output.bytes).next_multiple_of(64) == end);
    assert!(compile(&network, &Target { external_bytes: needed as u32 - 1, ..exact }).is_err());
    let text = message(&model(), &Target { external_bytes: 0, ..Target::default() });
    assert!(text.contains("but the chip has 0;"), "{text}");
}

#[test]
fn a_row_wider_than_the_scratchpad_is_refused_with_both_sizes() {
    let mut wide = model();
    wide.tensors[0].shape = vec![1, 5000];
    wide.tensors[1].shape = vec![2, 5000];
    wide.tensors[1].data = Some(vec![1; 10_000]);
    let target = Target { scratchpad_bytes: 4096, ..Target::default() };
    // 5,000 rounded up to 16, the widest other row of 16, a tile of 256, and its parameters: 64 + 64 + 16.
    assert_eq!(
        message(&wide, &target),
        "the network needs 5424 bytes of scratchpad, but the chip has 4096; the widest layer is \"layer 0\"; \
         enlarge the tensor unit's scratchpad or narrow the layer"
    );
}

#[test]
fn a_huge_batch_is_refused_without_being_allocated() {
    let mut huge = model();
    for (tensor, width) in [(0, 3), (3, 2), (6, 1)] {
        huge.tensors[tensor].shape = vec![700_000_000, width];
    }
    let text = message(&huge, &Target::default());
    assert!(text.contains("bytes of external memory, but the chip has 16777216"), "{text}");
}

#[test]
fn each_unsupported_property_of_a_layer_is_named() {
    type Change = fn(&mut ModelSpec);
    let cases: [(Change, &str); 13] = [
        (
            |m| m.tensors[0].element_type = FLOAT32,
            "the network's input \"input\" is float32, but must be int8",
        ),
        (|m| m.tensors[3].element_type = FLOAT32, "its output \"layer 0\" is float32, but must be int8"),
        (|m| m.operators[0].activation = Some(4), "its fused activation TANH is not supported"),
        (|m| m.operators[1].weights_format = 1, "its weights are shuffled for another processor (format 1)"),
        (|m| m.tensors[1].zero_points = vec![3], "have a zero point that is not 0"),
        (|m| m.tensors[1].scales.clear(), "its weights tensor \"weights 0\" has no quantisation parameters"),
        (|m| m.tensors[3].scales.clear(), "its output \"layer 0\" has no quantisation parameters"),
        (|m| m.tensors[3].scales = vec![0.0], "make no multiplier"),
        (|m| m.tensors[3].shape = vec![1, 5], "1 rows of 2 channels are computed"),
        (|m| m.tensors[1].shape = vec![6], "must have two dimensions"),
        (|m| m.tensors[0].shape = vec![1, 4], "is no multiple of its 3 input channels"),
        (|m| m.tensors[2].shape = vec![1], "its bias \"bias 0\" has 1 values for 2 output channels"),
        (|m| m.operators[1].inputs.truncate(1), "its weights are missing"),
    ];
    for (change, expected) in cases {
        let mut model = model();
        change(&mut model);
        if model.tensors[2].shape == [1] {
            model.tensors[2].data = Some(vec![0; 4]);
        }
        let text = message(&model, &Target::default());
        assert!(text.contains(expected), "expected \"{expected}\" in \"{text}\"");
    }
}

#[test]
fn a_network_that_is_not_a_chain_is_refused() {
    let mut branch = model();
    branch.tensors[4].shape = vec![1, 3];
    branch.tensors[4].data = Some(vec![1; 3]);
    branch.operators[1].inputs[0] = 0;
    assert!(
        message(&branch, &Target::default())
            .starts_with("operator 1 (FULLY_CONNECTED) at offset N: it does not read")
    );
    let mut two_outputs = model();
    two_outputs.outputs = vec![3, 6];
    assert!(message(&two_outputs, &Target::default()).starts_with("the network has 2 outputs;"));
    let mut middle = model();
    middle.outputs = vec![3];
    assert!(message(&middle, &Target::default()).contains("is not what its last operator makes"));
    let mut empty = model();
    empty.operators.clear();
    empty.outputs = vec![0];
    assert!(message(&empty, &Target::default()).contains("has no layer to run"));
}

#[test]
fn a_target_outside_of_its_ranges_is_refused() {
    let network = tflite::read(&model().write()).unwrap();
    let refusal = |target: Target| compile(&network, &target).unwrap_err().to_string();
    assert_eq!(
        refusal(Target { rows: 24, ..Target::default() }),
        "target: rows is 24, but must be a power of two from 4 to 32"
    );
    assert!(
        refusal(Target { scratchpad_bytes: 2048, ..Target::default() }).contains("scratchpad_bytes is 2048")
    );
    assert!(refusal(Target { ram_base: 0x8000_0004, ..Target::default() }).contains("a multiple of 8"));
    assert!(refusal(Target { ram_bytes: u32::MAX, ..Target::default() }).contains("ends at 4 GiB"));
    assert!(refusal(Target { external_base: 32, ..Target::default() }).contains("a multiple of 64"));
    assert!(refusal(Target { external_bytes: (1 << 30) + 1, ..Target::default() }).contains("ends at 4 GiB"));
}

#[test]
fn a_model_that_contradicts_itself_is_refused_by_the_reader() {
    type Change = fn(&mut ModelSpec);
    let cases: [(Change, &str); 14] = [
        (|m| m.schema_version = 2, "schema version 2 is not supported, only 3"),
        (|m| m.subgraphs = 0, "the model has 0 subgraphs"),
        (|m| m.subgraphs = 2, "the model has 2 subgraphs"),
        (
            |m| m.tensors[1].data = Some(vec![0; 5]),
            "tensor 1 \"weights 0\" at offset N: its shape [2, 3] of int8 needs 6 bytes, but buffer 2 has 5",
        ),
        (|m| m.tensors[0].shape = vec![-1, 3], "has a negative size; export the network with fixed sizes"),
        (|m| m.tensors[0].shape = vec![65536, 65536], "has more than 2147483647 elements"),
        (|m| m.tensors[0].scales = vec![f32::NAN], "its scale NaN is not a finite positive number"),
        (|m| m.tensors[0].scales = vec![-1.0], "its scale -1 is not a finite positive number"),
        (|m| m.tensors[0].zero_points = vec![128], "its zero point 128 is outside of int8 (-128 to 127)"),
        (|m| m.tensors[0].zero_points = vec![0, 0], "it has 2 zero points for 1 scales"),
        (
            |m| (m.tensors[1].scales, m.tensors[1].zero_points) = (vec![1.0; 4], vec![0; 4]),
            "it has 4 scales along dimension 0, but its shape is [2, 3]",
        ),
        (
            |m| m.operators[1].inputs[0] = 7,
            "operator 1 (FULLY_CONNECTED), input 0 (a tensor index) at offset N is 7, but there are only 7",
        ),
        (|m| m.operators.swap(0, 1), "it reads tensor 3 \"layer 0\" before any operator has made it"),
        (|m| m.operators[1].outputs[0] = 3, "it makes tensor 3 \"layer 0\", which already has a value"),
    ];
    for (change, expected) in cases {
        let mut model = model();
        change(&mut model);
        let text = read_message(&model);
        assert!(text.contains(expected), "expected \"{expected}\" in \"{text}\"");
    }
    let mut nothing_makes_it = model();
    nothing_makes_it.operators.truncate(1);
    assert!(read_message(&nothing_makes_it).contains("no operator makes it"));
    let mut unknown = model();
    unknown.operators = vec![OperatorSpec { outputs: vec![-5], ..OperatorSpec::default() }];
    assert!(read_message(&unknown).contains("output 0 (a tensor index) at offset N is -5"));
}
