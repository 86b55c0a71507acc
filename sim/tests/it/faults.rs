//! What goes wrong, and how it shows in the objects.

use std::collections::BTreeSet;
use std::time::Duration;

use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Fault, Faults, Happening, InjectedFault};
use serde_json::Value;

use crate::client::get;
use crate::pages::{parse, point};
use crate::world::{all, start};

/// A healthy cluster to which one thing happens.
async fn struck_by(fault: Fault) -> Cluster {
    let cluster = start(3, 20, 4, Faults::None).await;
    assert!(cluster.inject(fault), "{fault:?}");
    cluster
}

/// Advances second by second until something has happened, and returns it.
fn until(cluster: &Cluster, is_it: impl Fn(&Happening) -> bool) -> InjectedFault {
    for _ in 0..1_800 {
        if let Some(found) = cluster
            .injected_faults()
            .into_iter()
            .rfind(|f| is_it(&f.what))
        {
            return found;
        }
        cluster.advance(Duration::from_secs(1));
    }
    panic!("it never happened: {:?}", cluster.injected_faults());
}

fn pod(cluster: &Cluster, f: &InjectedFault) -> Value {
    let pod = cluster
        .store()
        .get(Resource::Pods, Some(&f.namespace), &f.name);
    pod.map(|p| p.to_value(Resource::Pods)).unwrap_or_default()
}

fn status<'a>(pod: &'a Value, container: &str) -> &'a Value {
    let statuses = pod["status"]["containerStatuses"].as_array().unwrap();
    statuses.iter().find(|s| s["name"] == *container).unwrap()
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array().unwrap();
    conditions.iter().find(|c| c["type"] == *kind).unwrap()
}

