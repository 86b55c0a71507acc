//! Navigation in time.

use kubevitals_proto::time::Timestamp;

use super::interest::interest;
use super::requests::requests;
use crate::model::batch::Past;
use crate::model::effect::{Effect, SourceRequest};
use crate::model::part::SourceKind;
use crate::model::state::State;
use crate::model::time::Time;
use crate::model::world::{World, cluster_key};

const SECOND: i64 = 1_000_000_000;

/// The age in seconds up to which a reading represents a time: metrics-server scrapes about once a minute.
const PATIENCE_SECONDS: u32 = 95;

/// Pauses, or goes live again.
pub(super) fn pause(state: &mut State) -> Vec<Effect> {
    if state.time == Time::Live {
        state.frozen = Some(state.live.clone());
        state.time = Time::Paused(state.now);
        Vec::new()
    } else {
        live(state)
    }
}

/// Goes live.
pub(super) fn live(state: &mut State) -> Vec<Effect> {
    state.frozen = None;
    state.time = Time::Live;
    state.charts_end = None;
    drop_details(state);
    requests(state)
}

/// Sets the end of the charts. They stay if the time is well within them; else two thirds of them are before the time.
pub(super) fn place_charts(state: &mut State, at: Timestamp) {
    let span = i64::from(state.span_seconds()) * SECOND;
    let (since, until) = state.shown_span();
    let within = at.since(since) >= span / 4 && at <= until;
    let end = if within {
        until
    } else {
        at.plus_nanos(span / 3)
    };
    state.charts_end = Some(end.min(state.now));
}

/// Goes this many steps forwards in time.
pub(super) fn step(state: &mut State, steps: i32) -> Vec<Effect> {
    let step = i64::from(step_seconds(state.span_seconds())) * SECOND;
    let at = state
        .shown_time()
        .plus_nanos(i64::from(steps).saturating_mul(step));
    go(state, at)
}

/// Goes this many hours forwards in time.
pub(super) fn jump(state: &mut State, hours: i32) -> Vec<Effect> {
    let at = state
        .shown_time()
        .plus_nanos(i64::from(hours).saturating_mul(3_600 * SECOND));
    go(state, at)
}

/// The length of a step: a sixtieth of the span, but at least the interval of two readings.
fn step_seconds(span_seconds: u32) -> u32 {
    (span_seconds / 60).max(15)
}

/// Goes to a time in a chart. Less than a step before now is now, because pointing is not more precise.
pub(super) fn seek(state: &mut State, at: Timestamp) -> Vec<Effect> {
    let step = i64::from(step_seconds(state.span_seconds())) * SECOND;
    if state.now.since(at) < step {
        return if state.time == Time::Live {
            Vec::new()
        } else {
            live(state)
        };
    }
    // The chart does not move under the pointer.
    let (since, until) = state.shown_span();
    let end = (since..=until).contains(&at).then_some(until);
    go_within(state, at, end)
}

/// The time before which nothing can be shown: that of the source's memory, unless it reads what is older from an engine.
pub(super) fn limit(state: &State) -> Timestamp {
    match state.live.cluster.has_engine {
        true => Timestamp::default(),
        false => oldest(state),
    }
}

/// The oldest time in the source's memory, as far as it is known.
pub(crate) fn oldest(state: &State) -> Timestamp {
    let from_source = state.live.cluster.oldest;
    let from_trends = state
        .trends
        .get(&cluster_key())
        .and_then(|trend| trend.oldest());
    from_source.or(from_trends).unwrap_or(state.now)
}

/// Goes to a time, limited to the history. A time in the future is now.
pub(super) fn go(state: &mut State, at: Timestamp) -> Vec<Effect> {
    go_within(state, at, None)
}

/// Goes to a time, with charts that end at `end`.
fn go_within(state: &mut State, at: Timestamp, end: Option<Timestamp>) -> Vec<Effect> {
    if at >= state.now {
        return live(state);
    }
    let at = at.max(limit(state)).min(state.now);
    match end {
        Some(end) => state.charts_end = Some(end),
        None => place_charts(state, at),
    }
    match state.source {
        Some((SourceKind::Vitals, _)) => {
            let waiting = matches!(state.time, Time::Past { here: false, .. });
            if state.frozen.is_none() {
                state.frozen = Some(state.live.clone());
            }
            state.time = Time::Past { at, here: false };
            // Only one request is in flight: while a key is pressed, intermediate times are skipped.
            if waiting {
                Vec::new()
            } else {
                request_past(state, at)
            }
        }
        _ => {
            let then = state
                .live
                .with_usage_at(at, state.now, &state.trends, PATIENCE_SECONDS);
            state.frozen = Some(then);
            state.time = Time::Past { at, here: true };
            requests(state)
        }
    }
}

/// Requests the time on the screen again for a new interest, if it is not live.
pub(super) fn again(state: &mut State) -> Vec<Effect> {
    match state.time {
        // The response to the request in flight will be for another interest, and is requested again then.
        Time::Live | Time::Past { here: false, .. } => Vec::new(),
        Time::Paused(at) | Time::Past { at, here: true } => {
            state.time = Time::Past { at, here: false };
            request_past(state, at)
        }
    }
}

fn request_past(state: &State, at: Timestamp) -> Vec<Effect> {
    vec![Effect::Request(SourceRequest::Past(
        at,
        Box::new(interest(state)),
    ))]
}

/// Applies the state at a past time.
pub(super) fn apply_past(state: &mut State, past: Past) -> Vec<Effect> {
    let Time::Past { at, .. } = state.time else {
        return Vec::new();
    };
    let received = past.at;
    let then = World::from_past(past, &state.live);
    state.frozen = Some(then);
    if received == at && !state.is_awaited() {
        state.time = Time::Past { at, here: true };
        requests(state)
    } else {
        // The user has gone to another time, or the interest has changed.
        request_past(state, at)
    }
}

/// A past time cannot be shown.
pub(super) fn refused(state: &mut State, received: Timestamp, why: String) -> Vec<Effect> {
    let Time::Past { at, here: false } = state.time else {
        return Vec::new();
    };
    if received != at {
        return request_past(state, at);
    }
    match received < oldest(state) {
        true => state.say(only_memory(&why), true),
        false => state.say(why, true),
    }
    live(state)
}

/// The notice that what is older than the source's memory is missing.
pub(super) fn only_memory(why: &str) -> String {
    format!("only the time in memory can be shown: {why}")
}

/// Removes details, because they are of another time.
fn drop_details(state: &mut State) {
    for screen in &mut state.stack {
        screen.detail = None;
        screen.no_detail = None;
    }
}

#[cfg(test)]
mod tests {
    use super::step_seconds;

    #[test]
    fn a_step_is_a_sixtieth_of_the_span_but_not_less_than_a_reading() {
        for (span, step) in [(300, 15), (900, 15), (1_800, 30), (3_600, 60)] {
            assert_eq!(step_seconds(span), step, "{span}");
        }
    }
}
