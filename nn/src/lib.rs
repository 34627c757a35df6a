//! Compiles int8 TensorFlow Lite networks into programs for the Ferrite chip.

pub mod network;
pub mod tflite;
