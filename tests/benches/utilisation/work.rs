//! What is computed, and in which blocks.

use std::fmt;

use crate::MEMORY_BYTES;
use crate::conv::Conv;
use crate::depthwise::DepthwiseLayer;
use crate::first::{self, FirstLayer};
use crate::gemm::Gemm;
use crate::golden::Layer;
use crate::layers::{int8s, product, same};
use crate::random::Random;
use crate::rig::{Rig, Run};

/// Sizes of cubes.
pub const CUBES: [u32; 8] = [32, 48, 64, 96, 128, 192, 256, 512];

/// The largest products, which take long, are tried with few sizes of blocks.
const LARGE: u64 = 1 << 24;

/// What was wanted when the unit was planned.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Of the array's products, in percent.
    Percent(f64),
    /// Cycles.
    Cycles(u64),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Percent(percent) => write!(f, "{percent:.0} %"),
            Target::Cycles(cycles) => write!(f, "{cycles} cycles"),
        }
    }
}

/// A layer to be computed out of external memory and back into it.
pub struct Work {
    /// As it stands in the table.
    pub name: String,
    kind: Kind,
    /// For which of the arrays there are targets, and which.
    pub targets: Vec<(usize, Target)>,
    /// The size, of cubes.
    pub cube: Option<u32>,
    layer: Layer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Product([u32; 3]),
    Convolution,
    Depthwise,
    Packed,
}

/// How fast it was.
#[derive(Clone, Debug)]
pub struct Measured {
    /// From the first command's first word to the last byte stored.
    pub cycles: u64,
    /// Rows of a block, and tiles of columns or, where all columns go together, which [ends](few_at_the_ends).
    blocks: [u32; 2],
}

impl Work {
    /// The target on one of the arrays.
    pub fn target_on(&self, array: usize) -> Option<Target> {
        self.targets.iter().find(|(on, _)| *on == array).map(|(_, target)| *target)
    }

    fn products(&self) -> u64 {
        let all = self.layer.products();
        if self.kind == Kind::Depthwise { all / self.layer.in_channels as u64 } else { all }
    }

    /// Of the products of a square array in so many cycles, those that the layer has.
    pub fn utilisation(&self, cycles: u64, size: u32) -> f64 {
        self.products() as f64 / (cycles * u64::from(size * size)) as f64
    }

    /// The fewest cycles of some sizes of blocks; nothing if none fits.
    ///
    /// # Errors
    /// An output is wrong.
    pub fn measure(&self, rig: &mut Rig) -> Result<Option<Measured>, String> {
        let rows: &[u32] = match self.kind {
            Kind::Product(_) if self.products() > LARGE => &[64, 128],
            Kind::Product(_) => &[16, 32, 64, 128],
            Kind::Convolution => &[2, 4, 8, 16],
            Kind::Depthwise | Kind::Packed => &[2, 4, 5, 6, 8, 10, 12, 16],
        };
        let tiles: &[u32] = match self.kind {
            Kind::Product(_) => &[1, 2, 4],
            Kind::Convolution => &[1],
            Kind::Depthwise | Kind::Packed => &[1, 2],
        };
        let mut best: Option<Measured> = None;
        for blocks in rows.iter().flat_map(|rows| tiles.iter().map(|tiles| [*rows, *tiles])) {
            if let Some(cycles) = self.run(rig, blocks)?
                && best.as_ref().is_none_or(|best| cycles < best.cycles)
            {
                best = Some(Measured { cycles, blocks });
            }
        }
        Ok(best)
    }

    /// The cycles in the same blocks on another engine.
    ///
    /// # Errors
    /// An output is wrong.
    pub fn repeat(&self, rig: &mut Rig, measured: &Measured) -> Result<u64, String> {
        self.run(rig, measured.blocks)?.ok_or(format!("{} does not fit", self.name))
    }

    fn run(&self, rig: &mut Rig, blocks: [u32; 2]) -> Result<Option<u64>, String> {
        let layer = self.layer.clone();
        let (run, outputs, expected): (Run, _, _) = match self.kind {
            Kind::Product([m, k, n]) => {
                let gemm = Gemm { m, k, n, layer, rows: blocks[0], tiles: blocks[1] };
                if !gemm.fits(rig) || gemm.bytes(rig) > MEMORY_BYTES {
                    return Ok(None);
                }
                gemm.place(rig);
                let run = rig.run(&gemm.commands(rig));
                (run, gemm.outputs(rig), gemm.layer.outputs())
            }
            Kind::Convolution => {
                let conv = Conv { layer, rows: blocks[0] as usize };
                if !conv.fits(rig) {
                    return Ok(None);
                }
                conv.place(rig);
                let run = rig.run(&conv.commands(rig));
                (run, conv.outputs(rig), conv.layer.outputs())
            }
            Kind::Packed => {
                let first = FirstLayer { blocks: few_at_the_ends(layer.out[1], blocks), layer };
                if !first.fits(rig) {
                    return Ok(None);
                }
                first.place(rig);
                let run = rig.run(&first.commands(rig));
                (run, first.outputs(rig), first.layer.outputs())
            }
            Kind::Depthwise => {
                let depthwise = DepthwiseLayer { blocks: few_at_the_ends(layer.out[1], blocks), layer };
                if !depthwise.fits(rig) {
                    return Ok(None);
                }
                depthwise.place(rig);
                let run = rig.run(&depthwise.commands(rig));
                (run, depthwise.outputs(rig), depthwise.layer.depthwise_outputs())
            }
        };
        match outputs == expected {
            true => Ok(Some(run.cycles)),
            false => Err(format!("{}: outputs are wrong", self.name)),
        }
    }
}

