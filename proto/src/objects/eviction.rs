//! Evictions: pods that the kubelet ends because their node lacks a resource.

/// The resource for which a node evicted a pod, from the kubelet's message. None if the pod exceeded a limit of its
/// own, or something else evicted it (pkg/kubelet/eviction/helpers.go).
#[must_use]
pub fn scarce_resource(message: &str) -> Option<&'static str> {
    let lacked = message.split_once("The node was low on resource: ");
    if let Some((_, resource)) = lacked {
        return Some(match resource.split(['.', ' ']).next()? {
            "memory" => "memory",
            "ephemeral-storage" | "nodefs" | "imagefs" | "containerfs" => "storage",
            "inodes" => "inodes",
            "pids" => "process IDs",
            _ => "a resource",
        });
    }
    let (_, conditions) = message.split_once("The node had condition: [")?;
    Some(match conditions.split([']', ',', ' ']).next()? {
        "MemoryPressure" => "memory",
        "DiskPressure" => "storage",
        "PIDPressure" => "process IDs",
        _ => "a resource",
    })
}

/// Whether the kubelet's message about a failed pod is that of an eviction. The STATUS of kubectl does not say it if the
/// containers of the pod have a status: it is `Error` then.
#[must_use]
pub fn is_eviction(message: &str) -> bool {
    /// How messages begin about pods that exceeded a limit of their own (pkg/kubelet/eviction/eviction_manager.go).
    const OWN_LIMITS: [&str; 3] = [
        "Pod ephemeral local storage usage exceeds the total limit of containers ",
        "Usage of EmptyDir volume ",
        "Container ",
    ];
    let exceeds = |beginning| message.starts_with(beginning) && message.contains(" exceed");
    scarce_resource(message).is_some() || OWN_LIMITS.into_iter().any(exceeds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scarce_resource_is_in_the_kubelets_message() {
        for (message, lacked) in [
            (
                "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ",
                Some("memory"),
            ),
            (
                "The node was low on resource: ephemeral-storage. Container c was using 1Gi, request is 0, has larger \
                 consumption of ephemeral-storage. ",
                Some("storage"),
            ),
            ("The node was low on resource: inodes. ", Some("inodes")),
            ("The node was low on resource: pids. ", Some("process IDs")),
            (
                "Pod was rejected: The node had condition: [DiskPressure]. ",
                Some("storage"),
            ),
            ("The node had condition: [MemoryPressure]. ", Some("memory")),
            (
                "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
                None,
            ),
            (
                "Usage of EmptyDir volume \"x\" exceeds the limit \"1Mi\". ",
                None,
            ),
            (
                "Container c exceeded its local ephemeral storage limit \"1Mi\". ",
                None,
            ),
            ("Preempted in order to admit critical pod", None),
            ("", None),
        ] {
            assert_eq!(scarce_resource(message), lacked, "{message}");
            let evicted = message.contains("node was low")
                || message.contains("node had condition")
                || message.contains("exceed");
            assert_eq!(is_eviction(message), evicted, "{message}");
        }
    }
}
