//! Processes under measurement, as the kernel accounts for them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

/// A child that ends with the benchmark.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _already_waited = self.0.wait();
    }
}

impl Running {
    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("the program starts"))
    }

    /// Forgets the peak of its memory so far: from here on `VmHWM` is of what comes.
    pub(crate) fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.0.id()), "5").expect("our own process");
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))
            .expect("the process lives");
        // The name, in parentheses, may hold anything; the fields are counted from behind it.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .expect("a name")
            .1
            .split_whitespace()
            .collect();
        let ticks: u64 = fields
            .iter()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().expect("ticks"))
            .sum();
        // USER_HZ is 100 on every Linux.
        Duration::from_millis(ticks * 10)
    }

    /// A line of /proc/PID/status in MiB.
    pub(crate) fn memory(&self, line: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))
            .expect("the process lives");
        let kibibytes: f64 = status
            .lines()
            .find_map(|found| {
                found
                    .strip_prefix(line)?
                    .trim_start_matches(':')
                    .trim()
                    .strip_suffix(" kB")
            })
            .expect("a line of that name")
            .trim()
            .parse()
            .expect("a number");
        kibibytes / 1024.0
    }
}

pub(crate) fn sibling(name: &str) -> PathBuf {
    let server = Path::new(env!("CARGO_BIN_EXE_vitals-server"));
    let path = server.parent().expect("a folder").join(name);
    assert!(
        path.exists(),
        "{} is missing: cargo build --release --bin {name}",
        path.display()
    );
    path
}
