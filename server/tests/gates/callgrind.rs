//! Instructions, counted by valgrind's callgrind: deterministic, whatever else the machine does.
//!
//! A workload is an ignored test of this binary. [`each`] runs it under callgrind with one unit of work and with several,
//! so that the cost of what it prepares cancels out. Tests are not optimized: a bound says what this code may cost here,
//! not what it costs in the program, and it catches the same regressions.

use std::process::Command;

/// The variable with the number of units of a workload.
const UNITS: &str = "GATE_UNITS";

/// The units of the larger run, beyond the one unit of the smaller.
const MORE: u64 = 3;

/// The most units of a run.
pub const MOST_UNITS: u64 = 1 + MORE;

/// In a workload: how many units to do.
pub fn units() -> u64 {
    std::env::var(UNITS).map_or(1, |units| units.parse().unwrap())
}

/// Asserts that one unit of a workload, divided into `parts`, takes at most `bound` instructions for each part. Without
/// valgrind it only says so.
pub fn assert_each(workload: &str, parts: u64, bound: u64) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is missing: {workload} is not checked");
        return;
    }
    let (one, more) = (run(workload, 1), run(workload, MOST_UNITS));
    let each = more.saturating_sub(one) / MORE / parts;
    println!("{workload}: {each} instructions, at most {bound}");
    assert!(each > 0, "{workload} has done nothing");
    assert!(
        each <= bound,
        "{workload}: {each} instructions instead of at most {bound}"
    );
}

/// The instructions of a whole run.
fn run(workload: &str, units: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", workload, "--ignored", "--test-threads=1"])
        .env(UNITS, units.to_string())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
    let collected = printed
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    collected
        .expect("callgrind prints a sum")
        .1
        .trim()
        .parse()
        .unwrap()
}
