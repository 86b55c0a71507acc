//! Statistics of this process from /proc: CPU time, memory, open files. Other systems than Linux have none.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use super::metrics::{Registry, collect};

/// The unit of CPU time in /proc, as ticks per second: `USER_HZ`, which is 100 on every architecture that Kubernetes
/// and Rust's Linux targets share.
const TICKS_PER_SECOND: f64 = 100.0;

/// Statistics at one time. What cannot be read is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Process {
    /// CPU time since the start, in user and system mode, in seconds.
    cpu_seconds: Option<f64>,
    /// Resident memory, in bytes.
    resident_bytes: Option<u64>,
    /// Address space, in bytes.
    virtual_bytes: Option<u64>,
    /// Open files and sockets.
    open_files: Option<u64>,
    /// The limit of open files.
    max_files: Option<u64>,
    /// The start time, in seconds since the Unix epoch.
    started: Option<f64>,
}

impl Process {
    /// Reads the statistics of this process.
    fn read() -> Self {
        Self::read_from(Path::new("/proc"))
    }

    fn read_from(proc: &Path) -> Self {
        let text = |file: &str| fs::read_to_string(proc.join(file)).unwrap_or_default();
        let (stat, status) = (text("self/stat"), text("self/status"));
        // The second field is the program's name in parentheses, which may contain any character.
        let fields: Vec<&str> = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.split(' ').collect())
            .unwrap_or_default();
        // proc(5) counts fields from 1; `fields` starts with the third.
        let field = |number: usize| fields.get(number - 3)?.trim().parse::<f64>().ok();
        let kilobytes = |name: &str| Some(number_after::<u64>(&status, name)? << 10);
        let booted: Option<f64> = number_after(&text("stat"), "btime");
        Self {
            cpu_seconds: field(14)
                .zip(field(15))
                .map(|(user, system)| (user + system) / TICKS_PER_SECOND),
            resident_bytes: kilobytes("VmRSS:"),
            virtual_bytes: kilobytes("VmSize:"),
            open_files: fs::read_dir(proc.join("self/fd"))
                .ok()
                .map(|files| files.count() as u64),
            max_files: number_after(&text("self/limits"), "Max open files"),
            started: booted
                .zip(field(22))
                .map(|(booted, ticks)| booted + ticks / TICKS_PER_SECOND),
        }
    }
}

/// Registers the metrics of the program and its process, under the names of all Prometheus clients. A metric that the
/// system does not report has no family.
pub fn register(registry: &mut Registry) {
    collect(registry, (), |(), families| {
        families.gauges(
            "kubevitals_build_info",
            "Always 1; the version is in the label",
            ["version"],
            [([env!("CARGO_PKG_VERSION")], 1)],
        )?;
        let process = Process::read();
        if let Some(seconds) = process.cpu_seconds {
            let help = "CPU time, user and system, in seconds";
            families.counter("process_cpu_seconds", help, seconds)?;
        }
        for (name, help, value) in [
            (
                "process_resident_memory_bytes",
                "Resident memory",
                process.resident_bytes,
            ),
            (
                "process_virtual_memory_bytes",
                "Virtual memory",
                process.virtual_bytes,
            ),
            (
                "process_open_fds",
                "Open files and sockets",
                process.open_files,
            ),
            (
                "process_max_fds",
                "Limit of open files and sockets",
                process.max_files,
            ),
        ] {
            if value.is_some() {
                families.gauge(name, help, value)?;
            }
        }
        if process.started.is_some() {
            let help = "Start of the process, in seconds since the Unix epoch";
            families.fraction("process_start_time_seconds", help, process.started)?;
        }
        Ok(())
    });
}

/// The first number on the line that starts with `name`.
fn number_after<T: FromStr>(text: &str, name: &str) -> Option<T> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_any_name_is_parsed() {
        let folder = tempfile::tempdir().unwrap();
        let proc = folder.path();
        fs::create_dir_all(proc.join("self/fd")).unwrap();
        for (file, text) in [
            (
                "self/stat",
                "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4 0 1500 1 2\n",
            ),
            (
                "self/status",
                "Name:\tx\nVmSize:\t  20 kB\nVmRSS:\t  10 kB\n",
            ),
            (
                "self/limits",
                "Limit  Soft  Hard  Units\nMax open files            1024   4096   files\n",
            ),
            ("stat", "cpu 1 2\nbtime 1700000000\n"),
            ("self/fd/0", ""),
            ("self/fd/1", ""),
        ] {
            fs::write(proc.join(file), text).unwrap();
        }
        assert_eq!(
            Process::read_from(proc),
            Process {
                cpu_seconds: Some(3.0),
                resident_bytes: Some(10 << 10),
                virtual_bytes: Some(20 << 10),
                open_files: Some(2),
                max_files: Some(1024),
                started: Some(1_700_000_015.0),
            }
        );
    }

    #[test]
    fn without_proc_there_are_no_values() {
        let nowhere = Path::new("/nowhere");
        assert_eq!(Process::read_from(nowhere), Process::default());
    }
}
