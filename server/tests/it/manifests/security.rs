//! The rules of Kubernetes' restricted pod security standard, and that nothing skips a check of TLS.

use serde_json::{Value, json};

use super::APPLICABLE;
use super::rendered::Rendered;

/// Everything in an object under a member of this name.
fn members<'a>(object: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match object {
        Value::Object(all) => {
            for (key, value) in all {
                if key == name {
                    found.push(value);
                }
                members(value, name, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| members(value, name, found)),
        _ => {}
    }
}

#[test]
fn no_manifest_skips_a_check_of_tls_but_the_one_that_says_so() {
    for folder in APPLICABLE {
        let rendered = Rendered::deploy(folder);
        for object in rendered.all() {
            for skip in ["insecureSkipTLSVerify", "insecureSkipVerify"] {
                let mut found = Vec::new();
                members(object, skip, &mut found);
                assert!(found.is_empty(), "{folder}: {object}");
            }
        }
        let insecure: Vec<String> = rendered
            .arguments()
            .into_iter()
            .filter(|argument| argument.contains("insecure"))
            .collect();
        let expected: &[&str] = match folder {
            "insecure-kubelet-tls" => &["--kubelet-insecure-tls"],
            _ => &[],
        };
        assert_eq!(insecure, expected, "{folder}");
        assert!(
            rendered
                .arguments()
                .contains(&"--manage-apiservice-ca".to_owned()),
            "{folder}: without it nobody writes the caBundle"
        );
    }
}

/// What of a pod's specification the restricted standard (v1.33) forbids.
fn violations(spec: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        must(spec[host] != true, host);
    }
    let allowed = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    for volume in spec["volumes"].as_array().into_iter().flatten() {
        let kinds = volume
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "name");
        for kind in kinds {
            must(allowed.contains(&kind.as_str()), "volume");
        }
    }
    let pod = &spec["securityContext"];
    must(pod["sysctls"].is_null(), "sysctls");
    for container in ["containers", "initContainers"]
        .iter()
        .flat_map(|kind| spec[kind].as_array().into_iter().flatten())
    {
        let own = &container["securityContext"];
        let effective = |member: &str| {
            if own[member].is_null() {
                &pod[member]
            } else {
                &own[member]
            }
        };
        must(own["privileged"] != true, "privileged");
        must(
            own["allowPrivilegeEscalation"] == false,
            "allowPrivilegeEscalation",
        );
        must(own["capabilities"]["drop"] == json!(["ALL"]), "drop ALL");
        must(own["capabilities"]["add"].is_null(), "add capabilities");
        must(own["procMount"].is_null(), "procMount");
        must(effective("runAsNonRoot") == true, "runAsNonRoot");
        must(effective("runAsUser") != 0, "runAsUser");
        must(
            effective("seccompProfile")["type"] == "RuntimeDefault",
            "seccomp",
        );
        must(effective("seLinuxOptions").is_null(), "seLinuxOptions");
        for port in container["ports"].as_array().into_iter().flatten() {
            must(port["hostPort"].is_null(), "hostPort");
        }
    }
    found
}

#[test]
fn pods_keep_the_restricted_standard_and_a_little_more() {
    for folder in APPLICABLE {
        let rendered = Rendered::deploy(folder);
        let spec = &rendered.pod()["spec"];
        assert_eq!(violations(spec), Vec::<String>::new(), "{folder}");
        let own = &rendered.container()["securityContext"];
        assert_eq!(own["readOnlyRootFilesystem"], true, "{folder}");
        assert_eq!(spec["priorityClassName"], "system-cluster-critical");
        assert!(rendered.container()["resources"]["limits"]["memory"].is_string());
    }
}

/// Every kubelet sees the token. One that is mounted automatically is valid for up to a year.
#[test]
fn the_token_lives_ten_minutes_at_the_path_that_clients_read() {
    for folder in APPLICABLE {
        let rendered = Rendered::deploy(folder);
        let spec = &rendered.pod()["spec"];
        assert_eq!(spec["automountServiceAccountToken"], false, "{folder}");
        let account = rendered.only("ServiceAccount");
        assert_eq!(account["automountServiceAccountToken"], false, "{folder}");
        let volumes = spec["volumes"].as_array().unwrap();
        let token = volumes.iter().find(|volume| volume["name"] == "token");
        let sources = token.unwrap()["projected"]["sources"].as_array().unwrap();
        let files: Vec<&str> = sources
            .iter()
            .map(|source| {
                let items = [
                    &source["serviceAccountToken"],
                    &source["configMap"]["items"][0],
                    &source["downwardAPI"]["items"][0],
                ];
                let path = items.iter().find_map(|item| item["path"].as_str());
                path.expect("a path")
            })
            .collect();
        assert_eq!(files, ["token", "ca.crt", "namespace"], "{folder}");
        // The least that Kubernetes gives.
        assert_eq!(sources[0]["serviceAccountToken"]["expirationSeconds"], 600);
        let mounts = rendered.container()["volumeMounts"].as_array().unwrap();
        let mount = mounts
            .iter()
            .find(|mount| mount["name"] == "token")
            .unwrap();
        assert_eq!(
            mount["mountPath"],
            "/var/run/secrets/kubernetes.io/serviceaccount"
        );
        assert_eq!(mount["readOnly"], true);
    }
}

#[test]
fn the_check_of_the_standard_can_fail() {
    let mut pod = Rendered::deploy("base").pod()["spec"].clone();
    pod["hostNetwork"] = json!(true);
    pod["securityContext"]["runAsUser"] = json!(0);
    pod["containers"][0]["securityContext"] = json!({});
    assert_eq!(
        violations(&pod),
        [
            "hostNetwork",
            "allowPrivilegeEscalation",
            "drop ALL",
            "runAsUser"
        ]
    );
}
