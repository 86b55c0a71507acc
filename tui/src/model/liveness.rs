//! The liveness of the data on the screen.

use kubevitals_proto::time::Timestamp;

use super::message::Link;
use super::part::{Fault, Part, PartState, SourceKind};
use super::state::State;
use super::view::View;

/// How up to date the data of the view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The server has not answered yet.
    Connecting,
    /// Parts are being loaded, and none fails.
    Loading,
    /// Every part is live.
    Live,
    /// Some parts are live; others are stale or missing.
    Partly,
    /// The server answers, but no part is live; since when, if the view shows old data.
    Stale(Option<Timestamp>),
    /// The server does not answer; since when.
    Lost(Timestamp),
}

/// A part whose last request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing<'a> {
    /// The part.
    pub part: Part,
    /// The cause.
    pub why: &'a Fault,
    /// When the next request is sent, if that is known.
    pub retry_at: Option<Timestamp>,
}

impl State {
    /// The state of a part. A part that has not reported is loading.
    #[must_use]
    pub fn part(&self, part: Part) -> &PartState {
        static LOADING: PartState = PartState::Loading { progress: None };
        self.parts.get(&part).unwrap_or(&LOADING)
    }

    /// Whether a request for the part has ever succeeded.
    #[must_use]
    pub fn has_answered(&self, part: Part) -> bool {
        self.part(part).has_answered()
    }

    /// The parts that a view shows: those of the source, and those that are missing for a known reason.
    fn view_parts(&self, view: View) -> impl Iterator<Item = (Part, &PartState)> {
        let source = self.source.as_ref().map(|(kind, _)| *kind);
        let own = source.map_or(&[][..], Part::of_source);
        let own = own.iter().map(|part| (*part, self.part(*part)));
        let more = self.parts.iter().map(|(part, state)| (*part, state));
        let more = more.filter(move |(part, _)| {
            !source.is_some_and(|kind| Part::of_source(kind).contains(part))
        });
        // The page of a pod is incomplete until its events have arrived.
        let events = (view == View::Pod && !self.parts.contains_key(&Part::Events))
            .then(|| (Part::Events, self.part(Part::Events)));
        own.chain(more)
            .chain(events)
            .filter(move |(part, _)| view.shows(*part))
            // Usage is not missing if the user chose the source `none`.
            .filter(move |(part, state)| {
                let of_usage = matches!(part, Part::Usage | Part::NodeUsage);
                !(of_usage && source == Some(SourceKind::None) && state.failure().is_none())
            })
    }

