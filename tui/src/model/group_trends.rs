//! Recent usage of workloads and namespaces: sums of their pods, for the rows on the screen.

use std::collections::HashMap;

use kubevitals_proto::time::Timestamp;

use super::amount::Amounts;
use super::name::Key;
use super::row::{PodRow, Row as _};
use super::table::Version;
use super::time::Time;
use super::trend::Trends;
use super::view::View;
use super::world::World;

/// The number of steps of a sum: at least twice as many as a sparkline has cells.
const STEPS: usize = 60;

/// How long a sum is shown before it is computed again, in seconds. A cell of a sparkline is longer.
const REFRESH_SECONDS: i64 = 10;

/// The pods after which an update stops; the next one continues with the next row.
const PODS_PER_UPDATE: usize = 2_048;

/// The number of sums from which those of rows that are not on the screen are dropped.
const MAX_SUMS: usize = 512;

/// Recent usage of the workloads or namespaces that have been on the screen.
#[derive(Debug, Clone, Default)]
pub struct GroupTrends {
    basis: Option<Basis>,
    sums: HashMap<Key, Sum>,
}

/// What the sums depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Basis {
    /// The view.
    pub(super) view: View,
    /// Which time is on the screen.
    pub(super) time: Time,
    /// The pods of a past time.
    pub(super) pods: Option<Version>,
    /// The length of the span, in seconds.
    pub(super) span: i64,
    /// The end of the charts of a past time.
    pub(super) end: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Sum {
    computed: Timestamp,
    steps: Vec<Amounts>,
}

impl GroupTrends {
    /// The steps of a group, if it is a row on the screen; see [`Trend::held_steps`](super::Trend::held_steps).
    #[must_use]
    pub fn steps(&self, key: &Key, count: usize) -> Option<Vec<Amounts>> {
        let sum = &self.sums.get(key)?.steps;
        let mean = |at: usize| {
            let (from, to) = (at * STEPS / count.max(1), (at + 1) * STEPS / count.max(1));
            let steps = sum.get(from..to.max(from + 1)).unwrap_or_default();
            Amounts::by(|resource| {
                let known = steps.iter().filter_map(|step| step.get(resource));
                let (total, count) = known.fold((0_u128, 0), |(total, count), value| {
                    (total + u128::from(value), count + 1)
                });
                u64::try_from(total.checked_div(count)?).ok()
            })
        };
        Some((0..count).map(mean).collect())
    }

    /// Which of these rows have no sum, or an old one.
    pub(super) fn outdated<'a>(
        &'a self,
        basis: &Basis,
        rows: &'a [Key],
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Key> {
        let is_same = self.basis.as_ref() == Some(basis);
        rows.iter().filter(move |key| {
            let sum = self.sums.get(key).filter(|_| is_same);
            let age = sum.map(|sum| now.since(sum.computed));
            age.is_none_or(|age| age >= REFRESH_SECONDS * 1_000_000_000)
        })
    }

