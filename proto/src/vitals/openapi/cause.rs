//! Why something went wrong, and how sure that is: the words that incidents and restarts share.

pub(super) const CAUSES: &[&str] = &[
    "Unknown",
    "Exited",
    "ImageUnavailable",
    "LivenessProbe",
    "NodeLost",
    "NodePressure",
    "OomKilled",
    "ReadinessProbe",
    "StartupProbe",
];

pub(super) const CERTAINTIES: &[&str] = &["Unknown", "Direct", "Likely"];
