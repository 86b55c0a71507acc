//! `vitals`: the vital signs of a Kubernetes cluster.

/// Lists come and go: what they took is given back, which glibc's allocator does not do. .cargo/config.toml has its
/// settings.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    kubevitals::main()
}
