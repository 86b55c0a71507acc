//! Draws the first row: context, source, age of the data, and the displayed time.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, cells, segments_width};
use super::theme::Ink;
use crate::model::{Link, Liveness, State, Time, format};
use crate::text::width;

/// The age from which the newest usage counts as old, in seconds: two periods of metrics-server.
const OLD_SECONDS: i64 = 120;

/// The cells of the program's name and a separator.
const NAME: u16 = 11;

/// The cells that are reserved for the name of the context.
const CONTEXT: u16 = 24;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, with_view: bool) {
    if state.time != Time::Live {
        super::past::draw(canvas, area, state, with_view);
        return;
    }
    let right = right(state, area.width);
    let dot = canvas.theme.signs.dot;
    let mut left = vec![Segment::new(" vitals", Ink::Heading)];
    let add = |segment: Segment, segments: &mut Vec<Segment>| {
        let used = segments_width(segments) + 3 + segment.width() + segments_width(&right) + 2;
        let fits = used <= area.width;
        if fits {
            segments.push(Segment::muted(format!(" {dot} ")));
            segments.push(segment);
        }
        fits
    };
    if with_view {
        let screen = state.screen();
        add(
            Segment::new(
                format!("{} {}", screen.view.title(), screen.scope.text()).trim_end(),
                Ink::Heading,
            ),
            &mut left,
        );
    }
    let session = &state.session;
    if state.screen().view.is_of_several_clusters() {
        let clusters = format!("{} clusters", state.live.members.len());
        add(Segment::plain(clusters), &mut left);
        canvas.segments(area, &left);
        canvas.segments_right(area, &right);
        return;
    }
    if !session.context.is_empty() {
        add(Segment::plain(&session.context), &mut left);
    }
    let namespaces = state.namespace_text();
    if !namespaces.is_empty() {
        add(Segment::new(namespaces.as_str(), Ink::Accent), &mut left);
    }
    if session.cluster != session.context && !session.cluster.is_empty() {
        add(Segment::plain(&session.cluster), &mut left);
    }
    let source = match &state.source {
        Some((kind, _)) => {
            let of = state.only.as_ref().filter(|_| namespaces.is_empty());
            let of = of.map_or(String::new(), |namespace| format!(", ns {namespace}"));
            Segment::plain(format!("source {kind}{of}"))
        }
        None => Segment::muted("choosing a source"),
    };
    let has_source = add(source, &mut left);
    if let Some((_, why)) = state.source.as_ref().filter(|_| has_source) {
        add(Segment::muted(why), &mut left);
    }
    canvas.segments(area, &left);
    canvas.segments_right(area, &right);
}

/// Returns age, span, time zone and liveness, as many as fit; liveness always.
fn right(state: &State, space: u16) -> Vec<Segment> {
    let mut segments = Vec::new();
    if !matches!(state.link, Link::Lost { .. }) {
        segments.extend(freshness(state));
    }
    segments.push(Segment::muted(format!(
        "  span {}",
        format::duration(state.span_seconds().into())
    )));
    let zone = state.settings.zone.name(state.now);
    segments.push(Segment::muted(format!("  {zone}")));
    let (word, ink) = live(state);
    let time = vec![Segment::new(word, ink)];
    // The name of the cluster is more important.
    let context = cells(width(&state.session.context)).min(CONTEXT);
    let space = space.saturating_sub(NAME + context);
    while !segments.is_empty() && segments_width(&segments) + segments_width(&time) > space {
        segments.remove(0);
    }
    segments.extend(time);
    segments
}

/// Returns the liveness of the view's data.
fn live(state: &State) -> (String, Ink) {
    let since = |since| format::age(since, state.now);
    let (word, ink) = match state.liveness() {
        Liveness::Connecting => ("CONNECTING".to_owned(), Ink::Warn),
        Liveness::Loading => ("LOADING".to_owned(), Ink::Warn),
        Liveness::Live => ("LIVE".to_owned(), Ink::Good),
        Liveness::Partly => ("PARTLY LIVE".to_owned(), Ink::Warn),
        Liveness::Stale(Some(at)) => (format!("STALE {}", since(at)), Ink::Bad),
        Liveness::Stale(None) => ("NO DATA".to_owned(), Ink::Bad),
        Liveness::Lost(at) => (format!("LOST {}", since(at)), Ink::Bad),
    };
    (format!("  {word} "), ink)
}

/// Returns the age of the newest usage.
fn freshness(state: &State) -> Option<Segment> {
    let usage_time = state.world().cluster.usage_time?;
    let age = state.shown_time().since(usage_time) / 1_000_000_000;
    let ink = if age > OLD_SECONDS {
        Ink::Warn
    } else {
        Ink::Muted
    };
    let age = format::duration(u64::try_from(age).unwrap_or(0));
    Some(Segment::new(format!("{age} old"), ink))
}
