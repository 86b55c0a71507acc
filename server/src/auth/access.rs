//! Authorizes users with SubjectAccessReviews.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    FieldSelectorAttributes, LabelSelectorAttributes, NonResourceAttributes, ResourceAttributes,
    SubjectAccessReview, SubjectAccessReviewSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    FieldSelectorRequirement, LabelSelectorRequirement,
};
use kube::Client;
use kubevitals_proto::selector::{FieldOperator, FieldSelector, LabelSelector, Operator};

use super::metrics::ReviewMetrics;
use super::review::{ReviewError, Reviewer};
use super::review_cache::{ReviewCache, ReviewResult};
use super::{Attributes, Target, User};
use crate::clock::Clock;

/// The number of concurrent reviews for authenticated users.
const MAX_CONCURRENT: usize = 64;

/// The number of concurrent reviews for anonymous users, who cannot delay the others.
const MAX_CONCURRENT_ANONYMOUS: usize = 8;

/// The longest reason that is stored and sent, in bytes.
const MAX_REASON: usize = 1 << 10;

/// The API server's decision about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    /// The reason; may be empty.
    Denied(Arc<str>),
}

impl ReviewResult for Decision {
    fn bytes(&self) -> usize {
        match self {
            Self::Allowed => 0,
            Self::Denied(reason) => reason.len(),
        }
    }

    fn is_positive(&self) -> bool {
        *self == Self::Allowed
    }
}

/// Requests SubjectAccessReviews.
pub(super) struct Access {
    authenticated: Arc<Reviewer>,
    anonymous: Arc<Reviewer>,
    allowed: Duration,
    denied: Duration,
    pub(super) cache: Arc<ReviewCache<Decision>>,
}

impl Access {
    /// `allowed` and `denied` are the lifetimes of such a decision in the cache.
    pub(super) fn new(
        client: Client,
        allowed: Duration,
        denied: Duration,
        clock: Arc<dyn Clock>,
        metrics: ReviewMetrics,
    ) -> Result<Self, ring::error::Unspecified> {
        const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        Ok(Self {
            authenticated: Arc::new(Reviewer::new(client.clone(), PATH, MAX_CONCURRENT)),
            anonymous: Arc::new(Reviewer::new(client, PATH, MAX_CONCURRENT_ANONYMOUS)),
            allowed,
            denied,
            cache: ReviewCache::new(clock, metrics)?,
        })
    }

    /// Decides whether `user` may do what `attributes` say.
    pub(super) async fn decide(
        &self,
        user: &User,
        attributes: &Attributes,
    ) -> Result<Decision, ReviewError> {
        let review = SubjectAccessReview {
            spec: spec(user, attributes),
            ..SubjectAccessReview::default()
        };
        let key = serde_json::to_vec(&review.spec)
            .map_err(|error| ReviewError::Unreadable(error.to_string()))?;
        let reviewer = if user.is_anonymous() {
            &self.anonymous
        } else {
            &self.authenticated
        };
        let reviewer = Arc::clone(reviewer);
        let (allowed, denied) = (self.allowed, self.denied);
        let start_review = move || {
            let permit = reviewer.permit()?;
            Ok(async move {
                let decision = reviewer.review(permit, &review, read).await?;
                let lifetime = match decision {
                    Decision::Allowed => allowed,
                    Decision::Denied(_) => denied,
                };
                Ok((decision, lifetime))
            })
        };
        self.cache.get_or_review(&key, start_review).await
    }
}

/// Reads the decision of a review. A review that both allows and denies is invalid.
fn read(review: SubjectAccessReview) -> Result<Decision, ReviewError> {
    let status = review
        .status
        .ok_or_else(|| ReviewError::Unreadable("the review has no status".to_owned()))?;
    match (status.allowed, status.denied.unwrap_or_default()) {
        (true, true) => Err(ReviewError::Unreadable(
            "the review both allows and denies".to_owned(),
        )),
        (true, false) => Ok(Decision::Allowed),
        (false, _) => {
            let mut reason = status.reason.unwrap_or_default();
            reason.truncate(reason.floor_char_boundary(MAX_REASON));
            Ok(Decision::Denied(reason.into()))
        }
    }
}

fn spec(user: &User, attributes: &Attributes) -> SubjectAccessReviewSpec {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut spec = SubjectAccessReviewSpec {
        user: text(&user.name),
        uid: text(&user.uid),
        groups: (!user.groups.is_empty()).then(|| user.groups.clone()),
        extra: (!user.extra.is_empty()).then(|| user.extra.clone()),
        ..SubjectAccessReviewSpec::default()
    };
    match &attributes.target {
        Target::Path => {
            spec.non_resource_attributes = Some(NonResourceAttributes {
                path: text(&attributes.path),
                verb: text(&attributes.verb),
            });
        }
        Target::Resource(it) => {
            spec.resource_attributes = Some(ResourceAttributes {
                verb: text(&attributes.verb),
                group: text(&it.group),
                version: text(&it.version),
                namespace: text(&it.namespace),
                resource: text(&it.resource),
                subresource: text(&it.subresource),
                name: text(&it.name),
                field_selector: attributes.selectors.fields.as_ref().and_then(fields),
                label_selector: attributes.selectors.labels.as_ref().and_then(labels),
            });
        }
    }
    spec
}

