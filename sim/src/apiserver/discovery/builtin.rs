//! What the API server serves itself.

use kubevitals_proto::wire::discovery::Resource;

use crate::objects;

/// Groups with their one version, in the order of their priority; the core group is apart.
pub(super) const GROUPS: &[(&str, &str)] = &[
    ("apiregistration.k8s.io", "v1"),
    ("apps", "v1"),
    ("authentication.k8s.io", "v1"),
    ("authorization.k8s.io", "v1"),
    ("autoscaling", "v2"),
    ("batch", "v1"),
    ("coordination.k8s.io", "v1"),
    ("discovery.k8s.io", "v1"),
    ("policy", "v1"),
];

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &[
    "create", "delete", "get", "list", "patch", "update", "watch",
];

const fn review(name: &'static str, singular: &'static str, kind: &'static str) -> Resource {
    Resource {
        name,
        singular,
        kind,
        namespaced: false,
        verbs: &["create"],
        short_names: &[],
        categories: &[],
        subresources: &[],
    }
}

#[rustfmt::skip] // one resource a line: a table
const REVIEWS: &[(&str, Resource)] = &[
    ("authentication.k8s.io", review("selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview")),
    ("authentication.k8s.io", review("tokenreviews", "tokenreview", "TokenReview")),
    ("authorization.k8s.io", Resource { namespaced: true, ..review("localsubjectaccessreviews", "localsubjectaccessreview", "LocalSubjectAccessReview") }),
    ("authorization.k8s.io", review("selfsubjectaccessreviews", "selfsubjectaccessreview", "SelfSubjectAccessReview")),
    ("authorization.k8s.io", review("selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview")),
    ("authorization.k8s.io", review("subjectaccessreviews", "subjectaccessreview", "SubjectAccessReview")),
];

/// The reviews of a group version.
fn reviews(group: &str, version: &str) -> impl Iterator<Item = Resource> {
    let own = REVIEWS
        .iter()
        .filter(move |(of, _)| *of == group && version == "v1");
    own.map(|(_, review)| *review)
}

/// The kind of a review, if the API server answers it.
pub(in super::super) fn review_kind(
    group: &str,
    version: &str,
    name: &str,
) -> Option<&'static str> {
    let mut reviews = reviews(group, version);
    reviews.find(|it| it.name == name).map(|it| it.kind)
}

/// The resources of a group version, sorted by name; none when it does not exist.
pub(super) fn resources(group: &str, version: &str) -> Vec<Resource> {
    let stored = objects::Resource::ALL
        .into_iter()
        .map(objects::Resource::info)
        .filter(|i| i.group == group && i.version == version);
    let mut served: Vec<Resource> = stored
        .map(|i| Resource {
            name: i.plural,
            singular: i.singular,
            kind: i.kind,
            namespaced: i.namespaced,
            verbs: if i.writable { WRITE } else { READ },
            short_names: i.short_names,
            categories: i.categories,
            subresources: &[],
        })
        .collect();
    served.extend(reviews(group, version));
    served.sort_by_key(|s| s.name);
    served
}
