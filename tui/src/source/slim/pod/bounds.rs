//! What a pod requests and is limited to, as the scheduler and the kubelet reckon.

use kubevitals_proto::vitals::Role;

use super::{Asked, SlimPod};
use crate::model::{Amounts, Cpu, Memory};

impl From<Asked> for Amounts {
    fn from(asked: Asked) -> Self {
        Self {
            cpu: asked.cpu.into(),
            memory: asked.memory.into(),
        }
    }
}

impl SlimPod {
    /// What the scheduler reckons with, and what every container is limited in: KEP-753's rule, in which sidecars count
    /// with what runs beside and after them.
    pub(super) fn bounds(&self) -> (Amounts, Amounts) {
        let mut sidecars = Amounts::default();
        let mut starting = Amounts::default();
        for spec in &self.spec.init_containers {
            let requests: Amounts = spec.resources.requests.into();
            if spec.role(true) == Role::Sidecar {
                sidecars = sidecars.plus(requests);
                starting = larger(starting, sidecars);
            } else {
                starting = larger(starting, sidecars.plus(requests));
            }
        }
        let apps = self
            .spec
            .containers
            .iter()
            .map(|spec| Amounts::from(spec.resources.requests));
        let running = apps.sum::<Amounts>().plus(sidecars);
        let of_pod = Amounts::from(self.spec.resources.requests);
        let requests = or(of_pod, larger(running, starting));
        let bound = || {
            self.containers()
                .filter(|(_, role)| *role != Role::Init)
                .map(|(spec, _)| Amounts::from(spec.resources.limits))
        };
        let mut limits: Amounts = bound().sum();
        if bound().any(|limit| !limit.cpu.is_known()) {
            limits.cpu = Cpu::NONE;
        }
        if bound().any(|limit| !limit.memory.is_known()) {
            limits.memory = Memory::NONE;
        }
        (
            requests,
            or(Amounts::from(self.spec.resources.limits), limits),
        )
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
