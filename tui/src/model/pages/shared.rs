//! Facts that several pages have.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use crate::model::amount::Amounts;
use crate::model::cell::Resource;
use crate::model::facts::{Fact, Facts};
use crate::model::format;
use crate::model::row::{Gpu, IncidentRow, PodRow};
use crate::model::scope::Scope;
use crate::model::state::State;
use crate::model::tone::Tone;

/// The largest number of incidents and of restarts on a page. The views of incidents and pods have all of them.
pub(super) const MOST: usize = 4;

/// The pods of the open page.
pub(super) fn pods<'a>(state: &'a State, scope: &'a Scope) -> impl Iterator<Item = &'a PodRow> {
    let pods = state.world().pods.rows().iter();
    pods.map(|pod| &**pod).filter(|pod| pod.is_of(scope))
}

/// What could not be read, one line each.
pub(super) fn missing(facts: Option<&Facts>) -> Vec<Vec<Fact>> {
    let Some(facts) = facts else {
        return vec![vec![
            Fact::new("", "Loading the objects of this page").tone(Tone::Dim),
        ]];
    };
    let missing = facts.missing.iter();
    missing
        .map(|why| vec![Fact::new("", why).tone(Tone::Warn)])
        .collect()
}

/// The first names of a list, and the number of the others.
pub(super) fn first(names: &[&str]) -> String {
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// An age, or a dash.
pub(super) fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    since.map_or(format::UNKNOWN.to_owned(), |since| format::age(since, now))
}

/// The text of an amount in nanocores or bytes, or a dash.
pub(super) fn amount(resource: Resource, amount: Option<u64>) -> String {
    match (resource, amount) {
        (_, None) => format::UNKNOWN.to_owned(),
        (Resource::Cpu, Some(cpu)) => format::cpu(Nanocores(cpu)),
        (Resource::Memory, Some(memory)) => format::bytes(Bytes(memory)),
    }
}

/// Usage, requests and limits: `cpu 1200m, requested 2000m, limits 4000m`.
pub(super) fn sums(usage: Amounts, requests: Amounts, limits: Amounts) -> Vec<Fact> {
    let both = [(Resource::Cpu, "cpu"), (Resource::Memory, "memory")];
    both.into_iter()
        .map(|(resource, word)| {
            let of = |amounts: Amounts| amount(resource, amounts.get(resource));
            let text = format!(
                "{} used, {} requested, {} limits",
                of(usage),
                of(requests),
                of(limits)
            );
            Fact::new(word, text)
        })
        .collect()
}

/// The GPUs, if there are any.
pub(super) fn gpus(gpu: Gpu) -> Option<Fact> {
    Some(Fact::new("gpu", gpu.text()?).bar(gpu.utilization()))
}

/// The open incidents that a page is about, the latest ones first, one in a line.
pub(super) fn incidents(state: &State, is_of: impl Fn(&IncidentRow) -> bool) -> Vec<Vec<Fact>> {
    let now = state.shown_time();
    let rows = state.world().incidents.rows().iter();
    let mut open: Vec<&IncidentRow> = rows
        .map(|row| &**row)
        .filter(|row| row.is_open() && row.incident.began <= now && is_of(row))
        .collect();
    open.sort_by_key(|row| std::cmp::Reverse(row.last()));
    let more = open.len().saturating_sub(MOST);
    let mut lines: Vec<Vec<Fact>> = open
        .into_iter()
        .take(MOST)
        .map(|row| {
            let incident = &row.incident;
            let began = format::age(incident.began, now);
            let times = match incident.count {
                1 => "once".to_owned(),
                count => format!("{count} times"),
            };
            let text = format!(
                "{}: {}, {}, for {began}, {times}",
                row.who(),
                row.reason(),
                row.cause()
            );
            vec![Fact::new("incident", text).tone(Tone::Bad)]
        })
        .collect();
    if more > 0 {
        lines.push(vec![
            Fact::new(
                "",
                format!("and {}", format::count(more, "more open incident")),
            )
            .tone(Tone::Bad),
        ]);
    }
    lines
}

/// Whether an incident is about one of the pods of a page.
pub(super) fn is_of_pods(row: &IncidentRow, state: &State, scope: &Scope) -> bool {
    let involved = &row.incident.involved;
    if involved.kind != "Pod" {
        return false;
    }
    let key = crate::model::name::Key::new(
        &involved.namespace.as_str().into(),
        &involved.name.as_str().into(),
    );
    let pod = state.world().pods.get(&key);
    pod.is_some_and(|pod| pod.is_of(scope))
}

/// The last restarts of the pods of a page, the latest ones first.
pub(super) fn restarts(state: &State, scope: &Scope) -> Vec<Vec<Fact>> {
    let now = state.status_time();
    let mut ended: Vec<_> = pods(state, scope)
        .filter_map(|pod| Some((pod.restarts.finished()?, pod)))
        .collect();
    ended.sort_by_key(|(at, pod)| (std::cmp::Reverse(*at), &pod.name));
    let last = ended.into_iter().take(MOST).map(|(_, pod)| {
        let text = format!("{}: {}", pod.name, pod.restarts.last_text(now));
        vec![Fact::new("restart", text).tone(Tone::Warn)]
    });
    last.collect()
}
