//! `vitals`: the vital signs of a Kubernetes cluster.

fn main() -> std::process::ExitCode {
    kubevitals::main()
}
