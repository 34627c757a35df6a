//! The `ferrite` command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ferrite_gen::atomic::OutputFolder;
use ferrite_gen::config::{self, parameters_help};
use ferrite_gen::error::Error;
use ferrite_gen::{header::header, linker::linker_script};

/// Generates RISC-V chips with an int8 tensor unit.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a chip's C header and linker script.
    Gen(Gen),
}

#[derive(Args)]
#[command(after_long_help = parameters_help())]
struct Gen {
    /// The chip's description; without it, the default chip.
    chip: Option<PathBuf>,
    /// Changes a parameter, as in --set tensor.rows=8.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The folder to write.
    #[arg(short, long, default_value = "build")]
    output: PathBuf,
}

fn main() -> ExitCode {
    let Cli { command: Command::Gen(options) } = Cli::parse();
    match generate(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn generate(options: &Gen) -> Result<(), Error> {
    let chip = config::load(options.chip.as_deref(), &options.overrides)?;
    let folder = OutputFolder::create(&options.output)?;
    folder.write("sw/ferrite.h", header(&chip).as_bytes())?;
    folder.write("sw/ferrite.ld", linker_script(&chip).as_bytes())?;
    folder.commit()
}
