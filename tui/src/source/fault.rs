//! Classifies errors: the text on the screen, and when the request is retried.

use std::time::Duration;

use kubevitals_proto::backoff::{Backoff, Random};

use super::error_text::first_line;
use super::{Error, Failure};
use crate::model::{Fault, FaultKind};

/// The first and the longest delay after no response, or after a failure of the server.
const UNANSWERED: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// The first and the longest delay after a denial, which lasts until somebody grants a permission or installs an API.
const REFUSED: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(120)];

/// The longest `Retry-After` that is followed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

impl Error {
    /// The kind and text of the failure.
    pub(super) fn fault(&self) -> Fault {
        let (kind, text) = match self {
            Self::Server(failure) => of_server(failure),
            Self::Refused(host) => (
                FaultKind::NoAnswer,
                format!("no answer: {host} refuses the connection"),
            ),
            Self::Unreachable(why) => (FaultKind::NoAnswer, format!("no answer: {why}")),
            Self::Config(_) | Self::Configs(_) | Self::NoContext(_) | Self::Request(_) => {
                (FaultKind::Invalid, first_line(&self.to_string()))
            }
        };
        Fault { kind, text }
    }

    /// The server's `Retry-After`.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Server(failure) => failure.retry_after.map(Duration::from_secs),
            _ => None,
        }
    }
}

fn of_server(failure: &Failure) -> (FaultKind, String) {
    let message = first_line(&failure.message);
    match failure.code {
        401 => (
            FaultKind::Unauthorized,
            "the server does not accept your credential".to_owned(),
        ),
        403 => (
            FaultKind::Forbidden,
            format!("forbidden: {}", denied(&message).unwrap_or(message)),
        ),
        404 if message.ends_with("not found") => (FaultKind::NotFound, "not found".to_owned()),
        404 => (
            FaultKind::NotFound,
            "not found: the cluster does not serve this API".to_owned(),
        ),
        410 => (
            FaultKind::Expired,
            "the resource version is too old".to_owned(),
        ),
        429 => (FaultKind::Busy, format!("the server is busy: {message}")),
        500.. if failure.retry_after.is_some() => {
            (FaultKind::Busy, format!("the server is busy: {message}"))
        }
        500.. => (FaultKind::Unavailable, format!("not available: {message}")),
        _ => (FaultKind::Invalid, message),
    }
}

/// Shortens a denial: `pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace
/// "shop"` becomes `User "jane" cannot list pods in namespace shop`.
fn denied(message: &str) -> Option<String> {
    let (before, rest) = message.split_once(" cannot ")?;
    let subject = before
        .split_once(" is forbidden: ")
        .map_or(before, |(_, subject)| subject);
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once("\" in API group \"")?;
    let (group, rest) = rest.split_once('"')?;
    let mut text = format!("{subject} cannot {verb} {resource}");
    if !group.is_empty() {
        text.push_str(&format!(".{group}"));
    }
    let namespace = rest
        .strip_prefix(" in the namespace \"")
        .and_then(|rest| rest.split('"').next());
    if let Some(namespace) = namespace {
        text.push_str(&format!(" in namespace {namespace}"));
    }
    Some(text)
}

/// The back-off of failed requests. Requests are retried for ever.
#[derive(Debug, Clone)]
pub(super) struct Retry {
    unanswered: Backoff,
    refused: Backoff,
}

impl Retry {
    /// A back-off with the shortest delays.
    pub(super) fn new(random: Random) -> Self {
        let backoff = |[least, most]: [Duration; 2]| Backoff::new(least, most, random);
        Self {
            unanswered: backoff(UNANSWERED),
            refused: backoff(REFUSED),
        }
    }

    /// The delay after this error.
    pub(super) fn delay(&mut self, error: &Error) -> Duration {
        match error.retry_after() {
            // At least the first delay.
            Some(wait) => wait.clamp(Duration::from_secs(1), MAX_RETRY_AFTER),
            None => self.delay_after(error.fault().kind),
        }
    }

