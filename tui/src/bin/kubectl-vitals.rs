//! `kubectl vitals`: the same program as `vitals`, found by kubectl as a plugin.

fn main() -> std::process::ExitCode {
    kubevitals::main()
}
