//! Commands as records, from the command reference.

/// A record of 16 words.
pub type Record = [u32; 16];

#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    pub external: u32,
    pub local: u32,
    pub bytes: u32,
    pub n: [u32; 2],
    pub s: [u32; 2],
    pub d: [u32; 2],
    pub fill: u8,
}

impl Transfer {
    /// Bytes that follow each other.
    pub fn run(external: u32, local: u32, bytes: u32) -> Transfer {
        Transfer { external, local, bytes, n: [1, 1], s: [0, 0], d: [0, 0], fill: 0 }
    }

    /// `n` runs.
    pub fn rows(external: u32, local: u32, bytes: u32, n: u32, s: u32, d: u32) -> Transfer {
        Transfer { n: [n, 1], s: [s, 0], d: [d, 0], ..Transfer::run(external, local, bytes) }
    }

    fn record(&self, code: u32) -> Record {
        let fill = if code == 1 { u32::from(self.fill) << 16 } else { 0 };
        let mut words = [0; 16];
        words[..9].copy_from_slice(&[
            code,
            self.external,
            self.local,
            self.bytes | fill,
            self.n[0] | self.n[1] << 16,
            self.s[0],
            self.s[1],
            self.d[0],
            self.d[1],
        ]);
        words
    }

    pub fn load(&self) -> Record {
        self.record(1)
    }

