//! Running a network.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use ferrite_gen::atomic::write_file;
use ferrite_gen::elf::MAX_FILE_BYTES;
use ferrite_gen::error::{Error, read_bounded};
use ferrite_gen::run::{Inference, NetworkError, Watch, golden, run_network, split_inputs, target};
use ferrite_hw::config::ChipConfig;
use ferrite_model::lockstep::Lockstep;
use ferrite_nn::network::{Network, Quantisation};
use ferrite_nn::{Counters, Port, Program, compile, reference, tflite};
use serde_json::json;

use super::numbers::{frequency, grouped};
use super::progress::Cycles;
use super::report::{both, print};
use super::run::Run;
use super::waves;

/// Runs whose values are listed.
const LISTED_RUNS: usize = 16;
/// Characters of a layer's name that are shown.
const LONGEST_NAME: usize = 32;
/// Values of a tensor that are shown.
const SHOWN_VALUES: usize = 6;

/// Runs a network on every input.
pub fn run(options: &Run, file: &[u8]) -> Result<ExitCode, Error> {
    let path = &options.file;
    let failed = |source: NetworkError| Error::Inference { path: path.clone(), source };
    let network = tflite::read(file).map_err(|source| Error::Network { path: path.clone(), source })?;
    let config = options.chip()?;
    let target = target(&config).map_err(failed)?;
    let program = compile(&network, &target).map_err(|error| failed(error.into()))?;
    let zeros = vec![zero_point(&program.input) as u8; program.input.region.bytes as usize];
    let given = match &options.input {
        Some(path) => Some(read_bounded(path, "an input file", MAX_FILE_BYTES)?),
        None => None,
    };
    let inputs = split_inputs(&program, given.as_deref().unwrap_or(&zeros)).map_err(failed)?;
    let references = inputs.iter().map(|input| reference_output(&network, input)).collect::<Vec<_>>();
    let expected = match &options.expect {
        Some(path) => Some((path, read_bounded(path, "an output file", MAX_FILE_BYTES)?)),
        None => None,
    };

    let bytes = inputs.len() * program.output.region.bytes as usize;
    if let Some((path, expected)) = expected.as_ref().filter(|(_, expected)| expected.len() != bytes) {
        return Err(Error::ExpectedSize { path: (*path).clone(), found: expected.len(), bytes });
    }

    let mut bench = options.start(config)?;
    let cycles = Cycles::new();
    let mut inferences: Vec<Inference> = Vec::new();
    let mut earlier = 0;
    let mut failure = None;
    for input in &inputs {
        let mut lockstep = options.lockstep.then(|| Lockstep::new(golden(&bench.config)));
        let mut watch = Watch {
            lockstep: lockstep.as_mut(),
            waves: bench.waves.as_mut(),
            console: None,
            progress: Some(&mut |passed| cycles.show(earlier + passed)),
            interrupted: Some(&bench.interrupted),
            ..Watch::default()
        };
        match run_network(&mut bench.chip, &program, input, &options.limits(), &mut watch) {
            Ok(inference) => inferences.push(inference),
            Err(error) => {
                failure = Some(failed(error));
                break;
            }
        }
        earlier = inferences.iter().map(|run| run.ended.cycles).sum();
        cycles.show(earlier);
    }
    let seconds = cycles.finish();
    let last = bench.chip.cycle() - u64::from(failure.is_none());
    let recorded = match bench.waves {
        Some(waves) => waves::finish(options, waves, 0, last).map(|_| ()),
        None => Ok(()),
    };
    let report = Report {
        options,
        config: &bench.config,
        engine: bench.engine,
        program: &program,
        inputs: &inputs,
        references: &references,
        inferences: &inferences,
        seconds,
    };
    let result = match failure {
        Some(failure) => Err(failure),
        None => conclude(&report, expected.as_ref().map(|(path, bytes)| (path.as_path(), bytes.as_slice()))),
    };
    both(result, recorded)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes and prints what the runs gave, and compares it with what they should give.
fn conclude(report: &Report, expected: Option<(&Path, &[u8])>) -> Result<(), Error> {
    let Report { options, references, inferences, .. } = report;
    let outputs: Vec<u8> = inferences.iter().flat_map(|run| run.output.iter().copied()).collect();
    if let Some(path) = &options.output {
        write_file(path, &outputs)?;
    }
    print(&if options.json { report.json() } else { report.text() })?;
    if let Some((path, expected)) = expected {
        compare(&outputs, expected, &path.display().to_string())?;
        if !options.json {
            print(&format!("the output equals {} byte for byte\n", path.display()))?;
        }
    }
    let references: Option<Vec<&[u8]>> = references.iter().map(|output| output.as_deref().ok()).collect();
    match references {
        Some(references) => compare(&outputs, &references.concat(), "the reference kernels'"),
        None => Ok(()),
    }
}

/// What TensorFlow Lite's reference kernels make of an input; an explanation if they do not know an operator.
fn reference_output(network: &Network, input: &[u8]) -> Result<Vec<u8>, String> {
    let input: Vec<i8> = input.iter().map(|&byte| byte as i8).collect();
    let outputs = reference::run(network, &input).map_err(|error| error.to_string())?;
    let last = outputs.into_iter().next_back().unwrap_or(input);
    Ok(last.into_iter().map(|value| value as u8).collect())
}

fn compare(found: &[u8], wanted: &[u8], expected: &str) -> Result<(), Error> {
    let mut differing = found.iter().zip(wanted).enumerate().filter(|(_, (a, b))| a != b);
    let Some((first, (&a, &b))) = differing.next() else { return Ok(()) };
    Err(Error::Differs {
        expected: expected.to_string(),
        count: differing.count() + 1,
        bytes: found.len(),
        first,
        found: a as i8,
        wanted: b as i8,
    })
}

fn zero_point(port: &Port) -> i8 {
    // The reader has checked it against the element type.
    port.quantisation.as_ref().map_or(0, |quantisation| quantisation.zero_points[0] as i8)
}

/// A tensor of one value with the real number that it stands for; of a larger one the first integers.
fn shown(bytes: &[u8], quantisation: Option<&Quantisation>) -> String {
    if let (&[byte], Some(q)) = (bytes, quantisation) {
        let integer = byte as i8;
        let real = q.scales[0] * (i32::from(integer) - q.zero_points[0]) as f32;
        return format!("{integer:4} ({real:.4})");
    }
    let integers = bytes.iter().take(SHOWN_VALUES).map(|&byte| (byte as i8).to_string());
    let mut text = integers.collect::<Vec<_>>().join(" ");
    if bytes.len() > SHOWN_VALUES {
        let _ = write!(text, " ... ({} values)", bytes.len());
    }
    text
}

/// A tensor's name, as short as a table wants it. Converters join the names of fused operators by `;`.
fn short_name(name: &str) -> String {
    let first = name.split(';').next().unwrap_or(name);
    match first.char_indices().nth(LONGEST_NAME) {
        None => first.to_string(),
        Some((end, _)) => format!("{}...", &first[..end]),
    }
}

/// What is known after all runs.
struct Report<'a> {
    options: &'a Run,
    config: &'a ChipConfig,
    engine: &'static str,
    program: &'a Program,
    inputs: &'a [&'a [u8]],
    references: &'a [Result<Vec<u8>, String>],
    inferences: &'a [Inference],
    seconds: f64,
}

