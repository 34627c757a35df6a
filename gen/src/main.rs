//! The `ferrite` command.

mod cli;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ferrite_gen::error::Error;

/// Generates RISC-V chips with an int8 tensor unit, and runs programs and neural networks on them.
#[derive(Parser)]
#[command(name = "ferrite", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Gen(cli::generate::Gen),
    Run(Box<cli::run::Run>),
    Fuzz(Box<cli::fuzz::Fuzz>),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Gen(options) => cli::generate::generate(&options).map(|()| ExitCode::SUCCESS),
        Command::Run(options) => cli::run::run(&options),
        Command::Fuzz(options) => cli::fuzz::fuzz(&options),
    };
    result.unwrap_or_else(|error| {
        cli::report::say(&match &error {
            // These have a title of their own, and point into the user's text.
            Error::Config(report) => report.render(std::io::stderr().is_terminal()),
            Error::Design(mistakes) => mistakes.to_string(),
            error => format!("error: {error}"),
        });
        ExitCode::from(error.exit_code())
    })
}
