//! Parts of the tensor unit against their formulas.

use ferrite_hw::tensor::{Array, ArrayIn, ColumnSettings, OutputRange, RequantColumn, RequantColumnIn};
use ferrite_sim::Sim;
use proptest::prelude::*;

/// The numbers of a row or tile, with many at the ends of int8.
fn int8s(count: u32) -> impl Strategy<Value = Vec<i8>> {
    prop::collection::vec(prop_oneof![Just(i8::MIN), Just(i8::MAX), any::<i8>()], count as usize)
}

fn shape() -> impl Strategy<Value = Array> {
    (2..5u32, 2..5u32).prop_map(|(rows, cols)| Array { rows: 1 << rows, cols: 1 << cols })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_array_multiplies_a_row_in_every_cycle(
        (array, tile, rows) in shape().prop_flat_map(|array| {
            let tile = prop_oneof![3 => int8s(array.rows * array.cols), 1 => Just(vec![i8::MIN; (array.rows * array.cols) as usize])];
            let row = prop_oneof![3 => int8s(array.rows), 1 => Just(vec![i8::MIN; array.rows as usize])];
            (Just(array), tile, prop::collection::vec(row, 1..12))
        })
    ) {
        let mut sim = Sim::new(&array).unwrap();
        let cols = array.cols as usize;
        let no_act = vec![0i8; array.rows as usize];
        for weight in tile.chunks(cols).rev() {
            sim.poke(ArrayIn { act: no_act.clone(), weight: weight.to_vec(), load: 1i8 });
            sim.step();
        }
        // The weights that are offered without `load` must not matter.
        let idle = |act: &[i8]| ArrayIn { act: act.to_vec(), weight: vec![77i8; cols], load: 0i8 };
        let latency = array.latency() as usize;
        for cycle in 0..rows.len() + latency {
            sim.poke(idle(rows.get(cycle).unwrap_or(&no_act)));
            if cycle >= latency {
                let row = &rows[cycle - latency];
                let product = |col| row.iter().zip(tile.iter().skip(col).step_by(cols)).map(|(a, w)| i128::from(*a) * i128::from(*w)).sum::<i128>();
                let expected: Vec<i128> = (0..cols).map(product).collect();
                prop_assert_eq!(sim.peek().sum, expected);
            }
            sim.step();
        }
    }
}

fn edgy_i32() -> impl Strategy<Value = i32> {
    prop_oneof![Just(i32::MIN), Just(i32::MAX), Just(0), Just(-1), -300..300, any::<i32>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_columns_output_is_that_of_the_command_reference(
        bias in edgy_i32(),
        multiplier in prop_oneof![Just(i32::MAX), Just(0), 1 << 30..=i32::MAX, 0..=i32::MAX],
        shift in 1..63u32,
        (zero_point, min, max) in (any::<i8>(), any::<i8>(), any::<i8>()),
        sums in prop::collection::vec(edgy_i32(), 1..20),
    ) {
        let mut sim = Sim::new(&RequantColumn {}).unwrap();
        let inputs = |sum: i32, set: i64| RequantColumnIn::<i64> {
            settings: ColumnSettings { set_bias: set, set_multiplier: set, set_shift: set, bias: bias.into(), multiplier: multiplier.into(), shift: shift.into() },
            range: OutputRange { zero_point: zero_point.into(), min: min.into(), max: max.into() },
            sum: sum.into(),
        };
        sim.poke(inputs(0, 1));
        sim.step();
        let latency = RequantColumn::LATENCY as usize;
        for cycle in 0..sums.len() + latency {
            sim.poke(inputs(sums.get(cycle).copied().unwrap_or(0), 0));
            if cycle >= latency {
                let x = i128::from(sums[cycle - latency].wrapping_add(bias));
                let y = ((x * i128::from(multiplier) + (1 << (shift - 1))) >> shift) + i128::from(zero_point);
                let (min, max) = (i128::from(min), i128::from(max));
                let expected = if y < min { min } else if y > max { max } else { y };
                prop_assert_eq!(sim.peek().out, expected);
            }
            sim.step();
        }
    }
}
