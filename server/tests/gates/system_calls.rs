//! What a scrape costs in a whole server on a simulated node: the system calls of the thread that scrapes, the times that
//! it wakes, and the memory that it allocates.
//!
//! Time is the simulation's: a turn comes when the test moves the clock.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::clock::{Age, Clock, Sleep};
use kubevitals_server::config::Settings;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};

use super::cluster::RESOLUTION;

/// The name of the thread that scrapes.
const THREAD: &str = "scrapes";

/// The turns before the first that counts: the first ones add connections, series and lists.
const BEFORE: usize = 12;

/// The turns that count.
const TURNS: usize = 21;

/// The path that the test requests from the system at the begin of each turn, so that the output of strace has a line there.
const MARK: &str = "/begin-of-a-turn";

/// The clock of the simulation. The thread that scrapes reads it several times in a turn; then it stores the number of bytes
/// that the thread has allocated.
#[derive(Debug)]
struct MeteringClock {
    clock: Arc<dyn Clock>,
    allocated: Arc<AtomicU64>,
}

impl MeteringClock {
    fn clock(&self) -> &dyn Clock {
        if thread::current().name() == Some(THREAD) {
            self.allocated.store(crate::allocated(), SeqCst);
        }
        &*self.clock
    }
}

impl Clock for MeteringClock {
    fn wall(&self) -> Timestamp {
        self.clock().wall()
    }

    fn elapsed(&self) -> Age {
        self.clock().elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.clock().sleep(duration)
    }

    fn sleep_until(&self, at: Age) -> Sleep {
        self.clock().sleep_until(at)
    }
}

/// Runs a server with one node of ten pods, whose page fits one record of TLS. Calls `begin` before each turn, with the
/// bytes that the thread has allocated so far.
async fn run(mut begin: impl FnMut(u64)) {
    let clock = SimClock::manual(Timestamp::from_secs(1_800_000_000));
    let config = Config {
        nodes: 1,
        pods_per_node: 10,
        faults: Faults::None,
        clock: Some(clock.clone()),
        ..Config::default()
    };
    let cluster = Cluster::start(config).await.unwrap();
    let allocated = Arc::new(AtomicU64::new(0));
    let metering = MeteringClock {
        clock: clock.process(),
        allocated: Arc::clone(&allocated),
    };
    let mut settings = Settings::embedded(cluster.server_kubeconfig(), Arc::new(metering))
        .await
        .unwrap();
    settings.tls.manage = false;
    settings.scrape.pages.probes = None;
    settings.scrape.pages.summary = None;
    let server = Server::start(settings).await.unwrap();
    let succeeded = || server.query().scrapes().succeeded;
    let until = async |scrapes: u64| {
        // The test of the whole suite ends a server that hangs.
        while succeeded() < scrapes {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    until(1).await;
    for _ in 0..BEFORE + TURNS {
        begin(allocated.load(SeqCst));
        let before = succeeded();
        clock.advance(RESOLUTION);
        until(before + 1).await;
    }
    begin(allocated.load(SeqCst));
}

/// The middle of the values of the turns that count. A turn in which something else happens does not matter.
fn median<T: Ord>(mut turns: Vec<T>) -> T {
    assert_eq!(turns.len(), BEFORE + TURNS);
    turns.drain(..BEFORE);
    turns.sort_unstable();
    turns.swap_remove(TURNS / 2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_allocates_little() {
    let mut allocated = Vec::new();
    run(|bytes| allocated.push(bytes)).await;
    let turns = allocated.windows(2).map(|pair| pair[1] - pair[0]);
    let bytes = median(turns.collect());
    println!("{bytes} bytes a scrape");
    assert!(bytes <= 120_000, "{bytes} bytes a scrape");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a workload"]
async fn scrapes() {
    run(|_| drop(std::fs::metadata(MARK))).await;
}

/// The names of the system calls of each turn, as strace prints them for the thread that scrapes.
fn turns(output: &str) -> Vec<Vec<&str>> {
    let calls = || output.lines().filter_map(|line| line.split_once(' '));
    let named = format!("prctl(PR_SET_NAME, \"{THREAD}\"");
    let (thread, _) = calls()
        .find(|(_, call)| call.trim_start().starts_with(&named))
        .expect("the thread sets its name");
    let mut turns = Vec::new();
    for (from, call) in calls() {
        if call.contains(MARK) && !call.contains("resumed>") {
            turns.push(Vec::new());
        } else if let (true, Some(turn)) = (from == thread, turns.last_mut())
            && let Some((name, _)) = call.trim_start().split_once('(')
        {
            turn.push(name);
        }
    }
    turns
}

#[test]
fn a_scrape_takes_few_system_calls_and_wakes_its_thread_rarely() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&file)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "system_calls::scrapes", "--ignored"])
        .output();
    let output = match traced {
        Ok(output) if output.status.success() => output,
        // A container may be forbidden to trace.
        Ok(output) if !file.exists() || std::fs::metadata(&file).unwrap().len() == 0 => {
            let reason = String::from_utf8_lossy(&output.stderr);
            return println!("strace cannot trace: system calls are not counted: {reason}");
        }
        Err(error) => return println!("strace is missing: system calls are not counted: {error}"),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stdout)),
    };
    drop(output);
    let output = std::fs::read_to_string(file).unwrap();
    let mut turns = turns(&output);
    // After the last begin of a turn the server ends.
    turns.pop();
    let typical = median(turns.iter().map(|turn| (turn.len(), turn)).collect());
    let waits = |turn: &Vec<&str>| turn.iter().filter(|name| **name == "epoll_wait").count();
    let wakes = median(turns.iter().map(waits).collect());
    println!(
        "{} system calls a scrape, {wakes} waits: {:?}",
        typical.0, typical.1
    );
    assert!(typical.0 <= 6, "{typical:?}");
    assert!(wakes <= 3, "{wakes} waits a scrape, as in {typical:?}");
}
