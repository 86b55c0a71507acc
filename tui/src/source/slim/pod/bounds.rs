//! What a pod requests and is limited to, as the scheduler and the kubelet reckon.

use kubevitals_proto::resize::{Bound, Bounds};
use kubevitals_proto::vitals::Role;

use super::{Asked, ContainerSpec, Resources, SlimPod};
use crate::model::{Amounts, Cpu, Memory, row};

impl From<Asked> for Amounts {
    fn from(asked: Asked) -> Self {
        Self {
            cpu: asked.cpu.into(),
            memory: asked.memory.into(),
        }
    }
}

impl From<Resources> for Bounds {
    fn from(Resources { requests, limits }: Resources) -> Self {
        Self {
            cpu: Bound {
                request: requests.nanocores(),
                limit: limits.nanocores(),
            },
            memory: Bound {
                request: requests.bytes(),
                limit: limits.bytes(),
            },
        }
    }
}

impl From<Bounds> for row::Bounds {
    fn from(Bounds { cpu, memory }: Bounds) -> Self {
        Self {
            requests: Amounts {
                cpu: cpu.request.into(),
                memory: memory.request.into(),
            },
            limits: Amounts {
                cpu: cpu.limit.into(),
                memory: memory.limit.into(),
            },
        }
    }
}

impl SlimPod {
    /// What the scheduler reckons with, and what every container is limited in, of a pod and containers with these
    /// bounds: KEP-753's rule, in which sidecars count with what runs beside and after them.
    pub(super) fn together(
        &self,
        of_pod: Bounds,
        each: impl Fn(&ContainerSpec) -> Bounds,
    ) -> row::Bounds {
        let each = |spec: &ContainerSpec| row::Bounds::from(each(spec));
        let mut sidecars = Amounts::default();
        let mut starting = Amounts::default();
        for spec in &self.spec.init_containers {
            let requests = each(spec).requests;
            if spec.role(true) == Role::Sidecar {
                sidecars = sidecars.plus(requests);
                starting = larger(starting, sidecars);
            } else {
                starting = larger(starting, sidecars.plus(requests));
            }
        }
        let apps = self.spec.containers.iter().map(|spec| each(spec).requests);
        let running = apps.sum::<Amounts>().plus(sidecars);
        let of_pod = row::Bounds::from(of_pod);
        let requests = or(of_pod.requests, larger(running, starting));
        let bound = || {
            self.containers()
                .filter(|(_, role)| *role != Role::Init)
                .map(|(spec, _)| each(spec).limits)
        };
        let mut limits: Amounts = bound().sum();
        if bound().any(|limit| !limit.cpu.is_known()) {
            limits.cpu = Cpu::NONE;
        }
        if bound().any(|limit| !limit.memory.is_known()) {
            limits.memory = Memory::NONE;
        }
        let limits = or(of_pod.limits, limits);
        let overhead = Amounts::from(self.spec.overhead);
        let mut limited = limits.plus(overhead);
        // The overhead adds to a limit, and makes none.
        if !limits.cpu.is_known() {
            limited.cpu = Cpu::NONE;
        }
        if !limits.memory.is_known() {
            limited.memory = Memory::NONE;
        }
        row::Bounds {
            requests: requests.plus(overhead),
            limits: limited,
        }
    }
}

fn larger(a: Amounts, b: Amounts) -> Amounts {
    let more = |a: Option<f64>, b: Option<f64>| a.unwrap_or(-1.0) >= b.unwrap_or(-1.0);
    Amounts {
        cpu: if more(a.cpu.number(), b.cpu.number()) {
            a.cpu
        } else {
            b.cpu
        },
        memory: if more(a.memory.number(), b.memory.number()) {
            a.memory
        } else {
            b.memory
        },
    }
}

fn or(a: Amounts, b: Amounts) -> Amounts {
    Amounts {
        cpu: if a.cpu.is_known() { a.cpu } else { b.cpu },
        memory: if a.memory.is_known() {
            a.memory
        } else {
            b.memory
        },
    }
}
