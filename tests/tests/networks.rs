//! Networks on the chip.

use ferrite_gen::run::{Watch, golden, golden_output, run_network, target};
use ferrite_hw::config::ChipConfig;
use ferrite_model::lockstep::Lockstep;
use ferrite_nn::{compile, tflite};
use ferrite_tests::bench::{MAX_CYCLES, interpreted, small_chip};
use ferrite_tests::files::microflow;

#[test]
fn sine_runs_in_lockstep_with_the_golden_model_and_gives_its_output() {
    let network = tflite::read(&std::fs::read(microflow("sine.tflite")).unwrap()).unwrap();
    for chip in [small_chip(), ChipConfig::default()] {
        let program = compile(&network, &target(&chip).unwrap()).unwrap();
        let mut sim = interpreted(&chip);
        for input in [-128_i8, -5, 100] {
            let input = [input as u8];
            let mut lockstep = Lockstep::new(golden(&chip));
            let mut watch = Watch { lockstep: Some(&mut lockstep), ..Watch::default() };
            let t = std::time::Instant::now();
            let run = run_network(&mut sim, &program, &input, MAX_CYCLES, &mut watch)
                .unwrap_or_else(|e| panic!("{e}"));
            eprintln!("{:?} {:?}", run.ended, t.elapsed());
            assert_eq!(run.output, golden_output(&chip, &program, &input).unwrap());
        }
    }
}
