//! Lists that are read page by page, up to a bound.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta as JsonListMeta;
use kubevitals_proto::objects::lenient;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{JSON, escaped};
use super::status::About;
use super::{ApiClient, Error};

/// The largest number of objects on a page.
const PAGE: usize = 500;

/// The largest number of pages that are read of a list.
const MAX_PAGES: usize = 10;

/// How much of a list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// All objects.
    All,
    /// The first objects, in the order of the API server; there are more.
    First(usize),
}

impl Read {
    /// What to say about objects that were not read, if there are any.
    pub(super) fn cut(self, resource: &str) -> Option<String> {
        match self {
            Self::All => None,
            Self::First(count) => Some(format!("{resource}: only the first {count} are read")),
        }
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    #[serde(default)]
    metadata: JsonListMeta,
    #[serde(default, deserialize_with = "lenient")]
    items: Vec<Option<T>>,
}

impl ApiClient {
    /// Requests a list page by page and gives the objects of each page to `take`. Objects that cannot be parsed are left
    /// out. `path` may have a query.
    pub(super) async fn read_pages<T: DeserializeOwned>(
        &self,
        path: &str,
        resource: &str,
        mut take: impl FnMut(Vec<T>),
    ) -> Result<Read, Error> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}limit={PAGE}");
        let (mut token, mut count) = (String::new(), 0);
        for _ in 0..MAX_PAGES {
            let path = match token.as_str() {
                "" => path.clone(),
                token => format!("{path}&continue={}", escaped(token)),
            };
            let about = About::list(resource);
            let page: Page<T> = self.parsed(&path, JSON, about).await?;
            count += page.items.len();
            take(page.items.into_iter().flatten().collect());
            token = page.metadata.continue_.unwrap_or_default();
            if token.is_empty() {
                return Ok(Read::All);
            }
        }
        tracing::warn!(
            resource,
            count,
            "did not read the rest of a list: it has too many objects"
        );
        Ok(Read::First(count))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use http::{Request, Response};
    use kube::client::{Body, ClientBuilder};
    use serde_json::{Value, json};
    use tower::{BoxError, service_fn};

    use super::*;

    /// Reads a list of so many pages of one object each. Returns the outcome, the objects and the requests.
    async fn read(pages: usize) -> (Read, Vec<u64>, Vec<String>) {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, served) = (Arc::clone(&requests), AtomicUsize::new(0));
        let service = service_fn(move |request: Request<Body>| {
            seen.lock().unwrap().push(request.uri().to_string());
            let number = served.fetch_add(1, Ordering::Relaxed) + 1;
            let token = if number < pages { "a b" } else { "" };
            let body =
                json!({"metadata": {"continue": token}, "items": [{"at": number}, "no object"]});
            let response = Response::builder()
                .header("content-type", "application/json")
                .body(Body::from(body.to_string().into_bytes()));
            async move { Ok::<_, BoxError>(response?) }
        });
        let client = ApiClient::over(ClientBuilder::new(service, "default").build(), "test");
        let mut all = Vec::new();
        let take =
            |page: Vec<Value>| all.extend(page.iter().filter_map(|item| item["at"].as_u64()));
        let outcome = client.read_pages("/api/v1/things", "things", take).await;
        let requests = requests.lock().unwrap().clone();
        (outcome.unwrap(), all, requests)
    }

    #[tokio::test]
    async fn every_page_is_read_up_to_the_bound() {
        let (outcome, all, requests) = read(3).await;
        assert_eq!((outcome, all), (Read::All, vec![1, 2, 3]));
        assert_eq!(
            requests,
            [
                "/api/v1/things?limit=500",
                "/api/v1/things?limit=500&continue=a%20b",
                "/api/v1/things?limit=500&continue=a%20b",
            ]
        );
        let (outcome, all, requests) = read(usize::MAX).await;
        assert_eq!((all.len(), requests.len()), (MAX_PAGES, MAX_PAGES));
        assert_eq!(
            outcome.cut("things").as_deref(),
            Some("things: only the first 20 are read")
        );
    }
}
