//! The compiler's tests: whole networks on the golden machine, random networks, and files meant to do harm.

mod build;
mod hostile_files;
mod machine;
mod never_written;
mod random_networks;
mod real_files;
mod real_networks;
mod refusals;