/// A line of the table of layers.
struct Row {
    name: String,
    shape: String,
    macs: u64,
    /// `None` if the core does not count them.
    cycles: Option<u64>,
}

impl Report<'_> {
    /// MACs that the array can do in a cycle.
    fn peak(&self) -> u64 {
        self.config.tensor.as_ref().map_or(1, |tensor| u64::from(tensor.rows) * u64::from(tensor.cols))
    }

    fn cycles(&self) -> u64 {
        self.inferences.iter().map(|run| run.ended.cycles).sum()
    }

    /// The first run, part by part; every run takes the same way.
    fn rows(&self) -> Vec<Row> {
        let Some(first) = self.inferences.first() else { return Vec::new() };
        let way = |name: &str| (name.to_string(), String::new(), 0);
        let layers = self.program.layers.iter().map(|layer| {
            let shape = format!("{} x {} -> {}", layer.batches, layer.inputs, layer.outputs);
            (format!("{} {}", layer.operator, short_name(&layer.name)), shape, layer.macs)
        });
        let parts = [way("input to the scratchpad")].into_iter().chain(layers);
        let parts = parts.chain([way("output to memory")]);
        let row = |((name, shape, macs), counters): (_, &Counters)| Row {
            name,
            shape,
            macs,
            cycles: self.config.core.counters.then_some(counters.cycles.into()),
        };
        parts.zip(&first.counters).map(row).collect()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let tensor = self.config.tensor.as_ref();
        let array = tensor.map_or(String::new(), |t| format!(", array of {} x {}", t.rows, t.cols));
        let _ = writeln!(
            text,
            "{} on chip `{}`{array}, engine {}\n",
            self.options.file.display(),
            self.config.name,
            self.engine
        );
        self.table(&mut text);
        self.values(&mut text);
        let runs = self.inferences.len();
        let _ = writeln!(
            text,
            "{runs} run{}, {} cycles in all; simulated in {:.2} s, {}",
            if runs == 1 { "" } else { "s" },
            grouped(self.cycles()),
            self.seconds,
            frequency(self.cycles(), self.seconds)
        );
        if self.options.lockstep {
            text.push_str("every instruction equals the golden model's\n");
        }
        if let Some(output) = &self.options.output {
            let _ = writeln!(text, "output: {}", output.display());
        }
        if let Some(trace) = &self.options.trace {
            let _ = writeln!(text, "waveform: {} (for GTKWave or Surfer)", trace.display());
        }
        text
    }

    fn table(&self, text: &mut String) {
        let mut rows = self.rows();
        let Some(first) = self.inferences.first() else { return };
        let total_macs = rows.iter().map(|row| row.macs).sum();
        rows.push(Row {
            name: "whole run, from reset".to_string(),
            shape: String::new(),
            macs: total_macs,
            cycles: Some(first.ended.cycles),
        });
        let name_width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(5);
        let shape_width = rows.iter().map(|row| row.shape.chars().count()).max().unwrap_or(0).max(5);
        let _ = writeln!(
            text,
            "{:name_width$}  {:>shape_width$}  {:>9}  {:>9}  {:>10}  of {} a cycle",
            "layer",
            "shape",
            "MACs",
            "cycles",
            "MACs/cycle",
            self.peak()
        );
        for Row { name, shape, macs, cycles } in rows {
            let line = format!("{name:name_width$}  {shape:>shape_width$}");
            let shown_macs = if macs == 0 { String::new() } else { grouped(macs) };
            let Some(cycles) = cycles else {
                let _ = writeln!(text, "{line}  {shown_macs:>9}");
                continue;
            };
            let rate = macs as f64 / cycles.max(1) as f64;
            let rest = match macs {
                0 => String::new(),
                _ => format!("  {rate:>10.2}  {:.1} %", 100.0 * rate / self.peak() as f64),
            };
            let _ = writeln!(text, "{line}  {shown_macs:>9}  {:>9}{rest}", grouped(cycles));
        }
        text.push('\n');
    }

    fn values(&self, text: &mut String) {
        let (input, output) = (&self.program.input.quantisation, &self.program.output.quantisation);
        let lines: Vec<[String; 4]> = self
            .inferences
            .iter()
            .zip(self.inputs)
            .zip(self.references)
            .take(LISTED_RUNS)
            .map(|((run, given), reference)| {
                let (kernels, verdict) = match reference {
                    Ok(bytes) if *bytes == run.output => (shown(bytes, output.as_ref()), "equal"),
                    Ok(bytes) => (shown(bytes, output.as_ref()), "DIFFERENT"),
                    Err(why) => (why.clone(), ""),
                };
                let chip = shown(&run.output, output.as_ref());
                [shown(given, input.as_ref()), chip, kernels, verdict.to_string()]
            })
            .collect();
        let titles = ["input", "output of the chip", "reference kernels", ""].map(str::to_string);
        let width = |column: usize| {
            let cells = lines.iter().chain([&titles]).map(|line| line[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        for [given, chip, kernels, verdict] in [&titles].into_iter().chain(&lines) {
            let line =
                format!("{given:0$}  {chip:1$}  {kernels:2$}  {verdict}", widths[0], widths[1], widths[2]);
            let _ = writeln!(text, "{}", line.trim_end());
        }
        if self.inferences.len() > LISTED_RUNS {
            let _ = writeln!(text, "... and {} more", self.inferences.len() - LISTED_RUNS);
        }
        text.push('\n');
    }

    fn json(&self) -> String {
        let signed = |bytes: &[u8]| bytes.iter().map(|&byte| byte as i8).collect::<Vec<_>>();
        let runs: Vec<_> = self
            .inferences
            .iter()
            .zip(self.references)
            .map(|(run, reference)| {
                json!({
                    "cycles": run.ended.cycles,
                    "instructions": run.ended.instructions,
                    "output": signed(&run.output),
                    "equals_reference": reference.as_ref().ok().map(|bytes| *bytes == run.output),
                })
            })
            .collect();
        let layers: Vec<_> = self
            .rows()
            .into_iter()
            .map(|row| json!({ "name": row.name, "macs": row.macs, "cycles": row.cycles }))
            .collect();
        let report = json!({
            "network": self.options.file,
            "chip": self.config.name,
            "engine": self.engine,
            "macs_per_cycle_peak": self.peak(),
            "layers": layers,
            "runs": runs,
            "cycles": self.cycles(),
            "seconds": self.seconds,
            "output": self.options.output,
            "trace": self.options.trace,
        });
        format!("{report:#}\n")
    }
}
