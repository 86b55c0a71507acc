//! Gates: what the costly paths may cost, in instructions, system calls and bytes. Each bound is a little above what was
//! reached; a change that exceeds one has made that path more expensive.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "clippy's exemption for tests does not reach the functions that they share"
)]

mod callgrind;
mod cluster;
mod exposition;
mod history;
mod lists;
mod pages;
mod pod_metrics;
mod rankings;
mod scrape;
mod system_calls;
mod usage;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The bytes that this thread has allocated so far.
fn allocated() -> u64 {
    tikv_jemalloc_ctl::thread::allocatedp::read().unwrap().get()
}
