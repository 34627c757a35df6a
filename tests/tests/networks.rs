//! Networks that others have trained, on the chip: bit for bit what the reference kernels and the recorded outputs say.

use ferrite_gen::run::{Watch, golden, golden_output, load_network, run_loaded, run_network, target};
use ferrite_hw::config::ChipConfig;
use ferrite_model::lockstep::Lockstep;
use ferrite_nn::network::Network;
use ferrite_nn::{Program, compile, reference, tflite};
use ferrite_tests::bench::{
    ARRAYS, CORES, LIMITS, chip_with_array, chip_with_core, on_both, on_native, small_chip,
};
use ferrite_tests::files::{microflow, recorded};

fn sine() -> Network {
    tflite::read(&std::fs::read(microflow("sine.tflite")).unwrap()).unwrap()
}

fn compiled(network: &Network, chip: &ChipConfig) -> Program {
    compile(network, &target(chip).unwrap()).unwrap()
}

fn bytes(values: &[i8]) -> Vec<u8> {
    values.iter().map(|&value| value as u8).collect()
}

fn reference_output(network: &Network, input: &[i8]) -> Vec<u8> {
    bytes(&reference::run(network, input).unwrap().pop().unwrap())
}

#[test]
fn sine_runs_in_lockstep_with_the_golden_machine_on_every_array() {
    let network = sine();
    for (rows, cols) in ARRAYS {
        let chip = chip_with_array(rows, cols);
        let program = compiled(&network, &chip);
        let mut sim = on_both(&chip);
        for input in [-128_i8, 77] {
            let mut lockstep = Lockstep::new(golden(&chip));
            let mut watch = Watch { lockstep: Some(&mut lockstep), ..Watch::default() };
            let run = run_network(&mut sim, &program, &[input as u8], &LIMITS, &mut watch);
            let run = run.unwrap_or_else(|error| panic!("{rows} x {cols}: {error}"));
            assert_eq!(run.output, reference_output(&network, &[input]), "{input} on {rows} x {cols}");
        }
    }
}

#[test]
fn sine_runs_in_lockstep_on_every_core() {
    let network = sine();
    for core in CORES {
        let chip = chip_with_core(core);
        let program = compiled(&network, &chip);
        // The small preset stands for all on Verilator.
        let mut sim = if core == CORES[0] { on_both(&chip) } else { on_native(&chip) };
        let mut lockstep = Lockstep::new(golden(&chip));
        let mut watch = Watch { lockstep: Some(&mut lockstep), ..Watch::default() };
        let run = run_network(&mut sim, &program, &[77], &LIMITS, &mut watch);
        let run = run.unwrap_or_else(|error| panic!("{core}: {error}"));
        assert_eq!(run.output, reference_output(&network, &[77]), "{core}");
        let counts = run.counters.iter().all(|counters| counters.cycles > 0 && counters.instructions > 0);
        assert_eq!(counts, chip.core.counters, "{core}");
    }
}

#[test]
fn sine_equals_the_reference_kernels_for_every_input_on_both_engines() {
    let (network, chip) = (sine(), ChipConfig::default());
    let program = compiled(&network, &chip);
    let mut sim = on_both(&chip);
    for input in i8::MIN..=i8::MAX {
        let run = run_network(&mut sim, &program, &[input as u8], &LIMITS, &mut Watch::default()).unwrap();
        assert_eq!(run.output, reference_output(&network, &[input]), "{input}");
    }
}

#[test]
fn the_anomaly_detector_equals_the_recorded_outputs_on_both_engines() {
    let Some(file) = recorded("ad01_int8.tflite") else { return };
    let network = tflite::read(&std::fs::read(file).unwrap()).unwrap();
    let chip = ChipConfig::default();
    let program = compiled(&network, &chip);
    let mut sim = on_both(&chip);
    for sample in 0..3 {
        let read =
            |what: &str| std::fs::read(recorded(&format!("ad01_int8.{what}_{sample}.bin")).unwrap()).unwrap();
        // One of them with every instruction compared.
        let mut lockstep = (sample == 0).then(|| Lockstep::new(golden(&chip)));
        let mut watch = Watch { lockstep: lockstep.as_mut(), ..Watch::default() };
        let run = run_network(&mut sim, &program, &read("input"), &LIMITS, &mut watch);
        let run = run.unwrap_or_else(|error| panic!("{error}"));
        assert!(run.output == read("output"), "sample {sample}");
    }
}

#[test]
fn a_weight_changed_in_the_chips_memory_changes_the_output() {
    let (network, chip) = (sine(), small_chip());
    let program = compiled(&network, &chip);
    let mut sim = on_both(&chip);
    // The last layer has one output: every weight other than 0 stands in the first column.
    let weights = program.layers[2].weights;
    let before = run_network(&mut sim, &program, &[0x10], &LIMITS, &mut Watch::default()).unwrap();
    assert_eq!(before.output, golden_output(&chip, &program, &[0x10]).unwrap());
    let mut changed = 0;
    for address in weights.address..weights.address + weights.bytes {
        let at = (address - program.external.base) as usize;
        if program.external.bytes[at] == 0 {
            continue;
        }
        let weight = program.external.bytes[at].wrapping_add(0x60);
        load_network(&mut sim, &program, &[0x10]).unwrap();
        sim.write(address, &[weight]).unwrap();
        let after = run_loaded(&mut sim, &program, &LIMITS, &mut Watch::default()).unwrap();
        let mut corrupted = program.clone();
        corrupted.external.bytes[at] = weight;
        assert_eq!(after.output, golden_output(&chip, &corrupted, &[0x10]).unwrap());
        changed += u32::from(after.output != before.output);
    }
    assert!(changed > 0, "no weight of the last layer has an effect");
}

#[test]
fn a_runs_counters_are_those_of_the_hardware() {
    let (network, chip) = (sine(), small_chip());
    let program = compiled(&network, &chip);
    let run = run_network(&mut on_both(&chip), &program, &[0], &LIMITS, &mut Watch::default()).unwrap();
    // Tiles of 4 x 4: 1 x 4 for 1 to 16 channels, 4 x 4 for 16 to 16, 4 x 1 for 16 to 1; one row each.
    for (counters, tiles) in run.counters[1..4].iter().zip([4, 16, 4]) {
        assert_eq!(counters.tensor[11], tiles * 16, "multiply-accumulate operations");
        assert!(counters.cycles > counters.instructions);
    }
    let parts: u64 = run.counters.iter().map(|counters| u64::from(counters.cycles)).sum();
    assert!(parts < run.ended.cycles && parts > run.ended.cycles / 2, "{parts} of {:?}", run.ended);
}
