//! `vitals --plain`: changes as lines, in a pipe.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A demo whose changes are printed; time runs fast in it.
struct Plain {
    child: Child,
    out: BufReader<ChildStdout>,
    lines: Vec<String>,
}

impl Plain {
    fn start() -> Self {
        let flags = "demo --plain --speed 60 --seed 7 --nodes 3 --pods-per-node 20";
        let mut child = Command::new(env!("CARGO_BIN_EXE_vitals"))
            .args(flags.split(' '))
            .env("TERM", "dumb")
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            out,
            lines: Vec::new(),
        }
    }

    /// Reads until a line contains this text. The test's own limit of time bounds it.
    fn read_until(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.out.read_line(&mut line).unwrap();
            assert!(length > 0, "no {text:?} in {:?}", self.lines);
            self.lines.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_incident_is_a_line_when_it_starts_and_a_line_when_it_ends() {
    let mut plain = Plain::start();
    plain.read_until("nodes: 3 of 3 ready");
    plain.read_until("open incidents: ");
    let started = plain.read_until("incident started: ");
    let (_, who) = started.split_once("incident started: ").unwrap();
    plain.read_until(&format!("incident ended: {}", who.trim_end()));
    for line in &plain.lines {
        let time = line.split(' ').next().unwrap();
        assert!(time.len() == 9 && time.ends_with('Z'), "{line}");
        assert!(!line.trim_end().contains(char::is_control), "{line:?}");
    }
    let id = Pid::from_child(&plain.child);
    kill_process(id, Signal::INT).unwrap();
    assert!(plain.child.wait().unwrap().success());
    let mut rest = Vec::new();
    plain.out.read_to_end(&mut rest).unwrap();
    assert!(!rest.contains(&0x1b));
}

#[test]
fn it_ends_when_nobody_reads() {
    let mut plain = Plain::start();
    plain.read_until("nodes: ");
    // Another output that nobody reads; what was the pipe is closed.
    let mut other = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    plain.out = BufReader::new(other.stdout.take().unwrap());
    other.wait().unwrap();
    assert!(plain.child.wait().unwrap().success());
}