/// The messages of the events with this reason about an object.
fn events(cluster: &Cluster, name: &str, reason: &str) -> Vec<(String, u64)> {
    all(cluster, Resource::Events)
        .iter()
        .filter(|e| e["involvedObject"]["name"] == *name && e["reason"] == *reason)
        .map(|e| {
            (
                e["message"].as_str().unwrap().to_owned(),
                e["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// Everything is as it was before, but for the pods that were replaced.
fn recovers(cluster: &Cluster) {
    for _ in 0..240 {
        cluster.advance(Duration::from_secs(10));
    }
    let pods = all(cluster, Resource::Pods);
    assert_eq!(pods.len(), 60);
    for pod in pods {
        assert_eq!(
            condition(&pod, "Ready")["status"],
            "True",
            "{}",
            pod["metadata"]["name"]
        );
    }
    for w in all(cluster, Resource::Deployments) {
        assert_eq!(
            w["status"]["readyReplicas"], w["spec"]["replicas"],
            "{}",
            w["metadata"]["name"]
        );
    }
}

#[tokio::test]
async fn a_crashing_container_is_backed_off_longer_and_longer() {
    let cluster = struck_by(Fault::CrashLoop).await;
    let f = until(&cluster, |w| {
        matches!(w, Happening::Restarted { restarts: 2 })
    });
    assert_eq!(
        status(&pod(&cluster, &f), &f.container)["lastState"]["terminated"]["exitCode"],
        7
    );
    let again = until(&cluster, |w| {
        matches!(w, Happening::Restarted { restarts: 3 })
    });
    let seconds = again.at.since(f.at) / 1_000_000_000;
    assert!((20..35).contains(&seconds), "{seconds}");
    until(&cluster, |w| matches!(w, Happening::PodReady));
    let backed_off = events(&cluster, &f.name, "BackOff");
    assert_eq!(backed_off.len(), 1);
    assert!(backed_off[0].0.starts_with(&format!(
        "Back-off restarting failed container {} in pod",
        f.container
    )));
    assert!(backed_off[0].1 >= 2);
    recovers(&cluster);
}

#[tokio::test]
async fn a_crashed_container_waits_in_crash_loop_back_off() {
    let cluster = struck_by(Fault::CrashLoop).await;
    until(&cluster, |w| {
        matches!(w, Happening::Restarted { restarts: 1 })
    });
    let restarted = cluster.injected_faults().len();
    let f = loop {
        cluster.advance(Duration::from_secs(1));
        let faults = cluster.injected_faults();
        if let Some(f) = faults
            .iter()
            .skip(restarted)
            .find(|f| matches!(f.what, Happening::Exited { .. }))
        {
            break f.clone();
        }
    };
    cluster.advance(Duration::from_secs(2));
    let pod = pod(&cluster, &f);
    let waiting = &status(&pod, &f.container)["state"]["waiting"];
    assert_eq!(waiting["reason"], "CrashLoopBackOff");
    let want = format!(
        "back-off 10s restarting failed container={} pod={}_{}",
        f.container, f.name, f.namespace
    );
    assert!(
        waiting["message"].as_str().unwrap().starts_with(&want),
        "{waiting}"
    );
    assert_eq!(pod["status"]["phase"], "Running");
    assert_eq!(condition(&pod, "Ready")["reason"], "ContainersNotReady");
    let page = get(&cluster, &f.node, "/metrics/resource").await.unwrap();
    assert!(!page.text().contains(&format!(
        "container=\"{}\",namespace=\"{}\",pod=\"{}\"",
        f.container, f.namespace, f.name
    )));
}

#[tokio::test]
async fn memory_rises_to_the_limit_before_an_oom_kill() {
    let cluster = struck_by(Fault::OomKill).await;
    let victim = all(&cluster, Resource::Pods);
    let mut peaks = std::collections::BTreeMap::<String, f64>::new();
    let f = loop {
        if let Some(f) = cluster
            .injected_faults()
            .into_iter()
            .find(|f| f.what == Happening::OomKilled)
        {
            break f;
        }
        cluster.advance(Duration::from_secs(5));
        for node in cluster.node_names() {
            let page = get(&cluster, &node, "/metrics/resource").await.unwrap();
            let page = parse(page.text());
            for ((_, labels), p) in page
                .iter()
                .filter(|((f, _), _)| f == "container_memory_working_set_bytes")
            {
                peaks
                    .entry(labels.clone())
                    .and_modify(|m| *m = m.max(p.value))
                    .or_insert(p.value);
            }
        }
    };
    let labels = format!(
        "container=\"{}\",namespace=\"{}\",pod=\"{}\"",
        f.container, f.namespace, f.name
    );
    let spec = victim
        .iter()
        .find(|p| p["metadata"]["name"] == *f.name)
        .unwrap();
    let containers = spec["spec"]["containers"].as_array().unwrap();
    let limit = containers
        .iter()
        .find(|c| c["name"] == *f.container)
        .unwrap();
    let limit: kubevitals_proto::quantity::Quantity = limit["resources"]["limits"]["memory"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let (peak, limit) = (peaks[&labels], limit.value() as f64);
    assert!(peak > limit * 0.75 && peak <= limit, "{peak} of {limit}");
    until(&cluster, |w| matches!(w, Happening::Restarted { .. }));
    let pod = pod(&cluster, &f);
    let last = &status(&pod, &f.container)["lastState"]["terminated"];
    assert_eq!(
        (&last["exitCode"], &last["reason"]),
        (&137.into(), &"OOMKilled".into())
    );
    recovers(&cluster);
}

#[tokio::test]
async fn a_failing_liveness_probe_is_reported_before_the_kill() {
    let cluster = struck_by(Fault::LivenessFailure).await;
    let f = until(&cluster, |w| {
        matches!(w, Happening::KilledByProbe { probe: "Liveness" })
    });
    let spec = pod(&cluster, &f);
    let containers = spec["spec"]["containers"].as_array().unwrap();
    let threshold = &containers
        .iter()
        .find(|c| c["name"] == *f.container)
        .unwrap()["livenessProbe"]["failureThreshold"];
    let unhealthy = events(&cluster, &f.name, "Unhealthy");
    assert_eq!(unhealthy.len(), 1);
    assert!(unhealthy[0].0.starts_with("Liveness probe failed: "));
    assert_eq!(unhealthy[0].1, threshold.as_u64().unwrap());
    let killing = format!(
        "Container {} failed liveness probe, will be restarted",
        f.container
    );
    assert_eq!(events(&cluster, &f.name, "Killing"), [(killing, 1)]);
    let path = format!("spec.containers{{{}}}", f.container);
    assert!(
        all(&cluster, Resource::Events)
            .iter()
            .any(|e| e["reason"] == "Killing" && e["involvedObject"]["fieldPath"] == *path)
    );
    let page = get(&cluster, &f.node, "/metrics/probes").await.unwrap();
    let failed = point(
        &parse(page.text()),
        "prober_probe_total",
        &format!(
            "container=\"{}\",namespace=\"{}\",pod=\"{}\",pod_uid={},probe_type=\"Liveness\",result=\"failed\"",
            f.container, f.namespace, f.name, spec["metadata"]["uid"]
        ),
    );
    // It may be tried again in its grace period.
    assert!(failed.unwrap().value >= threshold.as_f64().unwrap());
    recovers(&cluster);
}

#[tokio::test]
async fn a_failing_readiness_probe_takes_the_pod_out_and_lets_it_back_in() {
    let cluster = struck_by(Fault::ReadinessFailure).await;
    let f = until(&cluster, |w| *w == Happening::PodNotReady);
    let failing = until(&cluster, |w| {
        matches!(w, Happening::ProbeFailing { probe: "Readiness" })
    });
    let unready = pod(&cluster, &f);
    assert_eq!(status(&unready, &failing.container)["ready"], false);
    assert_eq!(status(&unready, &failing.container)["started"], true);
    let message = format!("containers with unready status: [{}]", failing.container);
    assert_eq!(condition(&unready, "Ready")["message"], *message);
    until(&cluster, |w| *w == Happening::PodReady);
    assert_eq!(
        status(&pod(&cluster, &f), &failing.container)["restartCount"],
        0
    );
    recovers(&cluster);
}

#[tokio::test]
async fn a_new_pod_s_failing_startup_probe_gets_it_killed() {
    let cluster = struck_by(Fault::StartupFailure).await;
    let f = until(&cluster, |w| {
        matches!(w, Happening::KilledByProbe { probe: "Startup" })
    });
    let killing = format!(
        "Container {} failed startup probe, will be restarted",
        f.container
    );
    assert!(events(&cluster, &f.name, "Killing").contains(&(killing, 1)));
    assert_eq!(status(&pod(&cluster, &f), &f.container)["started"], false);
    recovers(&cluster);
}

#[tokio::test]
async fn a_silent_node_is_not_ready_after_forty_seconds_and_recovers() {
    let cluster = struck_by(Fault::NodeNotReady).await;
    let silent = until(&cluster, |w| *w == Happening::NodeSilent);
    let answer = get(&cluster, &silent.node, "/metrics/resource");
    assert!(
        tokio::time::timeout(Duration::from_millis(200), answer)
            .await
            .is_err()
    );
    let lost = until(&cluster, |w| *w == Happening::NodeNotReady);
    assert_eq!(lost.at.since(silent.at), 40_000_000_000);
    let node = |cluster: &Cluster| {
        let node = cluster
            .store()
            .get(Resource::Nodes, None, &silent.node)
            .unwrap();
        node.to_value(Resource::Nodes)
    };
    let unknown = node(&cluster);
    let ready = condition(&unknown, "Ready");
    assert_eq!(
        (&ready["status"], &ready["reason"]),
        (&"Unknown".into(), &"NodeStatusUnknown".into())
    );
    assert_eq!(
        unknown["spec"]["taints"][0]["key"],
        "node.kubernetes.io/unreachable"
    );
    for pod in all(&cluster, Resource::Pods)
        .iter()
        .filter(|p| p["spec"]["nodeName"] == *silent.node)
    {
        assert_eq!(condition(pod, "Ready")["status"], "False");
        assert_eq!(
            condition(pod, "ContainersReady")["status"],
            "True",
            "the containers are left as they were"
        );
    }
    until(&cluster, |w| *w == Happening::NodeReady);
    assert_eq!(condition(&node(&cluster), "Ready")["status"], "True");
    assert!(
        get(&cluster, &silent.node, "/metrics/resource")
            .await
            .is_ok()
    );
    recovers(&cluster);
}

#[tokio::test]
async fn a_rollout_replaces_every_pod_of_a_deployment() {
    let cluster = struck_by(Fault::Rollout).await;
    let begun = until(&cluster, |w| *w == Happening::RolledOut { done: false });
    until(&cluster, |w| *w == Happening::RolledOut { done: true });
    recovers(&cluster);
    let deployment = cluster
        .store()
        .get(Resource::Deployments, Some(&begun.namespace), &begun.name)
        .unwrap();
    let deployment = deployment.to_value(Resource::Deployments);
    assert_eq!(
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "2"
    );
    let sets: Vec<Value> = all(&cluster, Resource::ReplicaSets)
        .into_iter()
        .filter(|s| s["metadata"]["ownerReferences"][0]["uid"] == deployment["metadata"]["uid"])
        .collect();
    let replicas: BTreeSet<u64> = sets
        .iter()
        .map(|s| s["status"]["replicas"].as_u64().unwrap())
        .collect();
    assert_eq!(sets.len(), 2);
    assert!(replicas.contains(&0));
    let new = sets.iter().find(|s| s["status"]["replicas"] != 0).unwrap();
    let pods = all(&cluster, Resource::Pods);
    let owned = pods
        .iter()
        .filter(|p| p["metadata"]["ownerReferences"][0]["uid"] == new["metadata"]["uid"]);
    assert_eq!(
        owned.count() as u64,
        deployment["spec"]["replicas"].as_u64().unwrap()
    );
}

#[tokio::test]
async fn an_evicted_pod_stays_as_failed_and_is_replaced_elsewhere() {
    let cluster = struck_by(Fault::Eviction).await;
    let f = until(&cluster, |w| *w == Happening::Evicted);
    let evicted = pod(&cluster, &f);
    assert_eq!(evicted["status"]["phase"], "Failed");
    assert_eq!(evicted["status"]["reason"], "Evicted");
    assert!(
        evicted["status"]["message"]
            .as_str()
            .unwrap()
            .starts_with("The node was low on resource: memory.")
    );
    assert_eq!(events(&cluster, &f.name, "Evicted").len(), 1);
    let node = cluster
        .store()
        .get(Resource::Nodes, None, &f.node)
        .unwrap()
        .to_value(Resource::Nodes);
    assert_eq!(condition(&node, "MemoryPressure")["status"], "True");
    assert_eq!(all(&cluster, Resource::Pods).len(), 61);
    recovers(&cluster);
    assert_eq!(pod(&cluster, &f), Value::Null);
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_keeps_the_pod_pending_for_a_while() {
    let cluster = struck_by(Fault::ImagePullFailure).await;
    let f = until(&cluster, |w| *w == Happening::ImagePullFailing);
    let failing = pod(&cluster, &f);
    assert_eq!(failing["status"]["phase"], "Pending");
    assert_eq!(
        status(&failing, &f.container)["state"]["waiting"]["reason"],
        "ErrImagePull"
    );
    assert!(
        events(&cluster, &f.name, "Failed")
            .iter()
            .any(|(m, _)| m.starts_with("Failed to pull image "))
    );
    until(&cluster, |w| *w == Happening::ImagePulled);
    recovers(&cluster);
}

#[tokio::test]
async fn the_schedule_gives_every_kind_its_turn_and_most_pods_are_well() {
    let cluster = start(5, 20, 11, Faults::Scheduled).await;
    let mut unready = Vec::new();
    for _ in 0..240 {
        cluster.advance(Duration::from_secs(15));
        let pods = all(&cluster, Resource::Pods);
        let bad = pods
            .iter()
            .filter(|p| condition(p, "Ready")["status"] != "True")
            .count();
        unready.push(bad as f64 / pods.len() as f64);
    }
    let seen: BTreeSet<Fault> = cluster.injected_faults().iter().map(|f| f.fault).collect();
    assert_eq!(seen, Fault::ALL.into_iter().collect());
    let mean = unready.iter().sum::<f64>() / unready.len() as f64;
    assert!(mean < 0.15, "{mean}");
}

#[tokio::test]
async fn after_a_day_of_faults_every_count_still_agrees() {
    let cluster = start(4, 15, 21, Faults::Scheduled).await;
    for hour in 0..24 {
        cluster.advance(Duration::from_secs(3_600));
        let pods = all(&cluster, Resource::Pods);
        let living: Vec<&Value> = pods
            .iter()
            .filter(|p| p["status"]["phase"] != "Failed")
            .collect();
        assert_eq!(living.len(), 60, "hour {hour}");
        for (resource, replicas, ready) in [
            (Resource::ReplicaSets, "replicas", "readyReplicas"),
            (Resource::StatefulSets, "replicas", "readyReplicas"),
            (
                Resource::DaemonSets,
                "desiredNumberScheduled",
                "numberReady",
            ),
        ] {
            for owner in all(&cluster, resource) {
                let uid = &owner["metadata"]["uid"];
                let mine = living
                    .iter()
                    .filter(|p| p["metadata"]["ownerReferences"][0]["uid"] == *uid);
                let is_ready = mine
                    .clone()
                    .filter(|p| condition(p, "Ready")["status"] == "True");
                let count = |key: &str| owner["status"][key].as_u64().unwrap_or(0);
                let name = &owner["metadata"]["name"];
                let rolling = owner["status"]["replicas"] != owner["spec"]["replicas"];
                if !rolling && owner["metadata"]["generation"] == 1 {
                    assert_eq!(mine.count() as u64, count(replicas), "hour {hour}: {name}");
                    assert_eq!(is_ready.count() as u64, count(ready), "hour {hour}: {name}");
                }
            }
        }
        let events = all(&cluster, Resource::Events).len();
        assert!(
            events < 2_000,
            "events are forgotten after an hour: {events}"
        );
    }
}
