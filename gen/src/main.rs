//! The `ferrite` command.

mod cli;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Generates RISC-V chips with an int8 tensor unit, and runs programs and neural networks on them.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Gen(cli::generate::Gen),
    Run(cli::run::Run),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Gen(options) => cli::generate::generate(&options).map(|()| ExitCode::SUCCESS),
        Command::Run(options) => cli::run::run(&options),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(error.exit_code())
    })
}
