//! The page of a node.

use kubevitals_proto::objects::{self, AddressType};
use kubevitals_proto::units::Bytes;

use super::shared::{age, amount, gpus, incidents};
use crate::model::amount::Amounts;
use crate::model::cell::Resource;
use crate::model::facts::{Fact, Facts, Objects};
use crate::model::format;
use crate::model::name::{Key, Name};
use crate::model::row::{Drain, DrainState, NodeRow};
use crate::model::scope::Scope;
use crate::model::state::State;
use crate::model::tone::Tone;

/// The groups of facts, the most important ones first.
pub(super) fn groups(state: &State, name: &Name, facts: Option<&Facts>) -> Vec<Vec<Fact>> {
    let object = match facts.map(|facts| &facts.objects) {
        Some(Objects::Node(node)) => Some(&**node),
        _ => None,
    };
    let row = state.world().nodes.get(&Key::named(name));
    let mut groups = vec![state_of(state, name, row.map(|row| &**row), object)];
    groups.extend(object.map(taints));
    groups.extend(object.into_iter().flat_map(|node| conditions(state, node)));
    groups.extend(incidents(state, |incident| {
        let involved = &incident.incident.involved;
        involved.kind == "Node" && involved.name == **name
    }));
    groups.extend(row.map(|row| resources(row, object)));
    groups.extend(object.map(software));
    groups
}

/// Status, drain, pods, zone and type.
fn state_of(
    state: &State,
    name: &Name,
    row: Option<&NodeRow>,
    object: Option<&objects::Node>,
) -> Vec<Fact> {
    let now = state.status_time();
    let scope = Scope::Node(Name::clone(name));
    let drain = super::shared::pods(state, &scope).fold(Drain::default(), |mut drain, pod| {
        drain.add(pod);
        drain
    });
    // The row is of the displayed time, the object of now.
    let is_cordoned = match row {
        Some(row) => row.drain_state().is_some(),
        None => object.is_some_and(|node| node.unschedulable),
    };
    let mut facts = Vec::new();
    if let Some(row) = row {
        facts.push(Fact::new("", row.status_text()).tone(row.tone()));
    }
    if is_cordoned {
        let drain = DrainState::of(Some(drain));
        facts.push(Fact::new("", drain.to_string()).tone(drain.tone()));
    }
    if let Some(row) = row {
        let pods = match row.max_pods {
            0 => row.pods.to_string(),
            most => format!("{} of {most}", row.pods),
        };
        facts.push(Fact::new("pods", pods));
    }
    if drain.evicted > 0 {
        facts.push(Fact::new("evicted", drain.evicted.to_string()).tone(Tone::Warn));
    }
    if let Some(row) = row {
        facts.push(Fact::new("zone", row.zone()));
        facts.push(Fact::new("type", row.instance_type()));
        facts.push(Fact::new("restarts 1h", row.restarts.to_string()));
        facts.push(Fact::new("age", age(row.created(), now)));
    }
    facts
}

fn taints(node: &objects::Node) -> Vec<Fact> {
    let taints = node.taints.iter();
    taints
        .map(|taint| Fact::new("taint", &**taint).tone(Tone::Warn))
        .collect()
}

/// The conditions that report a problem, each in a line of its own.
fn conditions(state: &State, node: &objects::Node) -> Vec<Vec<Fact>> {
    let now = state.now;
    let ready = node.unready.iter();
    ready
        .chain(&node.conditions)
        .map(|condition| {
            let since = age(objects::time(condition.since_seconds), now);
            let reason = condition.reason.as_deref().unwrap_or_default();
            let message = condition.message.as_deref().unwrap_or_default();
            let status = condition.status.as_str();
            let text = format!("{status} for {since}  {reason}  {message}");
            vec![Fact::new(&*condition.kind, text.trim_end()).tone(Tone::Warn)]
        })
        .collect()
}

/// Usage, requests, limits and capacity; disk and pressure.
fn resources(row: &NodeRow, object: Option<&objects::Node>) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (resource, word) in [(Resource::Cpu, "cpu"), (Resource::Memory, "memory")] {
        let of = |amounts: Amounts| amount(resource, amounts.get(resource));
        let part = |amounts: Amounts| {
            let part = amounts.part_of(row.allocatable, resource);
            part.map_or(format::UNKNOWN.to_owned(), format::percent)
        };
        let capacity = match object.map(|node| Amounts::from(node.capacity)) {
            Some(capacity) => format!(" (capacity {})", of(capacity)),
            None => String::new(),
        };
        let text = format!(
            "{} of {} allocatable{capacity}, requested {}, limits {}",
            of(row.usage),
            of(row.allocatable),
            part(row.requests),
            part(row.limits)
        );
        let used = row.usage.part_of(row.allocatable, resource);
        facts.push(Fact::new(word, text).bar(used));
    }
    facts.extend(gpus(row.gpu));
    if let Some(disk) = row.disk.of(row.disk_capacity) {
        facts.push(Fact::new("disk", format::percent(disk)));
    }
    if let Some(stall) = row.memory_stall.part() {
        facts.push(Fact::new("memory stall", format::percent(stall)));
    }
    facts
}

/// Versions, addresses and images.
fn software(node: &objects::Node) -> Vec<Fact> {
    let text = |label: &str, text: &Option<std::sync::Arc<str>>| {
        Fact::new(label, text.as_deref().unwrap_or_default())
    };
    let mut facts = vec![
        text("kubelet", &node.kubelet_version),
        text("runtime", &node.container_runtime),
        text("os", &node.os_image),
        text("kernel", &node.kernel_version),
    ];
    // A name that is an address too says nothing new.
    let addresses = node.addresses.iter();
    let addresses = addresses.filter(|it| it.kind != AddressType::Hostname);
    facts.extend(addresses.map(|it| Fact::new(it.kind.to_string(), &*it.host)));
    if node.images.count > 0 {
        let size = format::bytes(Bytes(node.images.bytes));
        facts.push(Fact::new(
            "images",
            format!("{}, {size}", node.images.count),
        ));
    }
    facts
}