    /// The liveness of the view's data.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        self.liveness_in(self.screen().view)
    }

    /// The liveness of the data of a view. The rows of several clusters are live even if this cluster does not answer.
    pub(in crate::model) fn liveness_in(&self, view: View) -> Liveness {
        if let Link::Lost { since, .. } = self.link
            && !view.is_of_several_clusters()
        {
            return Liveness::Lost(since);
        }
        let (mut live, mut failing, mut loading) = (false, false, false);
        let mut stale = None;
        for (_, state) in self.view_parts(view) {
            match state {
                PartState::Live => live = true,
                PartState::Loading { .. } => loading = true,
                PartState::Missing { .. } => failing = true,
                PartState::Stale { since, .. } => {
                    failing = true;
                    stale = Some(stale.map_or(*since, |stale: Timestamp| stale.min(*since)));
                }
            }
        }
        match (live, failing, loading) {
            (true, true, _) => Liveness::Partly,
            (true, false, true) => Liveness::Loading,
            (true, false, false) => Liveness::Live,
            (false, true, _) => Liveness::Stale(stale),
            (false, false, _) if self.source.is_some() && self.is_loading(view) => {
                Liveness::Loading
            }
            (false, false, _) => Liveness::Connecting,
        }
    }

    fn is_loading(&self, view: View) -> bool {
        let loads = |state: &PartState| matches!(state, PartState::Loading { progress: Some(_) });
        self.view_parts(view).any(|(_, state)| loads(state))
    }

    /// The failing parts of the view.
    #[must_use]
    pub fn failing(&self) -> Vec<Failing<'_>> {
        self.failing_in(self.screen().view)
    }

    /// The failing parts of a view.
    pub(in crate::model) fn failing_in(&self, view: View) -> Vec<Failing<'_>> {
        self.view_parts(view)
            .filter_map(|(part, state)| {
                let (why, retry_at) = state.failure()?;
                Some(Failing {
                    part,
                    why,
                    retry_at,
                })
            })
            .collect()
    }

    /// Whether the rows of the view may be old: the server does not answer, or requests for their part fail.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let view = self.screen().view;
        let rows = self.part(view.info().part);
        let is_lost = matches!(self.link, Link::Lost { .. }) && !view.is_of_several_clusters();
        is_lost || matches!(rows, PartState::Stale { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, FaultKind, Message, Outcome, View, act, apply};

    fn failed(kind: FaultKind) -> Outcome {
        Outcome::Failed {
            why: Fault {
                kind,
                text: "why".to_owned(),
            },
            retry_at: None,
        }
    }

    fn state(source: SourceKind, but: &[(Part, Outcome)]) -> State {
        let mut state = State {
            now: Timestamp::from_secs(100),
            ..State::default()
        };
        apply(&mut state, Message::Source(source, String::new()));
        apply(&mut state, Message::Link(Link::Up));
        for part in Part::of_source(source) {
            apply(&mut state, Message::Part(*part, Outcome::Succeeded));
        }
        for (part, outcome) in but {
            apply(&mut state, Message::Part(*part, outcome.clone()));
        }
        state
    }

    #[test]
    fn only_parts_of_the_view_decide_its_liveness() {
        let forbidden = || failed(FaultKind::Forbidden);
        let hpas = [(Part::Hpas, forbidden())];
        let lacks_hpas = |view| {
            let mut state = state(SourceKind::Vitals, &hpas);
            act(&mut state, Action::Show(view));
            (state.liveness(), state.failing().len())
        };
        assert_eq!(lacks_hpas(View::Pods), (Liveness::Live, 0));
        assert_eq!(lacks_hpas(View::Hpas), (Liveness::Partly, 1));
        // Without usage no view is live: totals are above each view.
        for kind in [
            FaultKind::Forbidden,
            FaultKind::NoAnswer,
            FaultKind::Unauthorized,
        ] {
            for view in [View::Overview, View::Nodes, View::Hpas] {
                let mut state = state(SourceKind::Metrics, &[(Part::Usage, failed(kind))]);
                act(&mut state, Action::Show(view));
                assert_eq!(state.liveness(), Liveness::Partly, "{kind:?} {view:?}");
            }
        }
        // A part that the source does not have counts in the view that would show it: incidents while kubevitals.io is
        // down.
        let mut state = state(SourceKind::Metrics, &[(Part::Incidents, forbidden())]);
        assert_eq!(state.liveness(), Liveness::Partly);
        act(&mut state, Action::Show(View::Pods));
        assert_eq!(state.liveness(), Liveness::Live);
    }

    #[test]
    fn nothing_is_live_before_the_first_answer_and_when_all_fails() {
        assert_eq!(State::default().liveness(), Liveness::Connecting);
        let mut state = state(SourceKind::None, &[]);
        for part in Part::of_source(SourceKind::None) {
            apply(
                &mut state,
                Message::Part(*part, failed(FaultKind::Unauthorized)),
            );
        }
        assert_eq!(
            state.liveness(),
            Liveness::Stale(Some(Timestamp::from_secs(100)))
        );
        let since = Timestamp::from_secs(90);
        apply(
            &mut state,
            Message::Link(Link::Lost {
                since,
                why: "connection refused".to_owned(),
                again: None,
            }),
        );
        assert_eq!(state.liveness(), Liveness::Lost(since));
    }
}
