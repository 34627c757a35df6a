//! What a layer must give, from its definition alone.

use super::random::Random;

/// A convolution layer with its data.
#[derive(Clone, Debug)]
pub struct Layer {
    pub width: usize,
    pub height: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    pub kernel_width: usize,
    pub kernel_height: usize,
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Columns to the left and rows above that are padded.
    pub padding: [usize; 2],
    /// Columns and rows of the output.
    pub out: [usize; 2],
    pub zero_point: i8,
    /// By row, column, channel.
    pub input: Vec<i8>,
    /// By output channel, kernel row, kernel column, input channel.
    pub weights: Vec<i8>,
    pub scale: Scale,
}

/// How sums become outputs.
#[derive(Clone, Debug)]
pub struct Scale {
    pub bias: Vec<i32>,
    pub multiplier: Vec<i32>,
    pub shift: Vec<u8>,
    pub zero_point: i8,
    pub min: i8,
    pub max: i8,
}

impl Scale {
    pub fn random(channels: usize, random: &mut Random) -> Scale {
        let mut of =
            |f: &mut dyn FnMut(&mut Random) -> i64| (0..channels).map(|_| f(random)).collect::<Vec<_>>();
        let bias = of(&mut |r| i64::from((r.word() as i32) >> r.below(32)));
        let multiplier = of(&mut |r| i64::from(r.word() >> 1 | u32::from(r.eighths(6)) << 30));
        let shift = of(&mut |r| i64::from(if r.eighths(6) { 36 + r.below(8) } else { 1 + r.below(62) }));
        let min = -128 + random.below(4) as i8 * 8;
        Scale {
            bias: bias.into_iter().map(|v| v as i32).collect(),
            multiplier: multiplier.into_iter().map(|v| v as i32).collect(),
            shift: shift.into_iter().map(|v| v as u8).collect(),
            zero_point: random.word() as i8,
            min,
            max: 127 - random.below(4) as i8 * 8,
        }
    }

    /// The output for a sum, in exact integers.
    fn output(&self, channel: usize, sum: i32) -> i8 {
        let biased = i128::from(sum.wrapping_add(self.bias[channel]));
        let half = 1i128 << (self.shift[channel] - 1);
        let scaled = (biased * i128::from(self.multiplier[channel]) + half) >> self.shift[channel];
        (scaled + i128::from(self.zero_point)).clamp(self.min.into(), self.max.into()) as i8
    }
}

impl Layer {
    /// The outputs, by row, column, channel.
    pub fn outputs(&self) -> Vec<i8> {
        let mut outputs = Vec::new();
        for row in 0..self.out[1] {
            for column in 0..self.out[0] {
                for channel in 0..self.out_channels {
                    outputs.push(self.scale.output(channel, self.sum(row, column, channel)));
                }
            }
        }
        outputs
    }

    fn sum(&self, row: usize, column: usize, channel: usize) -> i32 {
        let mut sum = 0;
        for ky in 0..self.kernel_height {
            for kx in 0..self.kernel_width {
                let y = (row * self.stride[1] + ky * self.dilation[1]) as i64 - self.padding[1] as i64;
                let x = (column * self.stride[0] + kx * self.dilation[0]) as i64 - self.padding[0] as i64;
                let inside = (0..self.height as i64).contains(&y) && (0..self.width as i64).contains(&x);
                for k in 0..self.in_channels {
                    let act = match inside {
                        true => self.input[(y as usize * self.width + x as usize) * self.in_channels + k],
                        false => self.zero_point,
                    };
                    let tap = (channel * self.kernel_height + ky) * self.kernel_width + kx;
                    sum += i32::from(act) * i32::from(self.weights[tap * self.in_channels + k]);
                }
            }
        }
        sum
    }

    /// The outputs of a depthwise layer (as many input channels as output channels, one of which belongs to each), whose weights are by channel, kernel row, kernel column.
    pub fn depthwise_outputs(&self) -> Vec<i8> {
        let mut outputs = Vec::new();
        for row in 0..self.out[1] {
            for column in 0..self.out[0] {
                for channel in 0..self.out_channels {
                    let mut sum = 0i32;
                    for ky in 0..self.kernel_height {
                        for kx in 0..self.kernel_width {
                            let act =
                                self.pixel(row * self.stride[1] + ky, column * self.stride[0] + kx, channel);
                            let tap = (channel * self.kernel_height + ky) * self.kernel_width + kx;
                            sum += i32::from(act) * i32::from(self.weights[tap]);
                        }
                    }
                    outputs.push(self.scale.output(channel, sum));
                }
            }
        }
        outputs
    }

    /// A pixel of the padded image.
    fn pixel(&self, y: usize, x: usize, channel: usize) -> i8 {
        let (y, x) = (y.checked_sub(self.padding[1]), x.checked_sub(self.padding[0]));
        match (y, x) {
            (Some(y), Some(x)) if y < self.height && x < self.width => {
                self.input[(y * self.width + x) * self.in_channels + channel]
            }
            _ => self.zero_point,
        }
    }

    /// Products that the layer has.
    pub fn products(&self) -> u64 {
        let taps = self.kernel_width * self.kernel_height * self.in_channels;
        (self.out[0] * self.out[1] * self.out_channels * taps) as u64
    }
}
