//! The tasks of the server's parts.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

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
}
