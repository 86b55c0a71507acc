//! `vitals`: the vital signs of a Kubernetes cluster.

/// Returns the memory of large lists to the system, which glibc's allocator does not. .cargo/config.toml has its
/// settings.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    kubevitals::main()
}