fn fields(selector: &FieldSelector) -> Option<FieldSelectorAttributes> {
    let requirement = |(key, operator, value): (&str, FieldOperator, &str)| {
        let operator = match operator {
            FieldOperator::Equals => "In",
            FieldOperator::NotEquals => "NotIn",
        };
        FieldSelectorRequirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: Some(vec![value.to_owned()]),
        }
    };
    let requirements: Vec<_> = selector.iter().map(requirement).collect();
    (!requirements.is_empty()).then_some(FieldSelectorAttributes {
        requirements: Some(requirements),
        ..FieldSelectorAttributes::default()
    })
}

fn labels(selector: &LabelSelector) -> Option<LabelSelectorAttributes> {
    let requirements: Vec<_> = selector
        .requirements()
        .iter()
        .filter_map(|requirement| {
            let operator = match requirement.operator {
                Operator::Equals | Operator::DoubleEquals | Operator::In => "In",
                Operator::NotEquals | Operator::NotIn => "NotIn",
                Operator::Exists => "Exists",
                Operator::DoesNotExist => "DoesNotExist",
                // A review cannot express this operator. Without the requirement it requests more, never less.
                Operator::GreaterThan | Operator::LessThan => return None,
            };
            let values = &requirement.values;
            Some(LabelSelectorRequirement {
                key: requirement.key.clone(),
                operator: operator.to_owned(),
                values: (!values.is_empty()).then(|| values.clone()),
            })
        })
        .collect();
    (!requirements.is_empty()).then_some(LabelSelectorAttributes {
        requirements: Some(requirements),
        ..LabelSelectorAttributes::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use serde_json::{Value, json};

    fn spec_of(method: Method, uri: &str) -> Value {
        let attributes = Attributes::of(&method, &uri.parse().unwrap());
        let user = User {
            name: "jane".to_owned(),
            uid: "7".to_owned(),
            groups: vec!["dev".to_owned()],
            extra: [("k".to_owned(), vec!["v".to_owned()])].into(),
        };
        serde_json::to_value(spec(&user, &attributes)).unwrap()
    }

    #[test]
    fn a_review_has_all_attributes_that_a_rule_reads() {
        let user = json!({"user": "jane", "uid": "7", "groups": ["dev"], "extra": {"k": ["v"]}});
        let with = |member: &str, attributes: Value| {
            let mut spec = user.clone();
            spec[member] = attributes;
            spec
        };
        let path = json!({"path": "/metrics", "verb": "get"});
        let path = with("nonResourceAttributes", path);
        assert_eq!(spec_of(Method::GET, "/metrics?x"), path);
        let pod = "/apis/metrics.k8s.io/v1/namespaces/ns/pods/a/why";
        let attributes = json!({
            "verb": "get", "group": "metrics.k8s.io", "version": "v1", "namespace": "ns",
            "resource": "pods", "subresource": "why", "name": "a",
        });
        let attributes = with("resourceAttributes", attributes);
        assert_eq!(spec_of(Method::GET, pod), attributes);
    }

    #[test]
    fn selectors_become_requirements() {
        let list = "/apis/metrics.k8s.io/v1/pods?labelSelector=\
                    app%3Dweb,tier+notin+(b,a),canary,!old,n%3E5&fieldSelector=metadata.namespace!%3Dx";
        let attributes = &spec_of(Method::GET, list)["resourceAttributes"];
        assert_eq!(
            attributes["fieldSelector"],
            json!({"requirements": [{"key": "metadata.namespace", "operator": "NotIn", "values": ["x"]}]})
        );
        let mut requirements: Vec<String> = attributes["labelSelector"]["requirements"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        requirements.sort();
        assert_eq!(
            requirements,
            [
                r#"{"key":"app","operator":"In","values":["web"]}"#,
                r#"{"key":"canary","operator":"Exists"}"#,
                r#"{"key":"old","operator":"DoesNotExist"}"#,
                r#"{"key":"tier","operator":"NotIn","values":["a","b"]}"#,
            ]
        );
        let none =
            &spec_of(Method::GET, "/apis/g/v/pods?labelSelector=n%3E5")["resourceAttributes"];
        assert_eq!(none.get("labelSelector"), None);
    }

    #[test]
    fn only_an_explicit_yes_allows() {
        let read_status = |status: Value| {
            let review = json!({"spec": {}, "status": status});
            read(serde_json::from_value(review).unwrap())
        };
        assert_eq!(read_status(json!({"allowed": true})), Ok(Decision::Allowed));
        let denied = |reason: &str| Ok(Decision::Denied(reason.into()));
        assert_eq!(read_status(json!({"allowed": false})), denied(""));
        let status = json!({"allowed": false, "denied": true, "reason": "not today"});
        assert_eq!(read_status(status), denied("not today"));
        assert!(read_status(json!({"allowed": true, "denied": true})).is_err());
        assert!(read_status(json!(null)).is_err());
        let long = json!({"allowed": false, "reason": "\u{fc}".repeat(MAX_REASON)});
        let Ok(Decision::Denied(reason)) = read_status(long) else {
            panic!("denied")
        };
        assert!(reason.len() <= MAX_REASON);
    }
}