    /// The delay after an error of this kind.
    pub(super) fn delay_after(&mut self, kind: FaultKind) -> Duration {
        if kind.is_refusal() {
            self.refused.delay()
        } else {
            self.unanswered.delay()
        }
    }

    /// Returns to the shortest delays after a success.
    pub(super) fn reset(&mut self) {
        self.unanswered.reset();
        self.refused.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: u16, message: &str, retry_after: Option<u64>) -> Error {
        Error::Server(Failure {
            code,
            reason: String::new(),
            message: message.to_owned(),
            details: None,
            retry_after,
        })
    }

    #[test]
    fn every_error_has_a_kind_and_a_text() {
        // The status, `Retry-After`, the server's message, and the kind and text of the fault.
        for row in r#"
            401 | | Unauthorized | Unauthorized | the server does not accept your credential
            403 | | pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "shop" | Forbidden | forbidden: User "jane" cannot list pods in namespace shop
            403 | | nodevitals.kubevitals.io is forbidden: User "system:serviceaccount:a:b" cannot watch resource "nodevitals" in API group "kubevitals.io" at the cluster scope: RBAC: … | Forbidden | forbidden: User "system:serviceaccount:a:b" cannot watch nodevitals.kubevitals.io
            403 | | no reason | Forbidden | forbidden: no reason
            404 | | pods "web-1" not found | NotFound | not found
            404 | | the server could not find the requested resource | NotFound | not found: the cluster does not serve this API
            410 | | too old resource version | Expired | the resource version is too old
            429 | 1 | too many requests | Busy | the server is busy: too many requests
            503 | 5 | starting | Busy | the server is busy: starting
            503 | | service unavailable | Unavailable | not available: service unavailable
            500 | | etcd | Unavailable | not available: etcd
            400 | | bad | Invalid | bad
        "#
        .trim()
        .lines()
        {
            let columns: Vec<&str> = row.split('|').map(str::trim).collect();
            let [code, retry_after, message, kind, text] = columns[..] else {
                panic!("{row}")
            };
            let error = failure(code.parse().unwrap(), message, retry_after.parse().ok());
            let fault = error.fault();
            assert_eq!((&*format!("{:?}", fault.kind), &*fault.text), (kind, text));
        }
        for (error, text) in [
            (
                Error::Refused("k:6443".to_owned()),
                "no answer: k:6443 refuses the connection",
            ),
            (Error::Unreachable("EOF".to_owned()), "no answer: EOF"),
        ] {
            let fault = error.fault();
            assert_eq!((fault.kind, &*fault.text), (FaultKind::NoAnswer, text));
        }
    }

    #[test]
    fn delays_double_for_each_kind_until_a_success() {
        let seconds = |codes: &[u16]| {
            let mut retry = Retry::new(|| 0.5);
            let delay = |code: &u16| retry.delay(&failure(*code, "", None)).as_secs();
            codes.iter().map(delay).collect::<Vec<_>>()
        };
        assert_eq!(seconds(&[503; 7]), [1, 2, 4, 8, 16, 30, 30]);
        for refusal in [401, 403, 404] {
            assert_eq!(seconds(&[refusal; 8]), [2, 4, 8, 16, 32, 64, 120, 120]);
        }
        // The first denial after no response counts as the first of its kind.
        assert_eq!(seconds(&[503, 503, 403, 503]), [1, 2, 2, 4]);
        let mut retry = Retry::new(|| 0.5);
        let refused = failure(403, "", None);
        retry.delay(&refused);
        retry.delay(&refused);
        retry.reset();
        assert_eq!(retry.delay(&refused).as_secs(), 2);
    }

    #[test]
    fn retry_after_is_followed_within_limits() {
        let mut retry = Retry::new(|| 0.5);
        for (seconds, expected) in [(0, 1), (7, 7), (86_400, 120)] {
            for code in [429, 503] {
                let delay = retry.delay(&failure(code, "", Some(seconds)));
                assert_eq!(delay.as_secs(), expected, "{seconds}");
            }
        }
    }
}
