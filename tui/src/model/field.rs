//! What can be shown, sorted and filtered by: one list for every view, the filter language and the export.

/// In what a field is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// It is text.
    Text,
    /// A bare number.
    Count,
    /// CPU; the number is nanocores, a literal is a quantity of cores (`500m`, `2`).
    Cores,
    /// Memory or storage; the number is bytes, a literal is a quantity (`1Gi`).
    Bytes,
    /// Bytes a second; a literal is a quantity.
    BytesPerSecond,
    /// A part; the number is percent, so 50 is half. A literal may end in `%`.
    Percent,
    /// A time from then to now; the number is seconds, a literal is a duration (`90s`, `1h30m`, `2d`).
    Seconds,
    /// Yes or no; the number is 1 or 0, a literal is `true` or `false`.
    Flag,
}

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $variant:ident = $unit:ident, $name:literal $(| $alias:literal)*;)*) => {
        /// A field of a row.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $($(#[doc = $doc])* $variant,)* }

        impl Field {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What the filter language and the configuration call it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Other words for it.
            #[must_use]
            pub const fn aliases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($alias,)*],)* }
            }

            /// In what it is counted.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }

            /// What it is, in a few words.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

fields! {
    /// Namespace
    Namespace = Text, "ns" | "namespace";
    /// Name
    Name = Text, "name";
    /// Name of the pod that a container or an incident belongs to
    Pod = Text, "pod";
    /// Name of the container
    Container = Text, "container" | "c";
    /// Node
    Node = Text, "node";
    /// The label app.kubernetes.io/name, or else app or k8s-app
    App = Text, "app";
    /// Kind of workload or object
    Kind = Text, "kind";
    /// What made the pod
    Workload = Text, "workload" | "owner";
    /// Init, sidecar or app container
    Role = Text, "role";
    /// Status, as kubectl shows it
    Status = Text, "status" | "state";
    /// Phase of the pod
    Phase = Text, "phase";
    /// Whether it is ready
    Ready = Flag, "ready";
    /// How its probes are: failing, pending (starting), waiting (delayed), not running, passing, unknown, none
    Probe = Text, "probe" | "probes";
    /// Probes that fail
    Failing = Count, "failing";
    /// Containers that are ready
    ReadyContainers = Count, "ready-containers";
    /// Containers
    Containers = Count, "containers";
    /// Restarts since it was created
    Restarts = Count, "restarts";
    /// Restarts of the last hour
    Recent = Count, "restarts-1h" | "recent";
    /// Why it was restarted last
    LastRestart = Text, "last-restart" | "last";
    /// How long ago it was restarted last
    LastRestartAge = Seconds, "last-restart-age";
    /// State of a resize in place (* in STATUS)
    Resize = Text, "resize";
    /// CPU used
    Cpu = Cores, "cpu";
    /// CPU requested
    CpuRequest = Cores, "cpu-request" | "cpu.request";
    /// CPU limit
    CpuLimit = Cores, "cpu-limit" | "cpu.limit";
    /// CPU used of what there is for pods
    CpuPercent = Percent, "cpu%";
    /// CPU used of what is requested
    CpuOfRequest = Percent, "cpu%request" | "cpu%req";
    /// CPU used of the limit
    CpuOfLimit = Percent, "cpu%limit" | "cpu%lim";
    /// CPU requested of what there is for pods
    CpuRequested = Percent, "cpu-requested%" | "cpu-commit";
    /// CPU there is for pods
    CpuAllocatable = Cores, "cpu-allocatable";
    /// Memory used
    Memory = Bytes, "mem" | "memory";
    /// Memory requested
    MemoryRequest = Bytes, "mem-request" | "mem.request" | "memory-request";
    /// Memory limit
    MemoryLimit = Bytes, "mem-limit" | "mem.limit" | "memory-limit";
    /// Memory used of what there is for pods
    MemoryPercent = Percent, "mem%" | "memory%";
    /// Memory used of what is requested
    MemoryOfRequest = Percent, "mem%request" | "mem%req" | "memory%request";
    /// Memory used of the limit
    MemoryOfLimit = Percent, "mem%limit" | "mem%lim" | "memory%limit";
    /// Memory requested of what there is for pods
    MemoryRequested = Percent, "mem-requested%" | "memory-requested%" | "mem-commit";
    /// Memory there is for pods
    MemoryAllocatable = Bytes, "mem-allocatable" | "memory-allocatable";
    /// Swap used
    Swap = Bytes, "swap";
    /// Part of the last minute in which processes waited for memory (PSI some avg60)
    MemoryStall = Percent, "mem-stall" | "memory-stall";
    /// Disk used
    Disk = Bytes, "disk";
    /// Disk used of what there is
    DiskPercent = Percent, "disk%";
    /// Bytes a second received and sent
    Network = BytesPerSecond, "net" | "network";
    /// Pods
    Pods = Count, "pods";
    /// Pods that are ready
    PodsReady = Count, "pods-ready";
    /// Replicas there are
    Replicas = Count, "replicas";
    /// Replicas wanted
    Desired = Count, "desired";
    /// Fewest replicas
    Min = Count, "min";
    /// Most replicas
    Max = Count, "max";
    /// On how many nodes
    Nodes = Count, "nodes" | "spread";
    /// What an HPA scales
    Target = Text, "target" | "ref";
    /// Metrics of an HPA against their targets
    Targets = Text, "targets" | "metrics";
    /// Furthest metric of an HPA from its target
    TargetPercent = Percent, "target%";
    /// What keeps an HPA from more or fewer replicas, or from knowing
    Limited = Text, "limited";
    /// When an HPA scaled last
    Scaled = Seconds, "scaled";
    /// What went wrong
    Reason = Text, "reason";
    /// Why it went wrong
    Cause = Text, "cause";
    /// How sure that is
    Certainty = Text, "certainty";
    /// A sentence
    Message = Text, "message";
    /// How often
    Count = Count, "count";
    /// How long ago it began
    Began = Seconds, "began";
    /// How long ago it was last seen
    LastSeen = Seconds, "last-seen" | "seen";
    /// Whether it goes on
    Open = Flag, "open";
    /// Age
    Age = Seconds, "age";
    /// How long ago its usage was measured
    Measured = Seconds, "measured";
    /// CPU over the span, drawn; as a number it is the CPU used
    CpuTrend = Cores, "cpu-trend";
    /// Memory over the span, drawn; as a number it is the memory used
    MemoryTrend = Bytes, "mem-trend" | "memory-trend";
}

impl Field {
    /// The field of this name or alias, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is = |word: &str| word.eq_ignore_ascii_case(name);
        Self::ALL
            .iter()
            .copied()
            .find(|field| is(field.name()) || field.aliases().iter().copied().any(is))
    }

    /// Whether it is counted, so that it is compared and sorted as a number.
    #[must_use]
    pub fn is_number(self) -> bool {
        self.unit() != Unit::Text
    }

    /// Whether it is told of how long ago something was: it changes with time alone.
    #[must_use]
    pub fn changes_with_time(self) -> bool {
        self.unit() == Unit::Seconds || matches!(self, Self::LastRestart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_word_names_one_field() {
        let mut words = HashSet::new();
        for field in Field::ALL {
            for word in std::iter::once(field.name()).chain(field.aliases().iter().copied()) {
                assert!(words.insert(word), "{word} names two fields");
                assert_eq!(Field::named(&word.to_uppercase()), Some(*field));
            }
        }
        assert_eq!(Field::named("nonsense"), None);
    }

    #[test]
    fn every_field_says_what_it_is() {
        assert_eq!(Field::MemoryOfLimit.about(), "Memory used of the limit");
        assert!(Field::ALL.iter().all(|field| !field.about().is_empty()));
    }
}