    /// Computes the sums of rows from `since` to `until`, until it has read enough pods.
    pub(super) fn update(
        &mut self,
        basis: Basis,
        rows: &[Key],
        world: &World,
        trends: &Trends,
        (since, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) {
        let outdated: Vec<Key> = self.outdated(&basis, rows, now).cloned().collect();
        if self.basis.as_ref() != Some(&basis) {
            self.sums.clear();
        } else if self.sums.len() > MAX_SUMS {
            self.sums.retain(|key, _| rows.contains(key));
        }
        let view = basis.view;
        self.basis = Some(basis);
        let mut read = 0;
        for key in outdated {
            if read >= PODS_PER_UPDATE {
                break;
            }
            let mut steps = vec![Amounts::default(); STEPS];
            let mut add = |pod: &PodRow| {
                read += 1;
                if let Some(trend) = trends.get(&pod.key()) {
                    trend.add_held_steps(since, until, &mut steps);
                }
            };
            match view {
                View::Workloads => world.pods_of_workload(&key).for_each(|pod| add(pod)),
                _ => world.pods_of_namespace(&key.name).for_each(|pod| add(pod)),
            }
            let computed = now;
            self.sums.insert(key, Sum { computed, steps });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Resource;
    use crate::model::name::{Name, Workload};
    use crate::model::table::Table;
    use kubevitals_proto::units::Nanocores;

    const SPAN: i64 = 900;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + second)
    }

    fn basis(view: View) -> Basis {
        Basis {
            view,
            time: Time::Live,
            pods: None,
            span: SPAN,
            end: None,
        }
    }

    /// Pods of two workloads in two namespaces, with a trend each: the number of the pod, every 15 seconds.
    fn world(count: usize) -> (World, Trends) {
        let (mut pods, mut trends) = (Vec::new(), Trends::default());
        for pod in 0..count {
            let row = PodRow {
                namespace: ["bank", "shop"][pod % 2].into(),
                name: format!("pod-{pod:05}").into(),
                workload: Some(Workload::new("Deployment", ["api", "web"][pod / 2 % 2])),
                ..PodRow::default()
            };
            for second in (0..SPAN).step_by(15) {
                let cpu = Nanocores(u64::try_from(pod).unwrap());
                let usage = Amounts {
                    cpu: cpu.into(),
                    ..Amounts::default()
                };
                trends.push(&row.key(), at(second), usage);
            }
            pods.push(row);
        }
        let mut world = World::default();
        world.pods = Table::of(pods);
        world.derive(View::Workloads, false);
        world.derive(View::Namespaces, false);
        (world, trends)
    }

    fn cpu(all: &GroupTrends, key: &Key, count: usize) -> Vec<Option<u64>> {
        let steps = all.steps(key, count).unwrap_or_default();
        steps.iter().map(|step| step.get(Resource::Cpu)).collect()
    }

    fn names() -> [Name; 2] {
        ["bank".into(), "shop".into()]
    }

    #[test]
    fn a_group_is_the_sum_of_its_pods() {
        let (world, trends) = world(8);
        let span = (at(0), at(SPAN));
        let mut all = GroupTrends::default();
        let rows = names().map(|name| Key::named(&name));
        all.update(basis(View::Namespaces), &rows, &world, &trends, span, at(0));
        assert_eq!(cpu(&all, &rows[0], 7), [Some(2 + 4 + 6); 7]);
        assert_eq!(cpu(&all, &rows[1], 30), [Some(1 + 3 + 5 + 7); 30]);
        let web = Key::new(&names()[1], &"web".into()).part(&"Deployment".into());
        let rows = [web];
        all.update(basis(View::Workloads), &rows, &world, &trends, span, at(0));
        assert_eq!(cpu(&all, &rows[0], 3), [Some(3 + 7); 3]);
        assert_eq!(
            all.steps(&Key::named(&names()[0]), 3),
            None,
            "of another view"
        );
        let unknown = [Key::named(&"none".into())];
        all.update(
            basis(View::Workloads),
            &unknown,
            &world,
            &trends,
            span,
            at(0),
        );
        assert_eq!(cpu(&all, &unknown[0], 3), [None; 3]);
        assert_eq!(cpu(&all, &unknown[0], 0), []);
    }

    #[test]
    fn sums_are_computed_again_when_they_are_old_or_of_something_else() {
        let (world, trends) = world(4);
        let rows = names().map(|name| Key::named(&name));
        let mut all = GroupTrends::default();
        let of = basis(View::Namespaces);
        all.update(of.clone(), &rows, &world, &trends, (at(0), at(SPAN)), at(0));
        let outdated = |basis: &Basis, second| all.outdated(basis, &rows, at(second)).count();
        assert_eq!((outdated(&of, 9), outdated(&of, 10)), (0, 2));
        for other in [
            Basis {
                span: 300,
                ..of.clone()
            },
            Basis {
                time: Time::Paused(at(0)),
                ..of.clone()
            },
            Basis {
                end: Some(at(1)),
                ..of.clone()
            },
            Basis {
                pods: Some(world.pods.version()),
                ..of.clone()
            },
        ] {
            assert_eq!(outdated(&other, 0), 2, "{other:?}");
        }
    }

    #[test]
    fn an_update_reads_a_bounded_number_of_pods() {
        let (world, trends) = world(2 * PODS_PER_UPDATE);
        let rows = names().map(|name| Key::named(&name));
        let mut all = GroupTrends::default();
        for known in [1, 2] {
            let of = basis(View::Namespaces);
            all.update(of, &rows, &world, &trends, (at(0), at(SPAN)), at(0));
            let sums = rows.iter().filter(|key| all.steps(key, 1).is_some());
            assert_eq!(sums.count(), known);
        }
    }
}
