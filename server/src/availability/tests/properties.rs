//! Properties of timelines, compared with a state for every second.

use proptest::prelude::*;

use super::super::state::Transition;
use super::super::time::Second;
use super::super::timeline::{ROLLOUT_LIMIT, Timeline};
use super::*;

/// The seconds of a test.
const SECONDS: u32 = 400_000;

/// A state for every second; none where nothing is known.
type Model = Vec<Option<State>>;

/// Transitions as they are reported: times may repeat and go back a little.
fn reports() -> impl Strategy<Value = Vec<Transition>> {
    let report = (1..SECONDS, 0..6_usize);
    prop::collection::vec(report, 0..40).prop_map(|mut all| {
        all.sort_unstable_by_key(|(at, _)| *at / 1_000);
        let transitions = all.into_iter().map(|(at, state)| Transition {
            at: Second(at),
            state: State::ALL[state],
        });
        transitions.collect()
    })
}

fn timeline(reports: &[Transition]) -> Timeline {
    let mut timeline = Timeline::default();
    for report in reports {
        timeline.set(report.at, report.state);
    }
    timeline
}

fn model(reports: &[Transition]) -> Model {
    let mut model: Model = vec![None; SECONDS as usize];
    for report in reports {
        model[report.at.0 as usize..].fill(Some(report.state));
    }
    model
}

/// What a model counts as: rollouts that last too long are outages.
fn counted(mut model: Model) -> Model {
    let mut rollout = 0;
    for state in &mut model {
        if *state != Some(State::Deliberate) {
            rollout = 0;
            continue;
        }
        rollout += 1;
        if rollout > ROLLOUT_LIMIT {
            *state = Some(State::Down);
        }
    }
    model
}

fn assert_counts(totals: &Totals, model: &[Option<State>]) {
    for state in State::ALL {
        let seconds = model.iter().filter(|it| **it == Some(state)).count();
        assert_eq!(totals.seconds(state), seconds as u64, "{state:?}");
    }
    let is_down = |it: &Option<State>| *it == Some(State::Down);
    let runs: Vec<_> = model.chunk_by(|a, b| is_down(a) == is_down(b)).collect();
    let outages: Vec<_> = runs.iter().filter(|run| is_down(&run[0])).collect();
    assert_eq!(totals.outages, outages.len() as u64);
    let longest = outages.iter().map(|run| run.len()).max().unwrap_or(0);
    assert_eq!(totals.longest_seconds, longest as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn totals_count_every_second_once(
        reports in reports(), since in 0..SECONDS, length in 0..SECONDS, known in 0..SECONDS,
    ) {
        let until = since.saturating_add(length).min(SECONDS);
        let totals = timeline(&reports).totals(Second(since), Second(until), Second(known));
        let mut model = counted(model(&reports));
        let begin = model.iter().position(Option::is_some).unwrap_or(model.len());
        let unknown = begin.max(known as usize);
        if unknown < model.len() {
            model[unknown..].fill(Some(State::Unknown));
        }
        assert_counts(&totals, &model[since as usize..until as usize]);
    }

    #[test]
    fn merging_into_totals_loses_no_second_and_no_outage(reports in reports(), most in 1..20_usize) {
        let whole = timeline(&reports);
        let mut compacted = whole.clone();
        let end = Second(SECONDS);
        compacted.compact(most, RETENTION, end);
        prop_assert!(compacted.transitions().len() <= most);
        let all = |timeline: &Timeline| timeline.totals(Second(0), end, end);
        let (before, after) = (all(&whole), all(&compacted));
        for state in State::ALL {
            prop_assert_eq!(before.seconds(state), after.seconds(state));
        }
        prop_assert_eq!(before.outages, after.outages);
        prop_assert_eq!(before.longest_seconds, after.longest_seconds);
        prop_assert_eq!(before.last, after.last);
    }

    #[test]
    fn of_two_timelines_the_own_one_counts_where_it_knows_something(
        own in reports(), other in reports(), known in 1..SECONDS,
    ) {
        let merged = timeline(&own).merged(&timeline(&other), Second(known));
        let (own, other) = (model(&own), model(&other));
        let begins = own.iter().chain(&other).any(Option::is_some);
        for second in 0..SECONDS as usize {
            let theirs = other[second].filter(|_| second < known as usize);
            let expected = match own[second] {
                Some(State::Unknown) | None => theirs.or(own[second]),
                state => state,
            };
            let gap = begins && second >= known as usize;
            let expected = expected.or(gap.then_some(State::Unknown));
            prop_assert_eq!(merged.at(Second(second as u32)), expected, "{}", second);
        }
    }

    #[test]
    fn a_merge_with_itself_changes_nothing(reports in reports()) {
        let timeline = timeline(&reports);
        prop_assert_eq!(&timeline.merged(&timeline, Second(SECONDS)).transitions().to_vec(),
            &timeline.merged(&timeline, Second(SECONDS)).merged(&timeline, Second(SECONDS)).transitions().to_vec());
    }
}
