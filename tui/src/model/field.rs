//! Fields of rows: one list for columns, sorting, the filter language and the export.

/// The unit of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Text.
    Text,
    /// A plain number.
    Count,
    /// CPU; the number is nanocores, a literal is a quantity of cores (`500m`, `2`).
    Cores,
    /// Memory or storage; the number is bytes, a literal is a quantity (`1Gi`).
    Bytes,
    /// Bytes a second; a literal is a quantity.
    BytesPerSecond,
    /// A percentage: 50 is half. A literal may end in `%`.
    Percent,
    /// A time before now; the number is seconds, a literal is a duration (`90s`, `1h30m`, `2d`).
    Seconds,
    /// A length of time; the number is seconds, a literal is a duration (`90s`, `1h30m`, `2d`).
    Duration,
    /// Yes or no; the number is 1 or 0, a literal is `true` or `false`.
    Flag,
}

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $variant:ident = $unit:ident, $name:literal $(| $alias:literal)*;)*) => {
        /// A field of a row.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $($(#[doc = $doc])* $variant,)* }

        impl Field {
            /// All fields.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the filter language and the configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Other names of the field.
            #[must_use]
            pub const fn aliases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($alias,)*],)* }
            }

            /// The unit.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }

            /// The description in the list of columns.
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
    /// Kind of the workload or object
    Kind = Text, "kind";
    /// Workload that created the pod
    Workload = Text, "workload" | "owner";
    /// Role: init, sidecar or app container
    Role = Text, "role";
    /// Status, as kubectl shows it
    Status = Text, "status" | "state";
    /// Phase of the pod
    Phase = Text, "phase";
    /// Whether the object is ready
    Ready = Flag, "ready";
    /// State of the probes: failing, pending (starting), waiting (delayed), not running, passing, unknown, none
    Probe = Text, "probe" | "probes";
    /// Kind of the probe: startup, readiness, liveness
    ProbeKind = Text, "probe-kind";
    /// Failures of the probe in a row, of its threshold
    Failures = Count, "failures";
    /// Failures in a row after which the probe fails
    Threshold = Count, "failure-threshold";
    /// Time between two runs of the probe
    Period = Duration, "probe-period";
    /// Time after which a run of the probe fails
    Timeout = Duration, "probe-timeout";
    /// What the probe does: its request or command
    Action = Text, "probe-action";
    /// Probes that are failing
    Failing = Count, "failing";
    /// Containers that are ready
    ReadyContainers = Count, "ready-containers";
    /// Containers
    Containers = Count, "containers";
    /// Restarts since creation
    Restarts = Count, "restarts";
    /// Restarts in the last hour
    Recent = Count, "restarts-1h" | "recent";
    /// Cause of the last restart
    LastRestart = Text, "last-restart" | "last";
    /// Time since the last restart
    LastRestartAge = Seconds, "last-restart-age";
    /// In-place resize (* in STATUS)
    Resize = Text, "resize";
    /// CPU usage
    Cpu = Cores, "cpu";
    /// CPU request
    CpuRequest = Cores, "cpu-request" | "cpu.request";
    /// CPU limit
    CpuLimit = Cores, "cpu-limit" | "cpu.limit";
    /// CPU usage, % of allocatable
    CpuPercent = Percent, "cpu%";
    /// CPU usage, % of the request
    CpuOfRequest = Percent, "cpu%request" | "cpu%req";
    /// CPU usage, % of the limit
    CpuOfLimit = Percent, "cpu%limit" | "cpu%lim";
    /// CPU requests, % of allocatable
    CpuRequested = Percent, "cpu-requested%" | "cpu-commit";
    /// Allocatable CPU
    CpuAllocatable = Cores, "cpu-allocatable";
    /// CPU capacity
    CpuCapacity = Cores, "cpu-capacity";
    /// Memory usage
    Memory = Bytes, "mem" | "memory";
    /// Memory request
    MemoryRequest = Bytes, "mem-request" | "mem.request" | "memory-request";
    /// Memory limit
    MemoryLimit = Bytes, "mem-limit" | "mem.limit" | "memory-limit";
    /// Memory usage, % of allocatable
    MemoryPercent = Percent, "mem%" | "memory%";
    /// Memory usage, % of the request
    MemoryOfRequest = Percent, "mem%request" | "mem%req" | "memory%request";
    /// Memory usage, % of the limit
    MemoryOfLimit = Percent, "mem%limit" | "mem%lim" | "memory%limit";
    /// Memory requests, % of allocatable
    MemoryRequested = Percent, "mem-requested%" | "memory-requested%" | "mem-commit";
    /// Allocatable memory
    MemoryAllocatable = Bytes, "mem-allocatable" | "memory-allocatable";
    /// Memory capacity
    MemoryCapacity = Bytes, "mem-capacity" | "memory-capacity";
    /// Swap usage
    Swap = Bytes, "swap";
    /// Time that processes waited for memory, % of the last minute (PSI some avg60)
    MemoryStall = Percent, "mem-stall" | "memory-stall";
    /// GPUs that are requested; of a node, those that pods can have
    Gpus = Count, "gpus";
    /// Mean utilization of the GPUs
    Gpu = Percent, "gpu" | "gpu%";
    /// GPU memory usage
    GpuMemory = Bytes, "gpu-mem" | "gpu-memory";
    /// GPU memory usage, % of the memory of these GPUs
    GpuMemoryPercent = Percent, "gpu-mem%" | "gpu-memory%";
    /// Disk usage
    Disk = Bytes, "disk";
    /// Disk usage, % of the capacity
    DiskPercent = Percent, "disk%";
    /// Disk usage of the images, % of the capacity, if images have a disk of their own
    ImageDiskPercent = Percent, "image-disk%";
    /// Ephemeral storage: writable layers, logs and emptyDirs
    Storage = Bytes, "storage" | "ephemeral-storage";
    /// Ephemeral storage, % of the limit
    StorageOfLimit = Percent, "storage%limit" | "storage%lim" | "storage%";
    /// Bytes received and sent per second
    Network = BytesPerSecond, "net" | "network";
    /// Conditions of the node that report a problem
    Conditions = Text, "conditions";
    /// Taints
    Taints = Text, "taints";
    /// Whether the node is cordoned or being drained, and the pods that are left
    Drain = Text, "drain";
    /// Evicted pods that still exist
    Evicted = Count, "evicted";
    /// Zone
    Zone = Text, "zone";
    /// Instance type
    InstanceType = Text, "instance-type";
    /// Version of the kubelet
    KubeletVersion = Text, "kubelet-version" | "version";
    /// Container runtime and its version
    Runtime = Text, "runtime";
    /// Operating system
    OsImage = Text, "os-image";
    /// Version of the kernel
    Kernel = Text, "kernel";
    /// Images on the node
    Images = Count, "images";
    /// Size of the images on the node
    ImageBytes = Bytes, "image-size";
    /// Pods
    Pods = Count, "pods";
    /// Pods that are ready
    PodsReady = Count, "pods-ready";
    /// Current replicas
    Replicas = Count, "replicas";
    /// Desired replicas
    Desired = Count, "desired";
    /// Minimum replicas
    Min = Count, "min";
    /// Maximum replicas
    Max = Count, "max";
    /// Number of nodes, and the largest number of pods on one
    Nodes = Count, "nodes" | "spread";
    /// Workload that the HPA scales
    Target = Text, "target" | "ref";
    /// Metrics of the HPA and their targets
    Targets = Text, "targets" | "metrics";
    /// Highest metric of the HPA, % of its target
    TargetPercent = Percent, "target%";
    /// Reason why the HPA cannot scale, or cannot scale further
    Limited = Text, "limited";
    /// Time since the HPA last scaled
    Scaled = Seconds, "scaled";
    /// Kind of incident; reason why a claim is not bound
    Reason = Text, "reason";
    /// Cause
    Cause = Text, "cause";
    /// Certainty of the cause: direct, likely or unknown
    Certainty = Text, "certainty";
    /// Message
    Message = Text, "message";
    /// Number of occurrences
    Count = Count, "count";
    /// Time since the beginning
    Began = Seconds, "began";
    /// Time since it was last seen
    LastSeen = Seconds, "last-seen" | "seen";
    /// Whether the incident is open
    Open = Flag, "open";
    /// Context of the kubeconfig
    Context = Text, "context" | "cluster";
    /// Open incidents
    OpenIncidents = Count, "incidents";
    /// How bad the state of a cluster is; 0 is well
    Severity = Count, "severity";
    /// Pods that need attention
    Unhealthy = Count, "unhealthy";
    /// Source of the data; API groups of the metrics of an HPA
    Source = Text, "source";
    /// Age
    Age = Seconds, "age";
    /// Age of the usage
    Measured = Seconds, "measured";
    /// Part of the time in which a pod was ready
    Availability = Percent, "availability" | "avail";
    /// Length of all outages
    Down = Duration, "down" | "downtime";
    /// Number of outages
    Outages = Count, "outages";
    /// Mean time to repair: the mean length of an outage
    Mttr = Duration, "mttr";
    /// Mean time between failures
    Mtbf = Duration, "mtbf";
    /// Time in which nobody watched
    Unknown = Duration, "unknown";
    /// Bytes used of the volume
    Used = Bytes, "used";
    /// Size of the volume
    Capacity = Bytes, "capacity" | "size";
    /// Volume that is not available, % of the size
    UsedPercent = Percent, "used%";
    /// Volume that is not available, as a bar
    UsedBar = Percent, "used-bar";
    /// Growth of the volume per hour
    Growth = Bytes, "growth";
    /// Time until the volume is full, if it grows on like this
    FullIn = Duration, "full-in" | "full";
    /// Inodes used, % of those that exist
    InodesPercent = Percent, "inodes%";
    /// Storage class
    Class = Text, "class";
    /// Access modes
    AccessModes = Text, "mode" | "modes";
    /// Order of volumes: claims that are not bound, then what is full first, then what is fullest
    Urgency = Count, "urgency";
    /// CPU usage over the span, as a sparkline; sorted and filtered by CPU usage
    CpuTrend = Cores, "cpu-trend";
    /// Memory usage over the span, as a sparkline; sorted and filtered by memory usage
    MemoryTrend = Bytes, "mem-trend" | "memory-trend";
}

impl Field {
    /// The field with this name or alias. Case is ignored.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is = |word: &str| word.eq_ignore_ascii_case(name);
        Self::ALL
            .iter()
            .copied()
            .find(|field| is(field.name()) || field.aliases().iter().copied().any(is))
    }

    /// Whether the field is about availability, which is requested only if it is shown.
    #[must_use]
    pub const fn is_of_availability(self) -> bool {
        matches!(
            self,
            Self::Availability
                | Self::Down
                | Self::Outages
                | Self::Mttr
                | Self::Mtbf
                | Self::Unknown
        )
    }

    /// Whether the field is compared and sorted as a number.
    #[must_use]
    pub fn is_number(self) -> bool {
        self.unit() != Unit::Text
    }

    /// Whether the field is relative to the current time, so that it changes without new data.
    #[must_use]
    pub fn changes_with_time(self) -> bool {
        self.unit() == Unit::Seconds || matches!(self, Self::LastRestart | Self::FullIn)
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
    fn every_field_has_a_description() {
        assert_eq!(Field::MemoryOfLimit.about(), "Memory usage, % of the limit");
        assert!(Field::ALL.iter().all(|field| !field.about().is_empty()));
    }
}
