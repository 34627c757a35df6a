//! What `chip.toml` and `--set` may say, and what is answered when they are wrong.

use ferrite_gen::config::parse;
use ferrite_hw::config::{ChipConfig, CoreConfig, Kind, PARAMETERS};
use ferrite_hw::core::Predictor;
use proptest::prelude::*;

fn from_toml(text: &str) -> Result<ChipConfig, String> {
    parse(Some(("chip.toml", text)), &[]).map_err(|report| report.to_string())
}

fn from_overrides(overrides: &[&str]) -> Result<ChipConfig, String> {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    parse(None, &overrides).map_err(|report| report.to_string())
}

#[test]
fn an_empty_description_is_the_default_chip() {
    assert_eq!(from_toml(""), Ok(ChipConfig::default()));
}

#[test]
fn a_description_changes_what_it_names() {
    let chip = from_toml(
        "name = 'npu'\n[core]\nreset_vector = 0x8000_0000\n[tensor]\nrows = 8\nacc_rows = 64\n[soc]\nclock_hz = 12_000_000\n",
    )
    .unwrap();
    let mut expected = ChipConfig { name: "npu".to_string(), ..ChipConfig::default() };
    expected.core.reset_vector = 0x8000_0000;
    expected.soc.clock_hz = 12_000_000;
    let tensor = expected.tensor.as_mut().unwrap();
    (tensor.rows, tensor.acc_rows) = (8, 64);
    assert_eq!(chip, expected);
}

#[test]
fn the_tensor_unit_can_be_left_out_and_its_values_then_do_not_matter() {
    assert_eq!(from_toml("[tensor]\nrows = 8\npresent = false\n").unwrap().tensor, None);
}

#[test]
fn an_override_wins_over_the_file_and_a_later_one_over_an_earlier_one() {
    let overrides = ["tensor.rows=8".to_string(), "tensor.rows = 0x20".to_string(), "name=npu".to_string()];
    let chip = parse(Some(("chip.toml", "[tensor]\nrows = 4\ncols = 4\n")), &overrides).unwrap();
    let tensor = chip.tensor.unwrap();
    assert_eq!((tensor.rows, tensor.cols, chip.name.as_str()), (32, 4, "npu"));
}

#[test]
fn every_parameter_can_be_written_with_its_default_value() {
    let default = ChipConfig::default();
    for parameter in PARAMETERS {
        let text = format!("{} = {}", parameter.key, parameter.value_text(&default).unwrap());
        assert_eq!(from_toml(&text), Ok(default.clone()), "{text}");
    }
}

