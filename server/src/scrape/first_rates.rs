//! First rates: until a counter has two samples, the server uses the kubelet's own rates.
//!
//! `/stats/summary?only_cpu_and_memory=true` contains `usageNanoCores`, the rate between cAdvisor's last two samples,
//! so that the server has metrics after one scrape instead of after two resolutions.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::kubelet::summary::{CpuRate, Rates};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::client::Turn;
use super::failure::ScrapeError;
use super::shared::Shared;
use super::target::Target;
use crate::store::{FirstRates, Usage};

const PATH: &str = "/stats/summary?only_cpu_and_memory=true";

/// The window of the kubelet's rates, which the kubelet does not report. cAdvisor samples a busy cgroup every 10 to 20
/// s. With the longest of these, a client that checks whether the window starts after a time, as the HPA does, is never
/// wrong.
const WINDOW: GoDuration = GoDuration(20_000_000_000);

/// Fetches the node's own rates.
pub(super) async fn fetch(
    shared: &Shared,
    target: &mut Target,
    mut turn: Turn<'_>,
) -> Result<FirstRates, ScrapeError> {
    let mut body = shared.page_buffers.body();
    shared
        .kubelets
        .get(target, PATH, &mut turn, &mut body)
        .await
        .map_err(|failed| failed.error)?;
    let rates = Rates::parse(&body).map_err(|error| ScrapeError::summary(&error, &body))?;
    Ok(convert(&rates))
}

fn convert(summary: &Rates<'_>) -> FirstRates {
    let mut rates = FirstRates {
        node: summary.node.cpu.as_ref().and_then(|cpu| usage(cpu, None)),
        ..FirstRates::default()
    };
    for pod in &summary.pods {
        for container in &pod.containers {
            let cpu = container.cpu.as_ref();
            if let Some(usage) = cpu.and_then(|cpu| usage(cpu, container.start_time)) {
                let key = [&pod.pod_ref.namespace, &pod.pod_ref.name, &container.name];
                let [namespace, name, container] = key.map(|text| text.clone().into_owned());
                let key = (namespace, name, container);
                rates.containers.insert(key, usage);
            }
        }
    }
    rates
}

/// The usage without memory, which comes from the scrape.
fn usage(cpu: &CpuRate, start: Option<Timestamp>) -> Option<Usage> {
    let at = cpu.time?;
    // The window does not begin before the container.
    let age = start.map_or(i64::MAX, |start| at.0.saturating_sub(start.0));
    (age > 0).then_some(())?;
    Some(Usage {
        at,
        window: GoDuration(WINDOW.0.min(age)),
        cpu: Nanocores(cpu.usage_nano_cores?),
        memory: Bytes(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(at: i64, nanocores: Option<u64>) -> CpuRate {
        CpuRate {
            time: Some(Timestamp::from_secs(at)),
            usage_nano_cores: nanocores,
        }
    }

    #[test]
    fn the_window_is_the_longest_it_can_be_and_no_longer_than_the_container_lives() {
        let window =
            |start| usage(&cpu(1000, Some(5)), start).map(|usage| usage.window.0 / 1_000_000_000);
        assert_eq!(window(None), Some(20));
        assert_eq!(window(Some(Timestamp::from_secs(1))), Some(20));
        assert_eq!(window(Some(Timestamp::from_secs(993))), Some(7));
        assert_eq!(window(Some(Timestamp::from_secs(1000))), None);
    }

    #[test]
    fn without_a_rate_or_time_there_is_no_usage() {
        assert_eq!(usage(&cpu(1000, None), None), None);
        let without_time = CpuRate {
            time: None,
            ..cpu(1000, Some(1))
        };
        assert_eq!(usage(&without_time, None), None);
    }
}
