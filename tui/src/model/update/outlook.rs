//! Updates what the overview says about the future and the past: forecasts and changes.

use kubevitals_proto::time::Timestamp;

use super::interest::interest;
use super::time::limit;
use crate::model::baseline::{Baseline, OutlookBasis};
use crate::model::batch::Past;
use crate::model::changes::changes;
use crate::model::diff;
use crate::model::effect::{Effect, SourceRequest};
use crate::model::forecasts::forecasts;
use crate::model::part::{Part, SourceKind};
use crate::model::scope::{Limits, Scope};
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::time::Time;
use crate::model::view::View;
use crate::model::world::World;

const SECOND: i64 = 1_000_000_000;

/// The seconds between two evaluations.
const AGAIN_SECONDS: i64 = 10;

/// The least seconds between two requests for an earlier state.
const REQUEST_SECONDS: i64 = 60;

/// Evaluates forecasts and changes, at most every ten seconds of the displayed time.
pub(super) fn refresh(state: &mut State) {
    let now = state.shown_time();
    let before = state.baselines.basis.as_ref();
    let is_fresh = before.is_some_and(|before| {
        let after = now.since(before.now);
        before.namespaces == state.namespaces && (0..AGAIN_SECONDS * SECOND).contains(&after)
    });
    let has_data = [Part::Pods, Part::Nodes]
        .iter()
        .any(|part| state.has_answered(*part));
    if is_fresh || !has_data {
        return;
    }
    let limits = Limits {
        scope: &Scope::All,
        namespaces: &state.namespaces,
        now,
        names_probe: false,
    };
    let world = state.world();
    let running_out = forecasts(world, &state.trends, &state.node_samples, &limits);
    let changed = state.baseline().map_or_else(Vec::new, |baseline| {
        let basis = diff::Basis {
            since: baseline.at,
            until: now,
            // Usage always changes.
            threshold: f64::INFINITY,
            namespaces: &state.namespaces,
        };
        changes(&baseline.world, world, &basis)
    });
    state.baselines.basis = Some(OutlookBasis {
        now,
        namespaces: state.namespaces.clone(),
    });
    let world = state.frozen.as_mut().unwrap_or(&mut state.live);
    world.forecasts = Table::of(running_out);
    world.changes = Table::of(changed);
}

/// Collects what later evaluations need: samples of nodes, and once in a span the state of the cluster.
pub(super) fn collect(state: &mut State) {
    if ![Part::Pods, Part::Nodes]
        .iter()
        .all(|part| state.has_answered(*part))
    {
        return;
    }
    state.node_samples.add(&state.live.nodes, state.now);
    let span = i64::from(state.span_seconds()) * SECOND;
    let [_, newer] = &state.baselines.seen;
    if newer
        .as_ref()
        .is_none_or(|newer| state.now.since(newer.at) >= span)
    {
        let before = newer.as_ref().map(|newer| &newer.world);
        let now = Baseline {
            at: state.now,
            world: state.live.baseline(before),
        };
        let [older, newer] = &mut state.baselines.seen;
        match newer.take() {
            Some(before) => *older = Some(before),
            None => *older = Some(now.clone()),
        }
        *newer = Some(now);
    }
}

/// Whether the overview is on the screen. That of a cluster in the background is not evaluated.
fn is_drawn(state: &State) -> bool {
    /// Longer than between two evaluations in a demo whose time runs fast.
    const RECENT_SECONDS: i64 = 300;
    let basis = state.baselines.basis.as_ref();
    let ago = basis.map(|basis| state.shown_time().since(basis.now).abs());
    state.screen().view == View::Overview && ago.is_some_and(|ago| ago < RECENT_SECONDS * SECOND)
}

/// Requests the state of the cluster a span before the displayed time, if the overview is on the screen and the one at
/// hand is older than a third of the span.
pub(super) fn requests(state: &mut State) -> Option<Effect> {
    let is_vitals = matches!(state.source, Some((SourceKind::Vitals, _)));
    // Of a very large cluster, only some pods could be compared.
    let is_whole = state.live.extent.is_none() && state.has_answered(Part::Pods);
    if !is_drawn(state) || !is_vitals || !is_whole {
        return None;
    }
    let span = i64::from(state.span_seconds()) * SECOND;
    let shown = state.shown_time();
    let at = shown.plus_nanos(-span).max(limit(state));
    let after = |then: Timestamp| state.now.since(then).abs();
    let baselines = &state.baselines;
    let is_due = baselines
        .sent
        .as_ref()
        .is_none_or(|sent| at.since(sent.at).abs() >= (span / 3).max(REQUEST_SECONDS * SECOND));
    let is_soon = baselines.requested_at.is_some_and(|then| {
        // A time that the user went to is requested at once.
        let is_live = state.time == Time::Live || baselines.awaited.is_some();
        is_live && after(then) < REQUEST_SECONDS * SECOND
    });
    if !is_due || is_soon || shown.since(at) < REQUEST_SECONDS * SECOND {
        return None;
    }
    state.baselines.requested_at = Some(state.now);
    state.baselines.awaited = Some(at);
    let interest = Box::new(interest(state));
    Some(Effect::Request(SourceRequest::Before(at, interest)))
}

/// Applies an earlier state.
pub(super) fn apply_before(state: &mut State, past: Past) {
    if !state.awaits_baseline_of(past.at) {
        return;
    }
    state.baselines.awaited = None;
    state.baselines.sent = Some(Baseline {
        at: past.at,
        world: World::from_past(past, &World::default()).baseline(None),
    });
    // They are shown at once.
    state.baselines.basis = None;
}

/// An earlier state cannot be sent. What the dashboard has seen remains.
pub(super) fn refused(state: &mut State, at: Timestamp) {
    if state.awaits_baseline_of(at) {
        state.baselines.awaited = None;
        state.baselines.sent = None;
    }
}

impl State {
    /// Whether the source has been asked for an earlier state, and has not answered yet.
    #[must_use]
    pub const fn awaits_baseline(&self) -> bool {
        self.baselines.awaited.is_some()
    }

    fn awaits_baseline_of(&self, at: Timestamp) -> bool {
        self.baselines.awaited == Some(at)
    }

    /// The earlier state with which the overview compares the displayed one: that of the source, or what the dashboard
    /// has seen itself. `None` if neither is of the last time before the displayed one.
    #[must_use]
    pub fn baseline(&self) -> Option<&Baseline> {
        let shown = self.shown_time();
        let span = i64::from(self.span_seconds()) * SECOND;
        let is_near = |baseline: &&Baseline| {
            let ago = shown.since(baseline.at);
            ago > 0 && ago <= 2 * span + AGAIN_SECONDS * SECOND
        };
        let is_vitals = matches!(self.source, Some((SourceKind::Vitals, _)));
        let sent = self.baselines.sent.as_ref().filter(|_| is_vitals);
        // A source without a history has no earlier pods.
        let is_live = !matches!(self.time, Time::Past { .. });
        let [older, _] = &self.baselines.seen;
        let seen = older.as_ref().filter(|_| is_live);
        sent.filter(is_near).or(seen.filter(is_near))
    }
}