    pub fn store(&self) -> Record {
        self.record(2)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Convolve {
    pub act: u32,
    pub weights: u32,
    pub accumulators: u32,
    pub accumulate: bool,
    pub zero_point: i8,
    /// Columns and rows of the output.
    pub out: [u32; 2],
    pub in_tiles: u32,
    pub out_tiles: u32,
    pub kernel: [u32; 2],
    /// Width and height.
    pub image: [u32; 2],
    /// x and y.
    pub first: [i32; 2],
    pub stride: [u32; 2],
    pub dilation: [u32; 2],
    pub pixel_step: u32,
    pub line_step: u32,
    pub in_tile_step: u32,
}

impl Convolve {
    pub fn record(&self) -> Record {
        let pair = |[low, high]: [u32; 2]| low | high << 16;
        let [stride, dilation] = [self.stride, self.dilation].map(|[x, y]| x | y << 8);
        [
            3,
            self.act,
            self.weights,
            self.accumulators | u32::from(self.accumulate) << 16 | u32::from(self.zero_point as u8) << 24,
            pair(self.out),
            self.in_tiles | self.out_tiles << 16,
            self.kernel[0] | self.kernel[1] << 8,
            pair(self.image),
            pair(self.first.map(|place| place as u32 & 0xFFFF)),
            stride | dilation << 16,
            self.pixel_step,
            self.line_step,
            self.in_tile_step,
            0,
            0,
            0,
        ]
    }
}

/// A convolution of each channel for itself.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise {
    pub act: u32,
    pub weights: u32,
    pub accumulators: u32,
    pub accumulate: bool,
    pub zero_point: i8,
    /// Columns and rows of the output.
    pub out: [u32; 2],
    pub tiles: u32,
    /// Width and height.
    pub image: [u32; 2],
    /// x and y.
    pub first: [i32; 2],
    pub stride: [u32; 2],
    pub pixel_step: u32,
    pub line_step: u32,
    pub tile_step: u32,
}

impl Depthwise {
    pub fn record(&self) -> Record {
        let convolve = Convolve {
            act: self.act,
            weights: self.weights,
            accumulators: self.accumulators,
            accumulate: self.accumulate,
            zero_point: self.zero_point,
            out: self.out,
            in_tiles: 0,
            out_tiles: self.tiles,
            kernel: [0, 0],
            image: self.image,
            first: self.first,
            stride: self.stride,
            dilation: [0, 0],
            pixel_step: self.pixel_step,
            line_step: self.line_step,
            in_tile_step: self.tile_step,
        };
        let mut words = convolve.record();
        words[0] = 5;
        words
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Requantise {
    pub parameters: u32,
    pub output: u32,
    pub accumulators: u32,
    /// Columns and rows.
    pub out: [u32; 2],
    pub tiles: u32,
    pub column_step: u32,
    pub row_step: u32,
    pub tile_step: u32,
    pub zero_point: i8,
    pub min: i8,
    pub max: i8,
}

impl Requantise {
    pub fn record(&self) -> Record {
        let [zero_point, min, max] = [self.zero_point, self.min, self.max].map(|v| u32::from(v as u8));
        let mut words = [0; 16];
        words[..10].copy_from_slice(&[
            4,
            self.parameters,
            self.output,
            self.accumulators,
            self.out[0] | self.out[1] << 16,
            self.tiles,
            self.column_step,
            self.row_step,
            self.tile_step,
            zero_point | min << 8 | max << 16,
        ]);
        words
    }
}

/// Accumulators as they are.
#[derive(Clone, Copy, Debug)]
pub struct Sums {
    pub output: u32,
    pub accumulators: u32,
    /// Columns and rows.
    pub out: [u32; 2],
    pub tiles: u32,
    pub column_step: u32,
    pub row_step: u32,
    pub tile_step: u32,
}

impl Sums {
    pub fn record(&self) -> Record {
        let mut words = [0; 16];
        words[..9].copy_from_slice(&[
            6,
            0,
            self.output,
            self.accumulators,
            self.out[0] | self.out[1] << 16,
            self.tiles,
            self.column_step,
            self.row_step,
            self.tile_step,
        ]);
        words
    }
}

/// Where the rows of an image lie.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    pub address: u32,
    pub column_step: u32,
    pub row_step: u32,
}

/// A sum of two images.
#[derive(Clone, Copy, Debug)]
pub struct Add {
    /// Columns and rows.
    pub out: [u32; 2],
    pub inputs: [Rows; 2],
    pub output: Rows,
    pub input_zero_points: [i8; 2],
    /// Of the operands and of the output.
    pub multipliers: [u32; 3],
    pub shifts: [u32; 3],
    pub zero_point: i8,
    pub min: i8,
    pub max: i8,
}

impl Add {
    pub fn record(&self) -> Record {
        let [zero_point, min, max] = [self.zero_point, self.min, self.max].map(|v| u32::from(v as u8));
        let [first, second] = self.input_zero_points.map(|v| u32::from(v as u8));
        let [shift1, shift2, shift] = self.shifts;
        let [input1, input2] = self.inputs;
        [
            7,
            input1.address,
            self.output.address,
            input2.address,
            self.out[0] | self.out[1] << 16,
            first | second << 8 | shift1 << 16 | shift2 << 24,
            self.output.column_step,
            self.output.row_step,
            input1.column_step,
            zero_point | min << 8 | max << 16 | shift << 24,
            input1.row_step,
            input2.column_step,
            input2.row_step,
            self.multipliers[0],
            self.multipliers[1],
            self.multipliers[2],
        ]
    }
}

/// Windows of an image.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    pub maximum: bool,
    /// Columns and rows.
    pub out: [u32; 2],
    pub tiles: u32,
    pub output: Rows,
    pub tile_step: u32,
    pub min: i8,
    pub max: i8,
    pub input: u32,
    pub pixel_step: u32,
    pub line_step: u32,
    pub in_tile_step: u32,
    /// Width and height.
    pub image: [u32; 2],
    /// x and y.
    pub first: [i32; 2],
    pub kernel: [u32; 2],
    pub stride: [u32; 2],
}

impl Pool {
    pub fn record(&self) -> Record {
        let [min, max] = [self.min, self.max].map(|v| u32::from(v as u8));
        let first = self.first.map(|place| place as u32 & 0xFFFF);
        let [kernel, stride] = [self.kernel, self.stride].map(|[x, y]| x | y << 8);
        [
            8,
            self.input,
            self.output.address,
            u32::from(self.maximum),
            self.out[0] | self.out[1] << 16,
            self.tiles,
            self.output.column_step,
            self.output.row_step,
            self.tile_step,
            min << 8 | max << 16,
            self.pixel_step,
            self.line_step,
            self.in_tile_step,
            self.image[0] | self.image[1] << 16,
            first[0] | first[1] << 16,
            kernel | stride << 16,
        ]
    }
}

/// A convolution of few input channels.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    pub act: u32,
    pub weights: u32,
    pub accumulators: u32,
    pub accumulate: bool,
    pub zero_point: i8,
    /// Columns and rows of the output.
    pub out: [u32; 2],
    pub in_tiles: u32,
    pub out_tiles: u32,
    pub kernel: [u32; 2],
    /// Width and height.
    pub image: [u32; 2],
    /// x and y.
    pub first: [i32; 2],
    pub stride: [u32; 2],
    pub channels: u32,
    pub line_step: u32,
}

impl Packed {
    pub fn record(&self) -> Record {
        let convolve = Convolve {
            act: self.act,
            weights: self.weights,
            accumulators: self.accumulators,
            accumulate: self.accumulate,
            zero_point: self.zero_point,
            out: self.out,
            in_tiles: self.in_tiles,
            out_tiles: self.out_tiles,
            kernel: self.kernel,
            image: self.image,
            first: self.first,
            stride: self.stride,
            dilation: [0, 0],
            pixel_step: self.channels,
            line_step: self.line_step,
            in_tile_step: 0,
        };
        let mut words = convolve.record();
        words[0] = 9;
        words
    }
}
