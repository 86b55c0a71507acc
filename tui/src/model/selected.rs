//! The object of the selected row.

use super::log::LogTarget;
use super::name::{Key, Name, Workload};
use super::object::{Kind, Object, Selected};
use super::row::{Container, IncidentRow, PodRow};
use super::scope::{Open, Scope};
use super::state::State;
use super::view::View;
use kubevitals_proto::vitals::Role;

impl State {
    /// The object of the selected row: on a text page, that of the page; on the page of a pod, the pod.
    #[must_use]
    pub fn selected(&self) -> Option<Selected> {
        let screen = self.screen();
        if let Some(pod) = screen.pod() {
            return Some(Selected {
                object: Object::new(Kind::Pod, pod),
                container: screen.container.clone(),
            });
        }
        let (view, key) = self.cursor()?;
        let object = |kind| Object::new(kind, &key);
        let selected = match view {
            View::Overview => return self.of_problem(&key),
            View::Forecasts | View::Changes | View::Probes => return self.of_row(view, &key),
            View::Pods | View::Pod => object(Kind::Pod),
            View::Containers => {
                return Some(Selected {
                    container: Some(key.part.clone()),
                    object: object(Kind::Pod),
                });
            }
            View::Nodes => object(Kind::Node),
            View::Namespaces => object(Kind::Namespace),
            View::Hpas => object(Kind::Hpa),
            View::Volumes => object(Kind::Claim),
            View::Workloads => object(Kind::named(&key.part)?),
            // Rows of other clusters: enter opens their cluster first. The cursor of the map is in another view.
            View::Clusters | View::AllIncidents | View::Map => return None,
            View::Incidents => {
                return self
                    .world()
                    .incidents
                    .get(&key)
                    .and_then(|row| of_incident(row));
            }
        };
        Some(Selected {
            object: selected,
            container: None,
        })
    }

    /// The node of a problem, or the object of its first incident, or what it opens.
    fn of_problem(&self, key: &Key) -> Option<Selected> {
        let world = self.world();
        let problem = world.problems.get(key)?;
        if let Some(node) = &problem.node {
            return of_scope(&Scope::Node(node.clone()), None);
        }
        let incident = problem.incidents.first();
        let incident = incident.and_then(|key| world.incidents.get(key));
        incident
            .and_then(|row| of_incident(row))
            .or_else(|| self.of_row(View::Overview, key))
    }

    /// What a row opens.
    fn of_row(&self, view: View, key: &Key) -> Option<Selected> {
        let table = self.world().table(view);
        let Open {
            scope, container, ..
        } = table.open(table.index_of(key)?)?;
        of_scope(&scope, container)
    }

    /// The containers of an object that have logs, in the order of their pods. Init containers come first.
    #[must_use]
    pub fn log_targets(&self, selected: &Selected) -> Vec<LogTarget> {
        let Object {
            kind,
            namespace,
            name,
        } = &selected.object;
        let key = Key::new(namespace, name);
        let pods: Vec<&PodRow> = match kind {
            Kind::Pod => {
                let pod = self
                    .world()
                    .pods
                    .get(&key)
                    .or_else(|| self.live.pods.get(&key));
                pod.map(|pod| &**pod).into_iter().collect()
            }
            kind if kind.is_workload() => {
                let workload = Workload {
                    kind: kind.name().into(),
                    name: name.clone(),
                };
                let is_of = |pod: &&PodRow| {
                    pod.namespace == *namespace && pod.workload.as_deref() == Some(&workload)
                };
                self.live
                    .pods
                    .rows()
                    .iter()
                    .map(|pod| &**pod)
                    .filter(is_of)
                    .collect()
            }
            _ => Vec::new(),
        };
        let target = |pod: &PodRow, container: &Name| LogTarget {
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            container: container.clone(),
        };
        if let (Some(container), [pod]) = (&selected.container, &*pods) {
            return vec![target(pod, container)];
        }
        let containers = pods.iter().flat_map(|pod| {
            let with_log = pod.containers.iter().filter(|container| has_log(container));
            with_log.map(|container| target(pod, &container.name))
        });
        containers.collect()
    }

    /// A container of a pod.
    pub(super) fn container(&self, target: &LogTarget) -> Option<&Container> {
        let pod = self
            .live
            .pods
            .get(&Key::new(&target.namespace, &target.pod))?;
        pod.containers
            .iter()
            .find(|container| container.name == target.container)
    }
}

/// Whether the log of a container is shown with those of the others: that of an init container that has completed is
/// not.
fn has_log(container: &Container) -> bool {
    container.role != Role::Init || &*container.reason != "Completed"
}

/// The object of a scope; of several pods the first.
fn of_scope(scope: &Scope, container: Option<Name>) -> Option<Selected> {
    let object = match scope {
        Scope::All => return None,
        Scope::Node(name) => Object::new(Kind::Node, &Key::named(name)),
        Scope::Namespace(name) => Object::new(Kind::Namespace, &Key::named(name)),
        Scope::Workload(namespace, workload) => Object::new(
            Kind::named(&workload.kind)?,
            &Key::new(namespace, &workload.name),
        ),
        Scope::Hpa(key, _) => Object::new(Kind::Hpa, key),
        Scope::Pod(key) => Object::new(Kind::Pod, key),
        Scope::Claim(key, _) => Object::new(Kind::Claim, key),
        Scope::Problem(problem) => Object::new(Kind::Pod, problem.pods.first()?),
    };
    Some(Selected { object, container })
}

/// The object that an incident is about.
fn of_incident(row: &IncidentRow) -> Option<Selected> {
    let involved = &row.incident.involved;
    let kind = Kind::named(&involved.kind)?;
    let key = Key::new(
        &involved.namespace.as_str().into(),
        &involved.name.as_str().into(),
    );
    let container = Some(involved.container.as_str()).filter(|name| !name.is_empty());
    Some(Selected {
        object: Object::new(kind, &key),
        container: container.map(Name::from),
    })
}
