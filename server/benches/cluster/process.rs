//! Processes under measurement, as the kernel accounts for them.

use std::fs;
use std::ops::{Add, Deref, Sub};
use std::process::{Child, Command};
use std::time::Duration;

/// USER_HZ is 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// CPU time. The kernel measures the sum to the nanosecond and divides it into the two by sampling.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }
}

impl Add for Cpu {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            user: self.user + other.user,
            system: self.system + other.system,
        }
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// Context switches of all threads that live.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Switches {
    /// A thread went to sleep.
    pub(crate) voluntary: u64,
    /// A thread was interrupted for another.
    pub(crate) involuntary: u64,
}

/// A process by its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    /// This process.
    pub(crate) fn own() -> Self {
        Self(std::process::id())
    }

    pub(crate) fn id(self) -> u32 {
        self.0
    }

    fn read(self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0)).unwrap_or_default()
    }

    /// The fields of /proc/PID/stat after the name, which stands in parentheses and may contain anything. The first is
    /// the state.
    fn stat(self) -> Vec<String> {
        let stat = self.read("stat");
        let (_, fields) = stat.rsplit_once(')').expect("the process lives");
        fields.split_whitespace().map(str::to_owned).collect()
    }

    /// Whether the process has ended and has not been waited for. Its CPU time can still be read.
    pub(crate) fn has_ended(self) -> bool {
        self.stat()[0] == "Z"
    }

    /// CPU time so far, of ended threads too.
    pub(crate) fn cpu(self) -> Cpu {
        let stat = self.stat();
        let ticks = |field: usize| TICK * stat[field].parse::<u32>().expect("ticks");
        Cpu {
            user: ticks(11),
            system: ticks(12),
        }
    }

    /// A line of /proc/PID/status in MiB; none after the end of the process.
    pub(crate) fn memory(self, line: &str) -> Option<f64> {
        mebibytes(&self.read("status"), line)
    }

    /// Resident memory in MiB, with the part of shared pages that counts for this process.
    pub(crate) fn proportional_memory(self) -> Option<f64> {
        mebibytes(&self.read("smaps_rollup"), "Pss")
    }

    /// Resets the peak of memory: from now on `VmHWM` covers what follows.
    pub(crate) fn reset_peak(self) {
        fs::write(format!("/proc/{}/clear_refs", self.0), "5").expect("a process of the same user");
    }

    /// The number of threads.
    pub(crate) fn threads(self) -> usize {
        number(&self.read("status"), "Threads").unwrap_or_default() as usize
    }

    /// Context switches of all threads so far.
    pub(crate) fn switches(self) -> Switches {
        let mut switches = Switches::default();
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).expect("the process lives");
        for task in tasks.flatten() {
            // A thread may end meanwhile.
            let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let count = |line| number(&status, line).unwrap_or(0.0) as u64;
            switches.voluntary += count("voluntary_ctxt_switches");
            switches.involuntary += count("nonvoluntary_ctxt_switches");
        }
        switches
    }
}

/// The number of a line `NAME: NUMBER [kB]`.
fn number(text: &str, name: &str) -> Option<f64> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}

fn mebibytes(text: &str, name: &str) -> Option<f64> {
    number(text, name).map(|kibibytes| kibibytes / 1024.0)
}

/// A child that ends with the benchmark.
pub(crate) struct Running {
    pub(crate) child: Child,
    process: Process,
}

impl Running {
    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let process = Process(child.id());
        Self { child, process }
    }
}

impl Deref for Running {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _already_waited = self.child.wait();
    }
}

/// The CPU time that the machine has spent on all programs.
pub(crate) fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("/proc/stat");
    let fields = stat.lines().next().unwrap_or_default().split_whitespace();
    // user, nice, system, idle, iowait, irq, softirq; then time that other machines took, which no program got.
    let ticks: Vec<u32> = fields
        .skip(1)
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    TICK * [0, 1, 2, 5, 6].iter().map(|at| ticks[*at]).sum::<u32>()
}
