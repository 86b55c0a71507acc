//! What discovery says of the group.

use kubevitals_proto::vitals::discovery::SERVED;

/// Names, short names and singular names of Kubernetes' own resources that one would meet here.
const TAKEN: [&str; 12] = [
    "po", "pods", "no", "nodes", "pv", "pvc", "ev", "events", "ns", "cs", "pc", "cj",
];

#[test]
fn no_name_is_taken_and_each_is_there_once() {
    let mut names: Vec<&str> = TAKEN.to_vec();
    for resource in SERVED.resources {
        names.push(resource.name);
        names.extend(resource.short_names);
        if resource.singular != resource.name {
            names.push(resource.singular);
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
}

#[test]
fn both_forms_decode_to_the_same_value() {
    let old = SERVED.resources("v1alpha1");
    assert_eq!(old.group_version, "kubevitals.io/v1alpha1");
    let names: Vec<&str> = old.resources.iter().map(|one| &*one.name).collect();
    assert_eq!(
        names,
        [
            "availabilities",
            "clustervitals",
            "clustervitals/history",
            "incidents",
            "nodevitals",
            "nodevitals/history",
            "podvitals",
            "podvitals/history",
            "podvitals/metrics",
            "volumevitals"
        ]
    );
    let new = SERVED.aggregated();
    let mut listed = Vec::new();
    for resource in &new.versions[0].resources {
        listed.push(resource.resource.clone());
        let parts = resource.subresources.iter();
        listed.extend(parts.map(|part| format!("{}/{}", resource.resource, part.subresource)));
    }
    assert_eq!(listed, names);
    assert!(SERVED.resources.is_sorted_by_key(|resource| resource.name));
}
