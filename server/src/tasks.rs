//! The tasks of the server's parts.

use std::collections::HashMap;
use std::io;
use std::thread;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Tasks by the names of their parts. Dropping them aborts them.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Tasks {
    /// Starts a task of a part.
    pub fn spawn(&mut self, part: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.set.spawn(task).id();
        self.names.insert(id, part);
    }

    /// Starts a task of a part on a thread with a runtime of its own, which also runs the tasks that it starts. They wake no
    /// other thread, and share no queue with requests.
    ///
    /// # Errors
    /// The operating system starts no thread.
    pub fn spawn_on_thread(
        &mut self,
        part: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let abort = CancellationToken::new();
        let (running, ended) = oneshot::channel::<()>();
        let aborted = abort.clone();
        thread::Builder::new()
            .name(part.to_owned())
            .spawn(move || {
                // Dropped at the end, also by a panic.
                let _running = running;
                runtime.block_on(aborted.run_until_cancelled_owned(task));
            })?;
        let abort = abort.drop_guard();
        self.spawn(part, async move {
            let _abort = abort;
            let _ended = ended.await;
        });
        Ok(())
    }

    /// Waits until a task has ended, also by a panic, and returns the name of its part.
    pub async fn ended(&mut self) -> &'static str {
        let Some(ended) = self.set.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.names.remove(&id).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_part_whose_task_ended_is_named() {
        let mut tasks = Tasks::default();
        tasks.spawn("other", std::future::pending());
        tasks.spawn("defective", async { panic!("as a defect would") });
        assert_eq!(tasks.ended().await, "defective");
        tasks.spawn("over", async {});
        assert_eq!(tasks.ended().await, "over");
    }

    #[tokio::test]
    async fn a_part_on_a_thread_ends_with_its_task_or_with_all_tasks() {
        let mut tasks = Tasks::default();
        let defective = async { panic!("as a defect would") };
        tasks.spawn_on_thread("defective", defective).unwrap();
        assert_eq!(tasks.ended().await, "defective");
        let (running, ended) = oneshot::channel::<()>();
        let forever = async move {
            let _running = running;
            std::future::pending().await
        };
        tasks.spawn_on_thread("forever", forever).unwrap();
        drop(tasks);
        ended.await.unwrap_err();
    }
}
