//! Requests for single objects, for every source of data: logs, descriptions, YAML, events, and changes of the cluster.

mod change;
mod drain;
mod intake;
mod logs;
mod read;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::logs::Logs;
use super::ApiClient;
use super::message_sender::MessageSender;
use crate::model::{ClusterChange, DirectRequest, Message, Name};

/// Serves requests for single objects.
pub(super) struct Direct {
    client: ApiClient,
    sender: MessageSender,
}

impl Direct {
    /// A server of requests on a client.
    pub(super) fn new(client: &ApiClient, sender: &MessageSender) -> Self {
        Self {
            client: client.clone(),
            sender: sender.clone(),
        }
    }

    /// Serves requests, several at once, until the dashboard ends.
    pub(super) async fn run(self, mut requests: mpsc::Receiver<DirectRequest>) {
        let (wanted, logs) = watch::channel(None);
        let direct = Arc::new(self);
        let mut tasks = JoinSet::new();
        let source = Logs {
            client: direct.client.clone(),
            sender: direct.sender.clone(),
        };
        tasks.spawn(async move { source.run(logs).await });
        let mut drains: HashMap<Name, watch::Sender<bool>> = HashMap::new();
        while let Some(request) = requests.recv().await {
            // Ended tasks need no memory.
            while tasks.try_join_next().is_some() {}
            let direct = Arc::clone(&direct);
            match request {
                DirectRequest::Logs(request) => drop(wanted.send_replace(request)),
                DirectRequest::Read(request) => {
                    tasks.spawn(async move {
                        let result = direct
                            .read(&request)
                            .await
                            .map_err(|error| error.fault().text);
                        let message = Message::Document(request.id, Box::new(result));
                        direct.sender.send(message).await;
                    });
                }
                DirectRequest::Change(ClusterChange::Drain(node)) => {
                    drains.retain(|_, cancel| !cancel.is_closed());
                    if !drains.contains_key(&node) {
                        let (cancel, cancelled) = watch::channel(false);
                        drains.insert(Name::clone(&node), cancel);
                        tasks.spawn(async move { direct.drain(&node, cancelled).await });
                    }
                }
                DirectRequest::CancelDrain(node) => {
                    if let Some(cancel) = drains.get(&node) {
                        cancel.send_replace(true);
                    }
                }
                DirectRequest::Change(change) => {
                    tasks.spawn(async move { direct.change(&change).await });
                }
            }
        }
    }

    /// Reports the result of a change.
    async fn report(&self, text: impl Into<String>, bad: bool) {
        self.sender.send(Message::Done(text.into(), bad)).await;
    }
}
