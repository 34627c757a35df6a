//! Modules whose Verilog comes from elsewhere.

use ferrite_hdl::prelude::*;

#[derive(Clone, Bundle)]
pub struct ScalerIn<T> {
    /// A number.
    pub x: T,
}

#[derive(Clone, Bundle)]
pub struct ScalerOut<T> {
    /// Its multiple.
    pub y: T,
}

/// Multiplies by a constant, one cycle later.
#[module]
pub struct Scaler {
    pub factor: u64,
    /// Whether the Verilog is given with it.
    pub with_text: bool,
}

const TEXT: &str = "\
`default_nettype none

module scaler #(
    parameter [7:0] FACTOR = 8'd1
) (
    input  wire       clk,
    input  wire [7:0] x,
    output reg  [7:0] y
);
    always @(posedge clk) y <= x * FACTOR;
endmodule

`default_nettype wire
";

impl Module for Scaler {
    type In = ScalerIn<UInt>;
    type Out = ScalerOut<UInt>;

    fn name(&self) -> String {
        format!("Scaler_{}", self.factor)
    }
    fn inputs(&self) -> ScalerIn<Shape> {
        ScalerIn { x: bits(8) }
    }
    fn outputs(&self) -> ScalerOut<Shape> {
        ScalerOut { y: bits(8) }
    }
    fn external(&self) -> Option<External> {
        Some(External {
            verilog_name: "scaler".to_string(),
            parameters: vec![("FACTOR".to_string(), format!("8'd{}", self.factor))],
            verilog: self.with_text.then(|| TEXT.to_string()),
        })
    }
    fn build(&self, m: &Builder, i: ScalerIn<UInt>) -> ScalerOut<UInt> {
        ScalerOut { y: m.delay("y", (i.x * self.factor).truncate(8)) }
    }
}

/// Two scalers in a row, with different factors.
#[module]
pub struct Scaled {
    pub with_text: bool,
}

impl Module for Scaled {
    type In = ScalerIn<UInt>;
    type Out = ScalerOut<UInt>;

    fn inputs(&self) -> ScalerIn<Shape> {
        ScalerIn { x: bits(8) }
    }
    fn outputs(&self) -> ScalerOut<Shape> {
        ScalerOut { y: bits(8) }
    }
    fn build(&self, m: &Builder, i: ScalerIn<UInt>) -> ScalerOut<UInt> {
        let with_text = self.with_text;
        let once = m.instance("by_three", &Scaler { factor: 3, with_text }).connect(ScalerIn { x: i.x });
        m.instance("by_five", &Scaler { factor: 5, with_text }).connect(ScalerIn { x: once.y })
    }
}
