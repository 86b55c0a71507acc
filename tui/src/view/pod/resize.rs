//! Describes an in-place resize that is not complete: its state, and the desired requests and limits.

use crate::model::row::{Bounds, Container, PodRow, Resize};
use crate::model::{Amounts, format};
use crate::view::canvas::{Line, Segment, paragraph};
use crate::view::theme::Ink;

/// Renders the resize of a pod in at most two rows: `resize Deferred, CPU request 1.00 to 4.00: node didn't have enough
/// capacity`.
pub(super) fn lines(resize: &Resize, pod: &PodRow, width: u16) -> Vec<Line> {
    let mut text = format!("resize {}", resize.state.as_str());
    for (between, more) in [
        (", ", changes(pod.bounds(), resize.desired).as_str()),
        (": ", &resize.message),
    ] {
        if !more.is_empty() {
            text.push_str(between);
            text.push_str(more);
        }
    }
    let ink = Ink::from(resize.tone());
    paragraph(&text, width, 1, ink).take(2).collect()
}

/// Renders the row below a container: `resize Deferred: CPU request 1.00 to 4.00, memory limit 1Gi to none`.
pub(super) fn of_container(resize: &Resize, container: &Container) -> Option<Line> {
    let desired = resize.of(&container.name)?;
    let has = Bounds::new(container.requests, container.limits);
    let changes = changes(has, desired);
    let text = format!("   resize {}: {changes}", resize.state.as_str());
    Some(vec![Segment::new(text, resize.tone().into())])
}

/// Lists the differences between two sets of requests and limits.
fn changes(has: Bounds, desired: Bounds) -> String {
    let none = || "none".to_owned();
    let mut changes = Vec::new();
    let mut compare = |word: &str, has: Amounts, desired: Amounts| {
        let cpu = |amounts: Amounts| amounts.cpu.get().map_or_else(none, format::cpu);
        let memory = |amounts: Amounts| amounts.memory.get().map_or_else(none, format::bytes);
        if has.cpu != desired.cpu {
            changes.push(format!("CPU {word} {} to {}", cpu(has), cpu(desired)));
        }
        if has.memory != desired.memory {
            let (has, desired) = (memory(has), memory(desired));
            changes.push(format!("memory {word} {has} to {desired}"));
        }
    };
    compare("request", has.requests, desired.requests);
    compare("limit", has.limits, desired.limits);
    changes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubevitals_proto::units::{Bytes, Nanocores};
    use kubevitals_proto::vitals::ResizeState;

    fn bounds(cores: u64, memory: Option<u64>) -> Bounds {
        Bounds {
            requests: Amounts {
                cpu: Nanocores(cores * 1_000_000_000).into(),
                ..Amounts::default()
            },
            limits: Amounts {
                memory: memory.map(|gib| Bytes(gib << 30)).into(),
                ..Amounts::default()
            },
        }
    }

    #[test]
    fn a_resize_shows_its_state_and_its_changes() {
        let has = bounds(1, Some(1));
        let pod = PodRow {
            requests: has.requests,
            limits: has.limits,
            ..PodRow::default()
        };
        let resize = Resize {
            state: ResizeState::Deferred,
            message: "node didn't have enough capacity".into(),
            desired: bounds(4, None),
            ..Resize::default()
        };
        let text: String = lines(&resize, &pod, 200)
            .iter()
            .flatten()
            .map(|segment| segment.text.as_str())
            .collect();
        let cpu = format::cpu;
        let expected = format!(
            " resize Deferred, CPU request {} to {}, memory limit {} to none: node didn't have enough capacity",
            cpu(Nanocores(1_000_000_000)),
            cpu(Nanocores(4_000_000_000)),
            format::bytes(Bytes(1 << 30))
        );
        assert_eq!(text, expected);
        assert_eq!(lines(&resize, &pod, 20).len(), 2);
        assert_eq!(changes(has, has), "");
    }
}
