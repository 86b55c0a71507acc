//! Tests of the pool. The jobs in these tests run until the test ends them, so nothing depends on time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use futures::poll;

use super::*;

/// Limits a hang; no test depends on it.
const TIMEOUT: Duration = Duration::from_secs(60);

fn pool(threads: usize, queue: usize) -> Arc<Pool> {
    let threads = threads.try_into().unwrap();
    Arc::new(Pool::start(Settings { threads, queue }).unwrap())
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let done = tokio::time::timeout(TIMEOUT, waited).await;
    assert!(done.is_ok(), "waited in vain until {what}");
}

/// A job that signals its start and runs until the test opens the gate. It returns whether it was cancelled.
struct Gate {
    begun: Arc<AtomicUsize>,
    open: mpsc::Sender<()>,
    opened: Option<mpsc::Receiver<()>>,
}

impl Gate {
    fn new() -> Self {
        let (open, opened) = mpsc::channel();
        Self {
            begun: Arc::default(),
            open,
            opened: Some(opened),
        }
    }

    fn work(&mut self) -> impl FnOnce(&Cancel) -> bool + Send + 'static + use<> {
        let (begun, opened) = (Arc::clone(&self.begun), self.opened.take().unwrap());
        move |cancel| {
            begun.fetch_add(1, Ordering::SeqCst);
            let _ended = opened.recv();
            cancel.is_set()
        }
    }

    fn is_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst) > 0
    }
}

fn user(name: &str) -> Arc<str> {
    Arc::from(name)
}

#[tokio::test]
async fn work_runs_on_a_thread_of_the_pool() {
    let name = |_: &Cancel| std::thread::current().name().map(str::to_owned);
    let done = pool(2, 4).run(&user("a"), (), name).await;
    assert!(done.unwrap().unwrap().starts_with("work-"));
}

#[tokio::test]
async fn a_guard_is_dropped_when_the_work_ends() {
    let pool = pool(1, 4);
    let mut gate = Gate::new();
    let guard = Arc::new(());
    {
        let (a, work) = (user("a"), gate.work());
        let mut waiting = Box::pin(pool.run(&a, Arc::clone(&guard), work));
        assert!(poll!(&mut waiting).is_pending());
        until("the work has begun", || gate.is_begun()).await;
    }
    // The client has disconnected. The work continues and holds the guard.
    assert_eq!((pool.counts().running, pool.counts().cancelled), (1, 1));
    assert_eq!(Arc::strong_count(&guard), 2);
    gate.open.send(()).unwrap();
    until("the slot is free", || Arc::strong_count(&guard) == 1).await;
    until("no job is running", || pool.counts().running == 0).await;
}

#[tokio::test]
async fn work_sees_its_cancellation() {
    let pool = pool(1, 4);
    let (seen, saw) = mpsc::channel();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    {
        let a = user("a");
        let mut waiting = Box::pin(pool.run(&a, (), move |cancel: &Cancel| {
            let _test_ended = begun.send(());
            while !cancel.is_set() {
                std::thread::yield_now();
            }
            let _test_ended = seen.send(());
        }));
        assert!(poll!(&mut waiting).is_pending());
        has_begun.await.unwrap();
    }
    saw.recv_timeout(TIMEOUT).unwrap();
}

#[tokio::test]
async fn cancelled_work_leaves_the_queue() {
    let pool = pool(1, 4);
    pool.pause();
    let a = user("a");
    for _ in 0..1000 {
        let mut waiting = pin!(pool.run(&a, (), |_: &Cancel| ()));
        assert!(poll!(&mut waiting).is_pending());
    }
    let counts = pool.counts();
    assert_eq!(
        (counts.queued, counts.cancelled, counts.refused),
        (0, 1000, 0)
    );
    pool.resume();
    assert!(pool.run(&a, (), |_: &Cancel| ()).await.is_ok());
    assert_eq!(pool.counts().begun, 1);
}

#[tokio::test]
async fn the_queue_is_limited_in_all_and_per_user() {
    let pool = pool(2, 8);
    pool.pause();
    let users = ["a", "b", "c", "d", "e"].map(user);
    let mut waiting = Vec::new();
    for user in &users {
        for _ in 0..2 {
            let mut one = Box::pin(pool.run(user, (), |_: &Cancel| ()));
            if poll!(&mut one).is_pending() {
                waiting.push(one);
            }
        }
    }
    let counts = pool.counts();
    assert_eq!((counts.queued, counts.refused), (8, 2));
    drop(waiting.pop());
    assert_eq!(
        pool.run(&users[0], (), |_: &Cancel| ()).await,
        Err(WorkError::QueueFull)
    );
    pool.resume();
    for one in waiting {
        assert_eq!(one.await, Ok(()));
    }
}

#[tokio::test]
async fn one_user_leaves_a_thread_to_the_others() {
    let pool = pool(3, 64);
    let (busy, other) = (user("busy"), user("other"));
    let mut gates: Vec<Gate> = (0..5).map(|_| Gate::new()).collect();
    let mut waiting = Vec::new();
    for gate in &mut gates {
        let work = gate.work();
        let mut one = Box::pin(pool.run(&busy, (), work));
        assert!(poll!(&mut one).is_pending());
        waiting.push(one);
    }
    until("two have begun", || pool.counts().running == 2).await;
    assert_eq!(pool.run(&other, (), |_: &Cancel| 7).await, Ok(7));
    until("only the busy user's work is left", || {
        (pool.counts().running, pool.counts().queued) == (2, 3)
    })
    .await;
    for gate in &gates {
        gate.open.send(()).unwrap();
    }
    for one in waiting {
        assert_eq!(one.await, Ok(false));
    }
}

#[tokio::test]
async fn panicking_work_fails_and_its_thread_survives() {
    let pool = pool(1, 4);
    for _ in 0..3 {
        let failed = pool
            .run(&user("a"), (), |_: &Cancel| panic!("of a test"))
            .await;
        assert_eq!(failed, Err::<(), _>(WorkError::Panicked));
    }
    assert_eq!(pool.run(&user("a"), (), |_: &Cancel| 1).await, Ok(1));
    until("no job is running", || pool.counts().running == 0).await;
}
