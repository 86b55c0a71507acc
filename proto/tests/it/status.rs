//! Every error response of the peer, byte for byte.

use crate::fixtures::{assert_same_body, bytes};
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::wire::{pretty, status::Status};

#[track_caller]
fn is(status: &Status, body: &str) {
    let theirs = bytes(&format!("metrics-api/{body}.body"));
    assert_same_body(&pretty::indent(&status.to_json()), &theirs);
    assert_eq!(
        &serde_json::from_slice::<Status>(&theirs).unwrap(),
        status,
        "read back"
    );
}

const GROUP: &str = "metrics.k8s.io";

#[test]
fn errors_are_the_peers() {
    is(
        &Status::not_acceptable(&[
            "application/json",
            "application/yaml",
            "application/vnd.kubernetes.protobuf",
            "application/json;stream=watch",
            "application/vnd.kubernetes.protobuf;stream=watch",
        ]),
        "accept_bad",
    );
    is(
        &Status::forbidden("system:anonymous", "list", GROUP, "nodes", "", ""),
        "anon",
    );
    is(&Status::unauthorized(), "badtoken");
    is(&Status::method_not_allowed(), "delete");
    is(&Status::method_not_allowed(), "post");
    is(&Status::not_supported("watch", GROUP, "pods"), "watch");
    is(&Status::not_found("", "node", "nope"), "node_404");
    is(
        &Status::not_found(GROUP, "podmetrics", "default/crash"),
        "pod_404_nometrics",
    );
    is(&Status::not_found("", "pods", "nope"), "pod_404_unknown");
    is(
        &Status::unknown_field("spec.nodeName", &["metadata.name", "metadata.namespace"]),
        "pods_field_bad",
    );
    is(&Status::resource_not_found(), "res_404");
}

#[test]
fn a_broken_label_selector_is_refused_in_the_peers_words() {
    let error = "a b".parse::<LabelSelector>().unwrap_err();
    is(&Status::bad_request(error.to_string()), "pods_label_bad");
}
