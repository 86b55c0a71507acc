//! Objects that limit what a namespace may have: ResourceQuotas, LimitRanges and PodDisruptionBudgets.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::WireMeta;
use crate::lenient::lenient;
use crate::quantity::Quantity;

/// A ResourceQuota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The name.
    pub name: String,
    /// The scopes: `NotTerminating`, `PriorityClass In [high]`. Without one the quota is of all pods.
    pub scopes: Vec<String>,
    /// The limit of each resource, in order of name.
    pub resources: Vec<QuotaResource>,
}

/// The limit of a resource, and what is used of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaResource {
    /// `requests.cpu`, `pods`, `count/jobs.batch`, …
    pub name: String,
    /// The limit.
    pub hard: Quantity,
    /// The use; `None` until the quota controller has counted.
    pub used: Option<Quantity>,
}

impl QuotaResource {
    /// The used part of the limit. `None` if the use is unknown, and for nothing of nothing.
    pub fn part(&self) -> Option<f64> {
        let (used, hard) = (self.used?.to_f64(), self.hard.to_f64());
        match hard > 0.0 {
            true => Some(used / hard),
            false => (used > 0.0).then_some(1.0),
        }
    }
}

/// A ResourceQuota on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireQuota {
    #[serde(deserialize_with = "lenient")]
    metadata: WireMeta,
    #[serde(deserialize_with = "lenient")]
    spec: Option<WireQuotaSpec>,
    #[serde(deserialize_with = "lenient")]
    status: Option<WireQuotaStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireQuotaSpec {
    #[serde(deserialize_with = "lenient")]
    hard: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    scopes: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    scope_selector: Option<WireScopes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireScopes {
    #[serde(deserialize_with = "lenient")]
    match_expressions: Vec<Option<WireScope>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireScope {
    #[serde(deserialize_with = "lenient")]
    scope_name: String,
    #[serde(deserialize_with = "lenient")]
    operator: String,
    #[serde(deserialize_with = "lenient")]
    values: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireQuotaStatus {
    #[serde(deserialize_with = "lenient")]
    used: BTreeMap<String, String>,
}

impl WireQuota {
    /// The quota. A limit that cannot be parsed is left out.
    pub fn convert(self) -> Quota {
        let spec = self.spec.unwrap_or_default();
        let used = self.status.unwrap_or_default().used;
        let selected = spec.scope_selector.unwrap_or_default().match_expressions;
        let selected = selected.into_iter().flatten().map(|scope| {
            let values = scope.values.join(",");
            format!("{} {} [{values}]", scope.scope_name, scope.operator)
        });
        Quota {
            name: self.metadata.name,
            scopes: spec.scopes.into_iter().chain(selected).collect(),
            resources: spec
                .hard
                .into_iter()
                .filter_map(|(name, hard)| {
                    Some(QuotaResource {
                        hard: hard.parse().ok()?,
                        used: used.get(&name).and_then(|used| used.parse().ok()),
                        name,
                    })
                })
                .collect(),
        }
    }
}

/// The limits that a LimitRange sets for one kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRange {
    /// `Container`, `Pod` or `PersistentVolumeClaim`.
    pub kind: String,
    /// `default`, `defaultRequest`, `max`, `min`, each with its amounts as in the object: `cpu 500m, memory 1Gi`.
    pub limits: Vec<(&'static str, String)>,
}

/// A LimitRange on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireLimitRange {
    #[serde(deserialize_with = "lenient")]
    spec: Option<WireLimits>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireLimits {
    #[serde(deserialize_with = "lenient")]
    limits: Vec<Option<WireLimit>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireLimit {
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    default: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    default_request: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    max: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    min: BTreeMap<String, String>,
}

impl WireLimitRange {
    /// The limits of each kind of object.
    pub fn convert(self) -> Vec<LimitRange> {
        let limits = self.spec.unwrap_or_default().limits.into_iter().flatten();
        limits
            .map(|limit| LimitRange {
                limits: [
                    ("default request", limit.default_request),
                    ("default limit", limit.default),
                    ("min", limit.min),
                    ("max", limit.max),
                ]
                .into_iter()
                .filter(|(_, amounts)| !amounts.is_empty())
                .map(|(word, amounts)| {
                    let amounts = amounts
                        .iter()
                        .map(|(name, amount)| format!("{name} {amount}"));
                    (word, amounts.collect::<Vec<_>>().join(", "))
                })
                .collect(),
                kind: limit.kind,
            })
            .collect()
    }
}

/// A PodDisruptionBudget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The name.
    pub name: String,
    /// `minAvailable 2` or `maxUnavailable 25%`.
    pub rule: String,
    /// How many pods may be evicted now.
    pub allowed: u32,
    /// Healthy pods.
    pub healthy: u32,
    /// The smallest number of healthy pods.
    pub desired: u32,
    selector: Option<WireSelector>,
}

impl Budget {
    /// Whether the budget is of pods with these labels. Without a selector it is of none; an empty one selects all.
    pub fn is_of(&self, labels: &BTreeMap<String, String>) -> bool {
        self.selector.as_ref().is_some_and(|it| it.matches(labels))
    }
}

/// A PodDisruptionBudget on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireBudget {
    #[serde(deserialize_with = "lenient")]
    metadata: WireMeta,
    #[serde(deserialize_with = "lenient")]
    spec: Option<WireBudgetSpec>,
    #[serde(deserialize_with = "lenient")]
    status: Option<WireBudgetStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireBudgetSpec {
    #[serde(deserialize_with = "lenient")]
    min_available: String,
    #[serde(deserialize_with = "lenient")]
    max_unavailable: String,
    #[serde(deserialize_with = "lenient")]
    selector: Option<WireSelector>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireSelector {
    #[serde(deserialize_with = "lenient")]
    match_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    match_expressions: Vec<Option<WireRequirement>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
struct WireRequirement {
    #[serde(deserialize_with = "lenient")]
    key: String,
    #[serde(deserialize_with = "lenient")]
    operator: String,
    #[serde(deserialize_with = "lenient")]
    values: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireBudgetStatus {
    #[serde(deserialize_with = "lenient")]
    disruptions_allowed: i64,
    #[serde(deserialize_with = "lenient")]
    current_healthy: i64,
    #[serde(deserialize_with = "lenient")]
    desired_healthy: i64,
}

impl WireSelector {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let mut equal = self.match_labels.iter();
        let mut others = self.match_expressions.iter().flatten();
        equal.all(|(key, value)| labels.get(key) == Some(value))
            && others.all(|requirement| requirement.holds(labels))
    }
}

impl WireRequirement {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let is_listed = value.is_some_and(|value| self.values.contains(value));
        match &*self.operator {
            "In" => is_listed,
            "NotIn" => !is_listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

impl WireBudget {
    /// The budget.
    pub fn convert(self) -> Budget {
        let spec = self.spec.unwrap_or_default();
        let status = self.status.unwrap_or_default();
        let count = |count: i64| u32::try_from(count).unwrap_or_default();
        let rule = match (&*spec.min_available, &*spec.max_unavailable) {
            ("", "") => String::new(),
            ("", most) => format!("maxUnavailable {most}"),
            (least, _) => format!("minAvailable {least}"),
        };
        Budget {
            name: self.metadata.name,
            rule,
            allowed: count(status.disruptions_allowed),
            healthy: count(status.current_healthy),
            desired: count(status.desired_healthy),
            selector: spec.selector,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_quota_has_the_use_of_each_limit() {
        let quota: WireQuota = serde_json::from_value(json!({
            "metadata": {"name": "team-a"},
            "spec": {"hard": {"requests.cpu": "4", "pods": "0", "x": "many", "limits.memory": "8Gi"},
                "scopes": ["NotTerminating"],
                "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}},
            "status": {"used": {"requests.cpu": "3500m", "pods": "0"}},
        }))
        .unwrap();
        let quota = quota.convert();
        assert_eq!(quota.scopes, ["NotTerminating", "PriorityClass In [high]"]);
        let parts = quota.resources.iter().map(|it| (&*it.name, it.part()));
        assert_eq!(
            parts.collect::<Vec<_>>(),
            [
                ("limits.memory", None),
                ("pods", None),
                ("requests.cpu", Some(0.875))
            ]
        );
        let bare: WireQuota = serde_json::from_value(json!({"spec": 7})).unwrap();
        assert!(bare.convert().resources.is_empty());
    }

    #[test]
    fn a_limit_range_has_its_amounts() {
        let range: WireLimitRange = serde_json::from_value(json!({"spec": {"limits": [null,
            {"type": "Container", "default": {"cpu": "500m", "memory": "1Gi"}, "max": {"cpu": "2"}}]}}))
        .unwrap();
        let limits = vec![
            ("default limit", "cpu 500m, memory 1Gi".to_owned()),
            ("max", "cpu 2".to_owned()),
        ];
        let kind = "Container".to_owned();
        assert_eq!(range.convert(), [LimitRange { kind, limits }]);
    }

    #[test]
    fn a_budget_is_of_the_pods_that_its_selector_selects() {
        let of = |selector: Value| {
            let budget: WireBudget = serde_json::from_value(json!({"metadata": {"name": "b"},
                "spec": {"minAvailable": 2, "selector": selector}, "status": {"disruptionsAllowed": 1}}))
            .unwrap();
            let budget = budget.convert();
            assert_eq!((&*budget.rule, budget.allowed), ("minAvailable 2", 1));
            budget.is_of(&BTreeMap::from([("app".to_owned(), "web".to_owned())]))
        };
        let expression = |operator: &str, values: &[&str]| {
            of(
                json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}),
            )
        };
        assert!(of(json!({"matchLabels": {"app": "web"}})) && of(json!({})));
        assert!(!of(json!({"matchLabels": {"app": "db"}})) && !of(json!(null)));
        assert!(expression("In", &["web"]) && !expression("In", &["db"]));
        assert!(!expression("NotIn", &["web"]) && expression("NotIn", &["db"]));
        assert!(expression("Exists", &[]) && !expression("DoesNotExist", &[]));
        assert!(!expression("Near", &[]));
    }
}
