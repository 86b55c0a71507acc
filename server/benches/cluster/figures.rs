//! The figures of the benchmark: names, units, and the budgets of the design.

/// A figure.
#[derive(Debug)]
pub(crate) struct Figure {
    /// The name in JSON.
    pub(crate) key: &'static str,
    /// The name in the table.
    pub(crate) label: &'static str,
    unit: &'static str,
    digits: usize,
    budgets: &'static [Budget],
}

/// What a cluster of so many nodes of 30 pods may cost. Less is better for all figures with a budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    nodes: usize,
    /// The goal.
    pub(crate) target: f64,
    /// The largest acceptable value.
    pub(crate) at_latest: f64,
}

/// The pods on a node for which the budgets hold.
const PODS: usize = 30;

const fn budget(nodes: usize, target: f64, at_latest: f64) -> Budget {
    Budget {
        nodes,
        target,
        at_latest,
    }
}

const fn figure(
    key: &'static str,
    label: &'static str,
    unit: &'static str,
    digits: usize,
    budgets: &'static [Budget],
) -> Figure {
    Figure {
        key,
        label,
        unit,
        digits,
        budgets,
    }
}

/// The figures of a server, in the order of the table.
#[rustfmt::skip]
pub(crate) const FIGURES: &[Figure] = &[
    figure("firstAnswers", "start to first answers", "s", 2, &[budget(1000, 1.0, 2.0), budget(5000, 2.0, 5.0)]),
    figure("allAnswers", "start to all nodes", "s", 2, &[]),
    figure("startCpu", "CPU of the start", "s", 2, &[]),
    figure("startPeak", "peak of memory of the start", "MiB", 1, &[]),
    figure("historyPoints", "points of history restored", "million", 2, &[]),
    figure("historyRestored", "start to all history", "s", 1, &[]),
    figure("peak", "peak of memory with all history", "MiB", 1, &[]),
    figure("cpu", "CPU, scraping", "millicores", 1, &[budget(1000, 7.0, 10.0), budget(5000, 23.0, 35.0)]),
    figure("cpuUser", "in user mode", "millicores", 1, &[]),
    figure("cpuSystem", "in the kernel", "millicores", 1, &[]),
    figure("cpuPerScrape", "CPU per scrape", "µs", 0, &[]),
    figure("rss", "memory (RSS), scraping", "MiB", 1, &[budget(1000, 60.0, 80.0), budget(5000, 240.0, 320.0)]),
    figure("rssPeak", "peak of memory, scraping", "MiB", 1, &[]),
    figure("pss", "memory (PSS)", "MiB", 1, &[]),
    figure("allocated", "allocated by the program", "MiB", 1, &[]),
    figure("active", "allocator: active", "MiB", 1, &[]),
    figure("resident", "allocator: resident", "MiB", 1, &[]),
    figure("historyBytes", "ring: memory of the history", "MiB", 1, &[]),
    figure("historySeries", "ring: series", "", 0, &[]),
    figure("bytesPerPoint", "ring: bytes per point", "", 2, &[]),
    figure("threads", "threads", "", 0, &[]),
    figure("podScrapes", "scrapes of pods that succeeded", "", 0, &[]),
    figure("podFailed", "scrapes of pods that failed", "", 0, &[]),
    figure("podMissed", "scrapes of pods missed", "", 0, &[]),
    figure("podSeries", "series kept", "", 0, &[]),
    figure("podBytes", "values and histories of pods", "MiB", 2, &[]),
    figure("podCpu", "CPU for pods' own metrics", "millicores", 1, &[]),
    figure("podCpuPerScrape", "CPU per scrape of a pod", "µs", 0, &[]),
    figure("podMemory", "memory (RSS) for pods' own metrics", "MiB", 1, &[]),
    figure("succeeded", "scrapes that succeeded", "", 0, &[]),
    figure("failed", "scrapes that failed", "", 0, &[]),
    figure("missed", "scrapes missed", "", 0, &[]),
    figure("skipped", "turns skipped", "", 0, &[]),
    figure("otherPages", "other pages scraped, per scrape", "", 2, &[]),
    figure("otherPageBytes", "their size, per scrape", "KB", 1, &[]),
    figure("latencyP50", "latency of a scrape, p50", "ms", 2, &[]),
    figure("latencyP90", "latency of a scrape, p90", "ms", 2, &[]),
    figure("latencyP99", "latency of a scrape, p99", "ms", 2, &[]),
    figure("voluntary", "voluntary context switches per scrape", "", 2, &[]),
    figure("involuntary", "involuntary context switches per scrape", "", 2, &[]),
    figure("systemCalls", "system calls per scrape", "", 1, &[]),
    figure("jsonCpu", "list of all pods, JSON: CPU", "ms", 1, &[budget(1000, 30.0, 40.0), budget(5000, 150.0, 250.0)]),
    figure("jsonTime", "list of all pods, JSON: time", "ms", 1, &[]),
    figure("jsonFirstByte", "list of all pods, JSON: first byte", "ms", 1, &[]),
    figure("jsonSize", "list of all pods, JSON: size", "MB", 1, &[]),
    figure("jsonTenCpu", "ten at once, JSON: CPU each", "ms", 1, &[]),
    figure("jsonTenAdded", "ten at once, JSON: memory added", "MiB", 1, &[budget(1000, 10.0, 15.0), budget(5000, 10.0, 15.0)]),
    figure("jsonTenAfter", "ten at once, JSON: memory added after", "MiB", 1, &[]),
    figure("protobufCpu", "list of all pods, protobuf: CPU", "ms", 1, &[budget(1000, 15.0, 25.0), budget(5000, 75.0, 130.0)]),
    figure("protobufTime", "list of all pods, protobuf: time", "ms", 1, &[]),
    figure("protobufFirstByte", "list of all pods, protobuf: first byte", "ms", 1, &[]),
    figure("protobufSize", "list of all pods, protobuf: size", "MB", 1, &[]),
    figure("protobufTenCpu", "ten at once, protobuf: CPU each", "ms", 1, &[]),
    figure("protobufTenAdded", "ten at once, protobuf: memory added", "MiB", 1, &[budget(1000, 10.0, 15.0), budget(5000, 10.0, 15.0)]),
    figure("protobufTenAfter", "ten at once, protobuf: memory added after", "MiB", 1, &[]),
    figure("selectorCpu", "list by selector: CPU", "ms", 2, &[]),
    figure("selectorP50", "list by selector: p50", "ms", 2, &[]),
    figure("selectorP99", "list by selector: p99", "ms", 2, &[]),
    figure("watchCpu", "a watch of all pods: CPU added", "millicores", 1, &[]),
    figure("watchEvents", "a watch of all pods: events", "per s", 0, &[]),
    figure("watchSize", "a watch of all pods: size", "KB/s", 0, &[]),
    figure("watchMemory", "a watch of all pods: memory added", "MiB", 1, &[]),
    figure("topTime", "`vitals top pods -A`: time", "s", 2, &[budget(5000, 0.3, 0.4)]),
    figure("topCpu", "`vitals top pods -A`: CPU", "s", 2, &[]),
    figure("topPeak", "`vitals top pods -A`: peak of memory", "MiB", 1, &[]),
    figure("kubectlTime", "`kubectl top pods -A`: time", "s", 2, &[]),
    figure("kubectlPeak", "`kubectl top pods -A`: peak of memory", "MiB", 1, &[]),
    figure("kubectlTimeRatio", "kubectl's time / that of vitals", "", 1, &[]),
    figure("kubectlPeakRatio", "kubectl's peak / that of vitals", "", 1, &[]),
    figure("loadSelectorP50", "under load: list by selector, p50", "ms", 2, &[]),
    figure("loadSelectorP99", "under load: list by selector, p99", "ms", 2, &[budget(5000, 20.0, 20.0)]),
    figure("loadSelectorFailed", "under load: lists by selector that failed", "", 0, &[]),
    figure("loadListMax", "under load: slowest full list", "ms", 0, &[]),
    figure("loadCpu", "under load: CPU", "millicores", 0, &[]),
    figure("loadMissed", "under load: scrapes missed", "", 0, &[budget(5000, 0.0, 0.0)]),
    figure("loadUnready", "under load: readiness probes that failed", "", 0, &[budget(5000, 0.0, 0.0)]),
    figure("loadRssStart", "under load: memory at the start", "MiB", 1, &[]),
    figure("loadRssHalf", "under load: memory at half time", "MiB", 1, &[]),
    figure("loadRssEnd", "under load: memory at the end", "MiB", 1, &[]),
];

