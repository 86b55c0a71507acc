//! Why a command line is not run.

/// Why a command line is not run.
#[derive(Debug)]
pub enum Stop {
    /// Print this to the standard output and exit with 0.
    Say(String),
    /// Print this to the standard error and exit with this code.
    Fail(String, u8),
}