#[test]
fn a_value_out_of_range_is_shown_with_what_is_allowed() {
    insta::assert_snapshot!(from_toml("[tensor]\nrows = 12 # a dozen\n").unwrap_err(), @r#"
    error: `tensor.rows` has a value that is not allowed
     --> chip.toml:2:8
      |
    2 | rows = 12 # a dozen
      |        ^^ allowed: 4, 8, 16, 32
      |
      = help: `tensor.rows`: rows of the array: input channels taken at once
    "#);
}

#[test]
fn a_preset_gives_way_to_what_stands_beside_it_in_any_order() {
    let mut expected = ChipConfig { core: CoreConfig::SMALL, ..ChipConfig::default() };
    expected.core.extensions.c = true;
    expected.core.hart_id = 3;
    let texts = ["preset = 'small'\nc = true\nhart_id = 3\n", "hart_id = 3\nc = true\npreset = 'small'\n"];
    for text in texts {
        assert_eq!(from_toml(&format!("[core]\n{text}")), Ok(expected.clone()));
    }
    let overrides = ["core.c=true", "core.hart_id=3", "core.preset=small"];
    assert_eq!(from_overrides(&overrides), Ok(expected));
}

#[test]
fn every_word_of_a_choice_can_be_set() {
    for parameter in PARAMETERS {
        let Kind::Choice { words, get, .. } = parameter.kind else { continue };
        for word in words {
            let chip = from_overrides(&[&format!("{}={word}", parameter.key)]).unwrap();
            assert_eq!(get(&chip), Some(*word), "{}", parameter.key);
        }
    }
}

#[test]
fn what_belongs_to_something_that_is_left_out_does_not_matter() {
    for (without, settings) in [
        ("core.m=false", &["core.multiplier=single_cycle", "core.divider_bits=4"][..]),
        ("core.counters=false", &["core.event_counters=4"]),
        ("core.predictor=none", &["core.btb_entries=8", "core.branch_history=4", "core.return_stack=2"]),
    ] {
        let alone = from_overrides(&[without]).unwrap();
        assert_eq!(from_overrides(&[settings, &[without]].concat()), Ok(alone));
    }
}

#[test]
fn a_branch_target_buffer_can_be_added_to_the_small_core() {
    let chip = from_overrides(&["core.preset=small", "core.predictor=btb", "core.btb_entries=16"]).unwrap();
    assert_eq!(chip.core.predictor, Predictor::Btb { entries: 16, history: 0 });
    assert_eq!(chip.core.return_stack, CoreConfig::FAST.return_stack);
}

#[test]
fn the_static_prediction_can_do_with_and_without_a_return_stack() {
    for (settings, places) in [
        (&["core.preset=small", "core.predictor=static"][..], 0),
        (&["core.preset=small", "core.predictor=static", "core.return_stack=2"], 2),
        (&["core.preset=fast", "core.predictor=static"], CoreConfig::FAST.return_stack),
    ] {
        let core = from_overrides(settings).unwrap().core;
        assert_eq!((core.predictor, core.return_stack), (Predictor::Static, places));
    }
}

#[test]
fn a_word_that_is_none_of_a_choice_is_shown_with_those_that_are() {
    insta::assert_snapshot!(from_toml("core.predictor = 'gshare'\n").unwrap_err(), @r#"
    error: `core.predictor` has a value that is not allowed
     --> chip.toml:1:18
      |
    1 | core.predictor = 'gshare'
      |                  ^^^^^^^^ allowed: "none", "static", "btb"
      |
      = help: `core.predictor`: how fetch guesses where the program goes on: straight, by the instruction (jumps and branches that go back are taken), or by a branch target buffer
    "#);
    insta::assert_snapshot!(from_overrides(&["core.preset=tiny"]).unwrap_err(), @r#"
    error: `core.preset` has a value that is not allowed
     --> --set:1:13
      |
    1 | core.preset=tiny
      |             ^^^^ allowed: "small", "fast"
      |
      = help: `core.preset`: values of all of the core's parameters but `core.reset_vector` and `core.hart_id`; those that are given beside it go first
    "#);
    insta::assert_snapshot!(from_toml("core.preset = 1\n").unwrap_err(), @r#"
    error: `core.preset` has a value of the wrong type
     --> chip.toml:1:15
      |
    1 | core.preset = 1
      |               ^ a word in quotes is wanted, this is a whole number
      |
      = help: allowed: "small", "fast"
    "#);
}

#[test]
fn a_number_too_large_for_any_integer_type_is_out_of_range() {
    let text = format!("soc.ram_bytes = {}", "9".repeat(60));
    assert!(from_toml(&text).unwrap_err().contains("a power of two from 16384 to 16777216"));
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_one() {
    insta::assert_snapshot!(from_toml("[tensor]\ncolz = 8\n").unwrap_err(), @r#"
    error: there is no parameter `tensor.colz`
     --> chip.toml:2:1
      |
    2 | colz = 8
      | ^^^^ unknown key
      |
      = help: did you mean `tensor.cols`?
    "#);
}

#[test]
fn a_value_of_the_wrong_type_is_shown_with_the_right_one() {
    insta::assert_snapshot!(from_toml("[soc]\nclock_hz = \"50 MHz\"\n").unwrap_err(), @r#"
    error: `soc.clock_hz` has a value of the wrong type
     --> chip.toml:2:12
      |
    2 | clock_hz = "50 MHz"
      |            ^^^^^^^^ a whole number is wanted, this is a text
      |
      = help: allowed: from 100000 to 1000000000
    "#);
}

#[test]
fn a_part_is_not_a_value() {
    insta::assert_snapshot!(from_toml("tensor = 16\n").unwrap_err(), @r#"
    error: `tensor` is a part of the chip, not a value
     --> chip.toml:1:10
      |
    1 | tensor = 16
      |          ^^ this is a whole number
      |
      = help: its values stand below a line [tensor], one key = value a line
    "#);
}

#[test]
fn broken_toml_is_shown_where_it_breaks() {
    insta::assert_snapshot!(from_toml("[tensor\nrows = 8\n").unwrap_err(), @r#"
    error: this is not TOML
     --> chip.toml:1:8
      |
    1 | [tensor
      |        ^ unclosed table, expected `]`
    "#);
}

#[test]
fn values_that_do_not_fit_each_other_are_shown_where_they_were_set() {
    insta::assert_snapshot!(from_toml("core.reset_vector = 0x1000_0000\n").unwrap_err(), @r#"
    error: `core.reset_vector` does not fit the rest of the chip
     --> chip.toml:1:21
      |
    1 | core.reset_vector = 0x1000_0000
      |                     ^^^^^^^^^^^ no program starts there; it must be the start of the boot ROM, 0x1000, or of the RAM, 0x80000000
    "#);
}

#[test]
fn a_default_that_no_longer_fits_is_named() {
    insta::assert_snapshot!(from_toml("soc.clock_hz = 100_000\n").unwrap_err(), @r#"
    error: soc.uart_baud is 115200: with a clock of 100000 Hz it can be 25000 at most
     |
     = help: set `soc.uart_baud`: its default does not fit this chip
    "#);
}

#[test]
fn a_wrong_override_is_shown_as_it_was_typed() {
    insta::assert_snapshot!(from_overrides(&["tensor.row=8"]).unwrap_err(), @r#"
    error: there is no parameter `tensor.row`
     --> --set:1:8
      |
    1 | tensor.row=8
      |        ^^^ unknown key
      |
      = help: did you mean `tensor.rows`?
    "#);
    insta::assert_snapshot!(from_overrides(&["tensor.rows"]).unwrap_err(), @r#"
    error: an override needs a value
     --> --set:1:1
      |
    1 | tensor.rows
      | ^^^^^^^^^^^ not of the form key=value
      |
      = help: for example --set tensor.rows=8
    "#);
}

#[test]
fn all_mistakes_are_reported_from_the_top_of_the_file() {
    let text = "nmae = 'npu'\n[soc]\nram_bytes = 1\nclock_hz = true\n[core]\nresetvector = 0\n";
    let report = parse(Some(("chip.toml", text)), &[]).unwrap_err();
    assert_eq!(report.len(), 4);
    let lines: Vec<_> = report
        .render(false)
        .lines()
        .filter_map(|l| l.split_once("chip.toml:").map(|p| p.1.to_string()))
        .collect();
    assert_eq!(lines, ["1:1", "3:13", "4:12", "6:1"]);
}

#[test]
fn a_file_of_mistakes_is_cut_short() {
    let text: String = (0..1000).map(|i| format!("x{i} = 1\n")).collect();
    let report = from_toml(&text).unwrap_err();
    assert!(report.ends_with("and 980 more"), "{report}");
}

#[test]
fn deep_nesting_is_refused_without_a_panic() {
    for text in
        ["x = ".to_string() + &"[".repeat(100_000), "a.".repeat(100_000) + "b = 1", "[".repeat(100_000)]
    {
        assert!(from_toml(&text).is_err());
    }
}

/// Texts that look like a chip's description, with damage.
fn almost_a_description() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(PARAMETERS).prop_map(|p| p.key.to_string()),
        4 => prop_oneof![Just("=".to_string()), Just("\n".to_string()), Just("[tensor]\n".to_string()),
                         Just(".".to_string()), Just("\"".to_string()), Just("{".to_string())],
        2 => any::<i64>().prop_map(|n| n.to_string()),
        2 => "\\PC{0,8}",
        1 => any::<char>().prop_map(|c| c.to_string()),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_description_gives_a_valid_chip_or_a_report(file in almost_a_description(), set in almost_a_description()) {
        match parse(Some(("chip.toml", &file)), &[set]) {
            Ok(chip) => prop_assert_eq!(chip.validate(), Ok(())),
            Err(report) => {
                prop_assert!(!report.is_empty());
                prop_assert!(report.render(false).contains("error: "));
                let coloured = report.render(true);
                prop_assert!(coloured.contains('\x1b'));
            }
        }
    }
}
