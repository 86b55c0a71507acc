//! A pool of a few threads with a short queue.

use std::any::Any;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::Cancel;
use crate::telemetry::metrics::{Registry, collect};

/// The limits of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The number of threads, which is the number of jobs that run at the same time.
    pub threads: NonZeroUsize,
    /// The number of jobs that may wait for a thread.
    pub queue: usize,
}

impl Settings {
    /// The number of jobs of one user that may wait: a quarter of the queue.
    fn queue_of_user(&self) -> usize {
        self.queue.div_ceil(4)
    }

    /// The number of jobs of one user that may run: all threads but one.
    fn threads_of_user(&self) -> usize {
        (self.threads.get() - 1).max(1)
    }
}

impl Default for Settings {
    /// As many threads as cores, but at least two and at most four: one user must leave a thread to the others, and
    /// scrapes need CPU time too.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Self {
            threads: NonZeroUsize::new(cores.clamp(2, 4)).unwrap_or(NonZeroUsize::MIN),
            queue: 64,
        }
    }
}

/// Why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// Too many jobs of this user, or of all users, are waiting.
    #[error("too much work is waiting")]
    QueueFull,
    /// The work panicked, which is a defect.
    #[error("the work ended by a defect")]
    Panicked,
}

/// The counts of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that wait.
    pub queued: usize,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that were started, in total.
    pub begun: u64,
    /// Jobs that were refused because too many were waiting, in total.
    pub refused: u64,
    /// Jobs that were cancelled before they started or ended, in total.
    pub cancelled: u64,
}

/// A pool of a few threads with a short queue. It is fair to users: the next job is one of the user with the fewest
/// running jobs.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    /// The users of the running jobs.
    running: Vec<Arc<str>>,
    last: u64,
    /// The totals.
    counts: Counts,
    paused: bool,
    stopped: bool,
}

struct Job {
    number: u64,
    user: Arc<str>,
    run: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Job").field(&self.number).finish()
    }
}

impl Pool {
    /// Starts the threads. Dropping the pool ends them.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(settings: Settings) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            settings,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        // If a thread cannot be started, dropping the pool ends the others.
        let pool = Self { shared };
        for number in 0..settings.threads.get() {
            let shared = Arc::clone(&pool.shared);
            thread::Builder::new()
                .name(format!("work-{number}"))
                .spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// Runs `work` for `user` on a thread. Drops `guard` when the work ends, also if this future is dropped before,
    /// which cancels the work.
    ///
    /// # Errors
    /// The queue is full, or the work panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        user: &Arc<str>,
        guard: impl Any + Send,
        work: impl FnOnce(&Cancel) -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let (done, result) = oneshot::channel();
        let cancel = Cancel::default();
        let job = {
            let cancel = cancel.clone();
            Box::new(move || {
                let output = work(&cancel);
                // Before the result is sent: its receiver may rely on the slot being free.
                drop(guard);
                let _receiver_gone = done.send(output);
            })
        };
        let number = self.shared.push(user, job)?;
        let mut cancel_on_drop = CancelOnDrop {
            shared: &self.shared,
            number,
            cancel,
            finished: false,
        };
        let result = result.await.map_err(|_| WorkError::Panicked);
        cancel_on_drop.finished = true;
        result
    }

    /// Reads the counts.
    pub fn counts(&self) -> Counts {
        let state = self.shared.state.lock();
        Counts {
            queued: state.waiting.len(),
            running: state.running.len(),
            ..state.counts
        }
    }

    /// Registers the metrics.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        collect(registry, Arc::clone(self), |pool, families| {
            let counts = pool.counts();
            families.gauges(
                "kubevitals_api_work",
                "Requests that visit the whole cluster (history, sortBy, at, search, /metrics), by state: running, waiting \
                 for a thread",
                ["state"],
                [
                    (["running"], counts.running as u64),
                    (["waiting"], counts.queued as u64),
                ],
            )?;
            families.counter(
                "kubevitals_api_work_cancelled",
                "Requests of this kind that were cancelled, because the client was gone or the time was up",
                counts.cancelled,
            )?;
            families.counter(
                "kubevitals_api_work_refused",
                "Requests of this kind that got a 429 response, because too many of their user, or of all, were waiting",
                counts.refused,
            )
        });
    }

    /// Starts no more jobs until [`resume`](Self::resume): for tests that check the queue.
    pub fn pause(&self) {
        self.shared.state.lock().paused = true;
    }

    /// Continues after a pause.
    pub fn resume(&self) {
        self.shared.state.lock().paused = false;
        self.shared.changed.notify_all();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.stopped = true;
        // Dropping a job ends the `run` that waits for it.
        state.waiting.clear();
        drop(state);
        self.shared.changed.notify_all();
    }
}

/// Cancels a job when the future that waits for it is dropped.
struct CancelOnDrop<'a> {
    shared: &'a Shared,
    number: u64,
    cancel: Cancel,
    finished: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.cancel.set();
            self.shared.cancel(self.number);
        }
    }
}

impl Shared {
    fn push(&self, user: &Arc<str>, run: Box<dyn FnOnce() + Send>) -> Result<u64, WorkError> {
        let mut state = self.state.lock();
        let waiting_of_user = state.waiting.iter().filter(|job| job.user == *user).count();
        if state.waiting.len() >= self.settings.queue
            || waiting_of_user >= self.settings.queue_of_user()
        {
            state.counts.refused += 1;
            return Err(WorkError::QueueFull);
        }
        state.last += 1;
        let number = state.last;
        let user = Arc::clone(user);
        state.waiting.push_back(Job { number, user, run });
        drop(state);
        self.changed.notify_one();
        Ok(number)
    }

    /// Removes a cancelled job from the queue if it has not started.
    fn cancel(&self, number: u64) {
        let mut state = self.state.lock();
        state.counts.cancelled += 1;
        let index = state.waiting.iter().position(|job| job.number == number);
        let job = index.and_then(|index| state.waiting.remove(index));
        drop(state);
        // The job drops its guard without the lock.
        drop(job);
    }

    /// Runs jobs until the pool stops.
    fn work(&self) {
        let mut state = self.state.lock();
        while !state.stopped {
            let Some(job) = state.next(self.settings.threads_of_user()) else {
                self.changed.wait(&mut state);
                continue;
            };
            state.counts.begun += 1;
            state.running.push(Arc::clone(&job.user));
            MutexGuard::unlocked(&mut state, || {
                // The panic hook has logged the panic. Dropping the sender ends the `run` that waits.
                let _panicked = catch_unwind(AssertUnwindSafe(job.run));
            });
            let index = state.running.iter().position(|user| *user == job.user);
            if let Some(index) = index {
                state.running.swap_remove(index);
            }
            // A waiting job of this user may start now.
            self.changed.notify_one();
        }
    }
}

impl State {
    /// Takes the next job: the oldest of the user with the fewest running jobs. None if all users with waiting jobs
    /// have as many threads as one user may have.
    fn next(&mut self, max_per_user: usize) -> Option<Job> {
        if self.paused {
            return None;
        }
        let running = |user: &Arc<str>| self.running.iter().filter(|it| *it == user).count();
        let waiting = self.waiting.iter().enumerate();
        let (busy, index) = waiting
            .map(|(index, job)| (running(&job.user), index))
            .min()?;
        if busy >= max_per_user {
            return None;
        }
        self.waiting.remove(index)
    }
}
