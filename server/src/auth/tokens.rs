//! Authenticates bearer tokens with TokenReviews.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use kube::Client;

use super::User;
use super::metrics::ReviewMetrics;
use super::review::{ReviewError, Reviewer};
use super::review_cache::{ReviewCache, ReviewResult};
use crate::clock::Clock;

/// The longest token that is reviewed, in bytes. Tokens of service accounts have about 1 KiB; those of users with
/// many groups have more.
const MAX_TOKEN: usize = 16 << 10;

/// The number of concurrent reviews. Anyone can send invalid tokens, and each costs the API server a review.
const MAX_CONCURRENT: usize = 32;

/// The largest user that is cached, in bytes.
const MAX_CACHED: usize = 64 << 10;

/// Reads the token of `Authorization: Bearer TOKEN`, as k8s.io/apiserver does. Other values are no credentials.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    // A value that is not UTF-8 is an invalid token, not a missing one.
    let value = String::from_utf8_lossy(headers.get(AUTHORIZATION)?.as_bytes());
    let mut parts = value.trim().split(' ');
    let (scheme, token) = (parts.next()?, parts.next()?);
    let is_token = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    is_token.then(|| token.to_owned())
}

/// Requests TokenReviews.
pub(super) struct Tokens {
    reviewer: Arc<Reviewer>,
    lifetime: Duration,
    pub(super) cache: Arc<ReviewCache<Option<Arc<User>>>>,
}

impl ReviewResult for Option<Arc<User>> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, |user| size(user))
    }

    fn is_positive(&self) -> bool {
        self.is_some()
    }
}

/// The size of a user in bytes, about.
fn size(user: &User) -> usize {
    let texts = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
    let extra = user.extra.iter();
    let extra = extra.map(|(key, values)| key.len() + 48 + texts(values));
    user.name.len() + user.uid.len() + texts(&user.groups) + extra.sum::<usize>() + 128
}

impl Tokens {
    /// `lifetime` is the lifetime of a result in the cache, for valid and invalid tokens.
    pub(super) fn new(
        client: Client,
        lifetime: Duration,
        clock: Arc<dyn Clock>,
        metrics: ReviewMetrics,
    ) -> Result<Self, ring::error::Unspecified> {
        const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
        Ok(Self {
            reviewer: Arc::new(Reviewer::new(client, PATH, MAX_CONCURRENT)),
            lifetime,
            cache: ReviewCache::new(clock, metrics)?,
        })
    }

    /// Returns the owner of a token; `None` if the token is invalid.
    pub(super) async fn user(&self, token: &str) -> Result<Option<Arc<User>>, ReviewError> {
        if token.len() > MAX_TOKEN {
            return Ok(None);
        }
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: token.to_owned(),
                ..TokenReviewSpec::default()
            },
            ..TokenReview::default()
        };
        let (reviewer, lifetime) = (Arc::clone(&self.reviewer), self.lifetime);
        let start_review = move || {
            let permit = reviewer.permit()?;
            Ok(async move {
                let user = reviewer.review(permit, &review, read).await?;
                let small = user.as_ref().is_none_or(|user| size(user) <= MAX_CACHED);
                Ok((user, if small { lifetime } else { Duration::ZERO }))
            })
        };
        self.cache
            .get_or_review(token.as_bytes(), start_review)
            .await
    }
}

/// Reads the user of a review. The API server's reason for an invalid token is not used.
fn read(review: TokenReview) -> Result<Option<Arc<User>>, ReviewError> {
    let status = review
        .status
        .ok_or_else(|| ReviewError::Unreadable("the review has no status".to_owned()))?;
    if status.authenticated != Some(true) {
        return Ok(None);
    }
    let user = status.user.unwrap_or_default();
    let name = user.username.filter(|name| !name.is_empty());
    let name =
        name.ok_or_else(|| ReviewError::Unreadable("the review names no user".to_owned()))?;
    let user = User {
        name,
        uid: user.uid.unwrap_or_default(),
        groups: user.groups.unwrap_or_default(),
        extra: user.extra.unwrap_or_default(),
    };
    Ok(Some(Arc::new(user.authenticated())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(header: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]);
        bearer(&headers)
    }

    #[test]
    fn only_the_bearer_scheme_has_a_token() {
        for (header, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("  BEARER abc  ", Some("abc")),
            ("Bearer abc def", Some("abc")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer  abc", None),
            ("Basic abc", None),
            ("abc", None),
            ("", None),
            ("Bearer \u{fc}", Some("\u{fc}")),
        ] {
            assert_eq!(token(header).as_deref(), expected, "{header:?}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
        let garbled = http::HeaderValue::from_bytes(b"Bearer \xff").unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, garbled)]);
        assert_eq!(bearer(&headers).as_deref(), Some("\u{fffd}"));
    }

    fn read_status(status: serde_json::Value) -> Result<Option<Arc<User>>, ReviewError> {
        let review = json!({"spec": {"token": "t"}, "status": status});
        read(serde_json::from_value(review).unwrap())
    }

    #[test]
    fn a_review_must_name_the_user() {
        let good = json!({"authenticated": true, "user": {
            "username": "jane", "uid": "1", "groups": ["dev"], "extra": {"k": ["v"]}
        }});
        let user = read_status(good).unwrap().unwrap();
        assert_eq!((user.name.as_str(), user.uid.as_str()), ("jane", "1"));
        assert_eq!(user.groups, ["dev", "system:authenticated"]);
        assert_eq!(user.extra["k"], ["v"]);
        for status in [
            json!({}),
            json!({"authenticated": false, "user": {"username": "jane"}}),
            json!({"error": "expired", "user": {}}),
        ] {
            assert_eq!(read_status(status), Ok(None));
        }
        for garbled in [
            json!({"authenticated": true}),
            json!({"authenticated": true, "user": {"username": ""}}),
            json!(null),
        ] {
            assert!(read_status(garbled).is_err());
        }
    }
}
