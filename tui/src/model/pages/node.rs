//! The page of a node.

use std::collections::BTreeMap;

use kubevitals_proto::objects::{self, AddressType, MAX_REPORTED_IMAGES, NodeImage};
use kubevitals_proto::units::Bytes;
use kubevitals_proto::vitals::IncidentKind;

use super::shared::{MOST, age, amount, first, gpus, incidents, pods};
use crate::model::amount::Amounts;
use crate::model::cell::Resource;
use crate::model::facts::{Fact, Facts, Objects};
use crate::model::format;
use crate::model::images::short;
use crate::model::name::{Key, Name};
use crate::model::row::{Drain, DrainState, IncidentRow, NodeRow};
use crate::model::scope::Scope;
use crate::model::state::State;
use crate::model::tone::Tone;
use crate::text::cut_middle;

/// The most cells of the name of an image.
const IMAGE_CELLS: usize = 48;

/// The groups of facts, the most important ones first.
pub(super) fn groups(state: &State, name: &Name, facts: Option<&Facts>) -> Vec<Vec<Fact>> {
    let (object, largest) = match facts.map(|facts| &facts.objects) {
        Some(Objects::Node(node, largest)) => (Some(&**node), largest.as_slice()),
        _ => (None, [].as_slice()),
    };
    let row = state.world().nodes.get(&Key::named(name));
    let mut groups = vec![state_of(state, name, row.map(|row| &**row), object)];
    groups.extend(object.map(taints));
    groups.extend(object.into_iter().flat_map(|node| conditions(state, node)));
    groups.extend(incidents(state, |incident| is_of_node(incident, name)));
    groups.extend(evicted(state, name));
    groups.extend(past_evictions(state, name));
    groups.extend(row.map(|row| resources(row)));
    let mut last = object.map(software).unwrap_or_default();
    last.extend(images(row.map(|row| &**row), object));
    groups.push(last);
    groups.push(largest_images(largest));
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
    let drain = pods(state, &scope).fold(Drain::default(), |mut drain, pod| {
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

/// Usage, requests and limits; disk and pressure.
fn resources(row: &NodeRow) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (resource, word) in [(Resource::Cpu, "cpu"), (Resource::Memory, "memory")] {
        let of = |amounts: Amounts| amount(resource, amounts.get(resource));
        let part = |amounts: Amounts| {
            let part = amounts.part_of(row.allocatable, resource);
            part.map_or(format::UNKNOWN.to_owned(), format::percent)
        };
        let text = format!(
            "{} of {} allocatable, requested {}, limits {}",
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

/// Whether an incident is about a node, or about a pod that the node evicted.
fn is_of_node(row: &IncidentRow, name: &Name) -> bool {
    let involved = &row.incident.involved;
    match involved.kind.as_str() {
        "Node" => involved.name == **name,
        _ => row.incident.reason == IncidentKind::Eviction && involved.node == **name,
    }
}

/// The evicted pods that still exist, by what the node was short of.
fn evicted(state: &State, name: &Name) -> Vec<Vec<Fact>> {
    let scope = Scope::Node(Name::clone(name));
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pod in pods(state, &scope).filter(|pod| pod.is_evicted()) {
        let resource = pod.message.as_deref().and_then(objects::scarce_resource);
        let pods = reasons.entry(resource.unwrap_or_default()).or_default();
        pods.push(&pod.name);
    }
    let line = |(resource, names): (&str, Vec<&str>)| {
        let why = match resource {
            "" => "limit of the pod exceeded".to_owned(),
            resource => format!("node short of {resource}"),
        };
        let count = format::count(names.len(), "pod");
        let text = format!("{count}, {why}: {}", first(&names));
        vec![Fact::new("evicted", text).tone(Tone::Warn)]
    };
    reasons.into_iter().map(line).collect()
}

/// The evictions that are over, the latest ones first.
fn past_evictions(state: &State, name: &Name) -> Vec<Vec<Fact>> {
    let now = state.shown_time();
    let rows = state.world().incidents.rows().iter();
    let mut over: Vec<&IncidentRow> = rows
        .map(|row| &**row)
        .filter(|row| row.incident.reason == IncidentKind::Eviction && is_of_node(row, name))
        .filter(|row| !row.is_open() && row.last() <= now)
        .collect();
    over.sort_by_key(|row| std::cmp::Reverse(row.last()));
    let more = over.len().saturating_sub(MOST);
    let line = |text: String| vec![Fact::new("eviction", text)];
    let lines = over.iter().take(MOST).map(|row| {
        let ago = format::age(row.last(), now);
        line(format!("{ago} ago: {}", row.incident.message))
    });
    let rest = (more > 0).then(|| line(format!("and {more} more before")));
    lines.chain(rest).collect()
}

/// Capacity, versions and addresses.
fn software(node: &objects::Node) -> Vec<Fact> {
    let text = |label: &str, text: &Option<std::sync::Arc<str>>| {
        Fact::new(label, text.as_deref().unwrap_or_default())
    };
    let capacity = |resource| amount(resource, Amounts::from(node.capacity).get(resource));
    let mut facts = vec![
        Fact::new("cpu capacity", capacity(Resource::Cpu)),
        Fact::new("memory capacity", capacity(Resource::Memory)),
        text("kubelet", &node.kubelet_version),
        text("runtime", &node.container_runtime),
        text("os", &node.os_image),
        text("kernel", &node.kernel_version),
    ];
    // A name that is an address too says nothing new.
    let addresses = node.addresses.iter();
    let addresses = addresses.filter(|it| it.kind != AddressType::Hostname);
    facts.extend(addresses.map(|it| Fact::new(it.kind.to_string(), &*it.host)));
    facts
}

/// The number and the size of the images. Without the object the row may still have them.
fn images(row: Option<&NodeRow>, object: Option<&objects::Node>) -> Option<Fact> {
    let of_object = object.map(|node| (node.images.count, Some(Bytes(node.images.bytes))));
    let of_row = || row.map(|row| (row.images, row.image_bytes.get()));
    let (count, size) = of_object.or_else(of_row)?;
    let count = match count {
        0 => return None,
        MAX_REPORTED_IMAGES => format!("{count} or more"),
        count => count.to_string(),
    };
    let size = size.map_or(format::UNKNOWN.to_owned(), format::bytes);
    Some(Fact::new("images", format!("{count}, {size}")))
}

/// The largest images with their sizes.
fn largest_images(images: &[NodeImage]) -> Vec<Fact> {
    let facts = images.iter().enumerate().map(|(at, image)| {
        let label = if at == 0 { "largest images" } else { "" };
        let name = match &*image.name {
            "" => format::UNKNOWN.to_owned(),
            name => short(name),
        };
        let name = cut_middle(&name, IMAGE_CELLS, "…");
        let size = format::bytes(Bytes(image.bytes));
        Fact::new(label, format!("{name} {size}"))
    });
    facts.collect()
}