/// The figures of the simulator and the machine, under which those of the servers were measured.
#[rustfmt::skip]
pub(crate) const CONDITIONS: &[Figure] = &[
    figure("cores", "processors", "", 0, &[]),
    figure("otherCpu", "CPU of other programs while scraping was measured", "millicores", 0, &[]),
    figure("simulatorCpuPerScrape", "CPU of the simulator per scrape", "µs", 0, &[]),
    figure("simulatorMemory", "memory of the simulator", "MiB", 0, &[]),
    figure("podTargets", "pods with metrics of their own", "", 0, &[]),
    figure("podPageSeries", "series of each", "", 0, &[]),
    figure("historyWritten", "points of history written", "million", 2, &[]),
];

/// With more millicores of other programs the machine counts as busy.
pub(crate) const BUSY: f64 = 100.0;

impl Figure {
    /// The budget for a cluster of this size.
    pub(crate) fn budget(&self, nodes: usize, pods: usize) -> Option<Budget> {
        let mut budgets = self.budgets.iter();
        budgets
            .find(|it| it.nodes == nodes && pods == PODS)
            .copied()
    }

    /// A value with its unit.
    pub(crate) fn with_unit(&self, value: f64) -> String {
        let space = if self.unit.is_empty() { "" } else { " " };
        format!("{value:.*}{space}{}", self.digits, self.unit)
    }
}

impl Budget {
    /// Whether a value is within the budget.
    pub(crate) fn verdict(&self, value: f64) -> String {
        if value <= self.target {
            "target met".to_owned()
        } else if value <= self.at_latest {
            format!("acceptable, {:.2} × target", value / self.target)
        } else {
            format!("**over**, {:.2} × target", value / self.target)
        }
    }
}
