//! The policy for what the server's account may change of its APIServices. There is nothing here that evaluates CEL: what
//! the expressions say is compared with what they must say of each field that there is.

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIServiceSpec;
use kubevitals_sim::identity::SERVER_ACCOUNT;
use serde_json::{Value, json};

use super::rendered::{Rendered, texts};

fn policy() -> Value {
    let rendered = Rendered::deploy("admission-policy");
    rendered.only("ValidatingAdmissionPolicy")["spec"].clone()
}

/// All that is required, without the spaces of how it is written.
fn required() -> Vec<String> {
    let spec = policy();
    let validations = spec["validations"].as_array().unwrap();
    validations
        .iter()
        .map(|validation| {
            assert!(
                validation["message"]
                    .as_str()
                    .is_some_and(|it| it.contains("vitals-server may"))
            );
            let expression = validation["expression"].as_str().unwrap();
            expression.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn it_denies_and_fails_closed_for_the_servers_account_alone() {
    let rendered = Rendered::deploy("admission-policy");
    let binding = rendered.only("ValidatingAdmissionPolicyBinding");
    let policy = rendered.only("ValidatingAdmissionPolicy");
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    assert_eq!(binding["spec"]["validationActions"], json!(["Deny"]));
    // It holds everywhere.
    assert_eq!(binding["spec"]["matchResources"], Value::Null);
    let spec = &policy["spec"];
    assert_eq!(spec["failurePolicy"], "Fail");
    let rules = spec["matchConstraints"]["resourceRules"]
        .as_array()
        .unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["apiGroups"], json!(["apiregistration.k8s.io"]));
    assert_eq!(rules[0]["operations"], json!(["*"]));
    let conditions = spec["matchConditions"].as_array().unwrap();
    assert_eq!(conditions.len(), 1);
    let (namespace, name) = SERVER_ACCOUNT;
    assert_eq!(
        conditions[0]["expression"],
        format!("request.userInfo.username == 'system:serviceaccount:{namespace}:{name}'")
    );
    let accounts = rendered.only("ServiceAccount");
    assert_eq!(accounts["metadata"]["name"], name);
}

/// A field that a later Kubernetes adds is missed here, and not in a cluster.
#[test]
fn every_field_but_the_ca_has_to_stay_as_it_is() {
    let full = json!({
        "caBundle": "", "group": "g", "groupPriorityMinimum": 1, "insecureSkipTLSVerify": true,
        "service": {"name": "s", "namespace": "n", "port": 443}, "version": "v1", "versionPriority": 1,
    });
    let known: APIServiceSpec = serde_json::from_value(full.clone()).unwrap();
    assert_eq!(serde_json::to_value(known).unwrap(), full);
    let required = required().join(" ");
    for field in full.as_object().unwrap().keys() {
        let stays = [".", ".?"].iter().any(|dot| {
            required.contains(&format!(
                "object.spec{dot}{field} == oldObject.spec{dot}{field}"
            ))
        });
        let may = ["caBundle", "insecureSkipTLSVerify"].contains(&field.as_str());
        assert_eq!(stays, !may, "{field}");
    }
    for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
        assert!(
            required.contains(&format!("object.metadata.?{field}.orValue(")),
            "{field}"
        );
    }
    assert!(required.contains(
        "!object.spec.?insecureSkipTLSVerify.orValue(false) || \
         oldObject.spec.?insecureSkipTLSVerify.orValue(false)"
    ));
    assert!(!required.contains("caBundle"), "that may change");
}

#[test]
fn it_is_about_what_the_account_may_touch() {
    let required = required();
    assert!(
        required[0].starts_with("request.operation == 'UPDATE' &&"),
        "{}",
        required[0]
    );
    let rendered = Rendered::deploy("base");
    let rules = rendered
        .kind("ClusterRole")
        .flat_map(|role| role["rules"].as_array().unwrap());
    let mut of_apiservices = rules.filter(|rule| texts(&rule["resources"]) == ["apiservices"]);
    let rule = of_apiservices.next().unwrap();
    assert_eq!(of_apiservices.next(), None);
    let names = texts(&rule["resourceNames"]);
    let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    assert_eq!(
        required[1],
        format!("request.name in [{}]", list.join(", "))
    );
    // All others hold of an update, which has an old object.
    for expression in &required[2..] {
        assert!(
            expression.starts_with("request.operation != 'UPDATE' ||"),
            "{expression}"
        );
    }
}
