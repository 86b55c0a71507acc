//! Encodes the values of a list.

use std::time::Duration;

use axum::response::Response;
use http::HeaderMap;
use kubevitals_proto::custom_metrics::{Item, List};

use crate::api::reply::Form;
use crate::api::streaming::{self, CHUNK, ChunkEncoder};

/// The values of a list, each converted while it is encoded.
struct Encoder<T, F> {
    values: std::vec::IntoIter<T>,
    to_item: F,
    list: List,
}

/// Responds with a list of values.
pub(super) async fn respond<T, I, F>(
    values: Vec<T>,
    to_item: F,
    mut list: List,
    form: Form,
    headers: &HeaderMap,
) -> Response
where
    T: Send + 'static,
    I: Item,
    F: Fn(&T) -> I + Send + 'static,
{
    if list.needs_lengths() {
        for value in &values {
            list.measure(&to_item(value));
        }
    }
    let len = list.measured_len();
    let encoder = Encoder {
        values: values.into_iter(),
        to_item,
        list,
    };
    streaming::respond(encoder, form, len, headers).await
}

impl<T, I, F> ChunkEncoder for Encoder<T, F>
where
    T: Send + 'static,
    I: Item,
    F: Fn(&T) -> I + Send + 'static,
{
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        for value in self.values.by_ref() {
            self.list.item(out, &(self.to_item)(&value));
            if out.len() >= CHUNK {
                return true;
            }
        }
        self.list.end(out);
        false
    }
}

/// A window in whole seconds, to the nearest one.
pub(super) fn seconds(window: Duration) -> i64 {
    let rounded = window.saturating_add(Duration::from_millis(500)).as_secs();
    i64::try_from(rounded).unwrap_or(i64::MAX)
}