/// Blocks of `most` rows at most: smaller ones at the beginning, which then comes early, and at the end, in one of two ways.
fn few_at_the_ends(rows: usize, [most, ends]: [u32; 2]) -> Vec<usize> {
    let most = most as usize;
    let (third, half, more) = (most.div_ceil(3), most.div_ceil(2), (3 * most).div_ceil(4));
    let two_thirds = (2 * most).div_ceil(3);
    let (first, last) = match ends {
        1 => ([half, more], [more, half, third]),
        _ => ([half, two_thirds], [more, two_thirds, third]),
    };
    let ends: usize = first.iter().chain(&last).sum();
    if rows <= ends {
        return vec![rows.div_ceil(2), rows / 2].into_iter().filter(|rows| *rows > 0).collect();
    }
    let middle = rows - ends;
    let count = middle.div_ceil(most);
    let inner = (0..count).map(|k| (middle * (k + 1)) / count - (middle * k) / count);
    first.into_iter().chain(inner).chain(last).collect()
}

/// All of it.
pub fn all() -> Vec<Work> {
    let mut random = Random::new(1);
    let mut works = Vec::new();
    let odd = [[100, 75, 30], [1, 640, 128], [17, 33, 65], [200, 100, 10]];
    for [m, k, n] in CUBES.map(|size| [size; 3]).into_iter().chain(odd) {
        let cube = (m == k && k == n).then_some(m);
        let targets = match cube {
            Some(64) => vec![(1, Target::Percent(65.0))],
            Some(128) => vec![(1, Target::Percent(88.0))],
            Some(512) => vec![(1, Target::Percent(98.0)), (2, Target::Percent(90.0))],
            _ => vec![],
        };
        let layer = product(m, k, n, 1, 1, &mut random).layer;
        works.push(Work {
            name: format!("product {m} x {k} x {n}"),
            kind: Kind::Product([m, k, n]),
            targets,
            cube,
            layer,
        });
    }
    let mut convolution = |name: &str, image, channels, kernel, change: &dyn Fn(&mut Layer), targets| {
        let mut layer = same(image, channels, kernel, &mut random);
        change(&mut layer);
        let [width, height] = image;
        let [from, to] = channels;
        let name = format!("convolution {name}, {from} to {to} channels, {width}x{height}");
        let kind = Kind::Convolution;
        works.push(Work { name, kind, targets, cube: None, layer });
    };
    let plain = |_: &mut Layer| {};
    let halves = |layer: &mut Layer| {
        layer.stride = [2, 2];
        layer.out = layer.out.map(|size| size.div_ceil(2));
    };
    let dilated = |layer: &mut Layer| {
        layer.dilation = [2, 2];
        layer.padding = [2, 2];
    };
    let percent = |percent| vec![(1, Target::Percent(percent))];
    convolution("3x3", [32, 32], [64, 64], [3, 3], &plain, percent(92.0));
    convolution("1x1", [24, 24], [128, 128], [1, 1], &plain, percent(90.0));
    convolution("3x3", [16, 16], [32, 32], [3, 3], &plain, vec![]);
    convolution("3x3 with stride 2", [32, 32], [32, 64], [3, 3], &halves, vec![]);
    convolution("3x3 with dilation 2", [24, 24], [32, 32], [3, 3], &dilated, vec![]);
    convolution("5x5", [16, 16], [32, 48], [5, 5], &plain, vec![]);
    for (image, channels, stride, targets) in [
        ([24, 24], 64, 1, vec![(1, Target::Cycles(4600))]),
        ([24, 24], 64, 2, vec![]),
        ([16, 16], 128, 1, vec![]),
        ([40, 20], 32, 1, vec![]),
    ] {
        let mut layer = same(image, [channels, channels], [3, 3], &mut random);
        layer.weights = int8s(9 * channels as u32, &mut random);
        let mut name = format!("depthwise 3x3, {channels} channels, {}x{}", image[0], image[1]);
        if stride == 2 {
            halves(&mut layer);
            name += ", stride 2";
        }
        works.push(Work { name, kind: Kind::Depthwise, targets, cube: None, layer });
    }
    for (image, channels, kernel, targets) in [
        ([96, 96], [3, 8], [3, 3], percent(35.0)),
        ([48, 48], [3, 8], [3, 3], vec![]),
        ([40, 49], [1, 8], [8, 10], vec![]),
    ] {
        let layer = first::layer(image, channels, kernel, [2, 2], &mut random);
        let ([width, height], [from, to], [columns, rows]) = (image, channels, kernel);
        let name =
            format!("packed {rows}x{columns} with stride 2, {from} to {to} channels, {width}x{height}");
        works.push(Work { name, kind: Kind::Packed, targets, cube: None, layer });
    }
    works
}
