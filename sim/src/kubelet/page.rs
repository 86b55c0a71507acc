//! Which pages a kubelet has, and where they come from.

use super::summary::Extent;

/// A page of a kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// `/metrics/resource`.
    Resource,
    /// `/metrics/probes`.
    Probes,
    /// `/stats/summary`.
    Summary(Extent),
    /// `/pods`.
    Pods,
}

impl Page {
    /// The page at a path; `None` when there is none.
    pub(crate) fn at(path: &str, query: Option<&str>) -> Option<Self> {
        let only = query
            .unwrap_or_default()
            .split('&')
            .any(|q| matches!(q, "only_cpu_and_memory=true" | "only_cpu_and_memory=1"));
        match path.trim_end_matches('/') {
            "/metrics/resource" => Some(Self::Resource),
            "/metrics/probes" => Some(Self::Probes),
            "/stats/summary" if only => Some(Self::Summary(Extent::CpuAndMemory)),
            "/stats/summary" => Some(Self::Summary(Extent::Full)),
            "/pods" => Some(Self::Pods),
            _ => None,
        }
    }

    /// What a kubelet says it is.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Resource | Self::Probes => {
                "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            }
            Self::Summary(_) | Self::Pods => "application/json",
        }
    }
}

/// How a page was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The page is written.
    Written,
    /// There is no such page here.
    NotFound,
    /// The kubelet fails, with this status.
    Failed(u16),
    /// The kubelet says nothing.
    Silent,
}

/// Where the kubelets' pages come from: the world, or a recording.
pub(crate) trait Pages: Send + Sync + 'static {
    /// Writes a page of the node of this index, its clock being off by `clock_off` nanoseconds.
    fn write(&self, node: usize, page: Page, clock_off: i64, out: &mut Vec<u8>) -> Answer;
}
