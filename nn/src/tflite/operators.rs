//! The builtin operators of the TensorFlow Lite schema, by number and name.

use std::fmt;

/// A builtin operator, by its number in the schema (`BuiltinOperator`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BuiltinOperator(pub i32);

impl BuiltinOperator {
    /// Two-dimensional convolution.
    pub const CONV_2D: Self = Self(3);
    /// Convolution of each channel on its own.
    pub const DEPTHWISE_CONV_2D: Self = Self(4);
    /// Integers to real numbers.
    pub const DEQUANTIZE: Self = Self(6);
    /// Matrix product with constant weights.
    pub const FULLY_CONNECTED: Self = Self(9);
    /// The same elements under another shape.
    pub const RESHAPE: Self = Self(22);
    /// An operator that the schema does not define; it is known by its name only.
    pub const CUSTOM: Self = Self(32);
    /// Real numbers to integers, or integers to integers of another scale.
    pub const QUANTIZE: Self = Self(114);

    /// The schema's name, or `None` if this version of the reader does not know the number.
    pub fn name(self) -> Option<&'static str> {
        usize::try_from(self.0).ok().and_then(|code| NAMES.get(code)).copied()
    }
}

impl fmt::Display for BuiltinOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "builtin operator {}", self.0),
        }
    }
}

/// The names of the numbers 0, 1, 2, ...
#[rustfmt::skip]
const NAMES: [&str; 162] = [
    /*   0 */ "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D",
    /*   5 */ "DEPTH_TO_SPACE", "DEQUANTIZE", "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED",
    /*  10 */ "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D", "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC",
    /*  15 */ "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU",
    /*  20 */ "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN",
    /*  25 */ "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH", "CONCAT_EMBEDDINGS",
    /*  30 */ "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD",
    /*  35 */ "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE",
    /*  40 */ "MEAN", "SUB", "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM",
    /*  45 */ "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2", "SPLIT",
    /*  50 */ "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU",
    /*  55 */ "MAXIMUM", "ARG_MAX", "MINIMUM", "LESS", "NEG",
    /*  60 */ "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT",
    /*  65 */ "SLICE", "SIN", "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE",
    /*  70 */ "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM",
    /*  75 */ "SQRT", "RSQRT", "SHAPE", "POW", "ARG_MIN",
    /*  80 */ "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR",
    /*  85 */ "ONE_HOT", "LOGICAL_AND", "LOGICAL_NOT", "UNPACK", "REDUCE_MIN",
    /*  90 */ "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL",
    /*  95 */ "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE",
    /* 100 */ "MIRROR_PAD", "ABS", "SPLIT_V", "UNIQUE", "CEIL",
    /* 105 */ "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE",
    /* 110 */ "RANK", "ELU", "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE",
    /* 115 */ "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE",
    /* 120 */ "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2", "DENSIFY",
    /* 125 */ "SEGMENT_SUM", "BATCH_MATMUL", "PLACEHOLDER_FOR_GREATER_OP_CODES", "CUMSUM", "CALL_ONCE",
    /* 130 */ "BROADCAST_TO", "RFFT2D", "CONV_3D", "IMAG", "REAL",
    /* 135 */ "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE",
    /* 140 */ "REDUCE_ALL", "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE",
    /* 145 */ "BROADCAST_ARGS", "RANDOM_STANDARD_NORMAL", "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL",
    /* 150 */ "GELU", "DYNAMIC_UPDATE_SLICE", "RELU_0_TO_1", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX",
    /* 155 */ "UNSORTED_SEGMENT_SUM", "ATAN2", "UNSORTED_SEGMENT_MIN", "SIGN", "BITCAST",
    /* 160 */ "BITWISE_XOR", "RIGHT_SHIFT",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_constants_agree_with_the_table() {
        let named = [
            (BuiltinOperator::CONV_2D, "CONV_2D"),
            (BuiltinOperator::DEPTHWISE_CONV_2D, "DEPTHWISE_CONV_2D"),
            (BuiltinOperator::DEQUANTIZE, "DEQUANTIZE"),
            (BuiltinOperator::FULLY_CONNECTED, "FULLY_CONNECTED"),
            (BuiltinOperator::RESHAPE, "RESHAPE"),
            (BuiltinOperator::CUSTOM, "CUSTOM"),
            (BuiltinOperator::QUANTIZE, "QUANTIZE"),
        ];
        for (operator, name) in named {
            assert_eq!(operator.name(), Some(name));
        }
    }

    #[test]
    fn an_operator_beyond_the_table_is_named_by_its_number() {
        assert_eq!(BuiltinOperator(4711).to_string(), "builtin operator 4711");
        assert_eq!(BuiltinOperator(-3).to_string(), "builtin operator -3");
    }
}
