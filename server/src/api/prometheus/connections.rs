//! Ours: connections, and the certificates that they are shown.

use std::fmt;

use super::Known;
use super::families::Families;
use crate::tls::{Figures, Kind};

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    let Figures {
        open,
        accepted,
        turned_away,
        made_room,
        handshakes_failed,
        not_accepted,
        reloads,
        expiries,
    } = known.connections.snapshot();
    families.gauge(
        "kubevitals_connections_open",
        "Connections that are open, those in their handshake too.",
        |family| family.value(&[], open),
    )?;
    families.counter(
        "kubevitals_connections",
        "Connections by what became of them at first: accepted, turned_away (no place was free), not_accepted (no open \
         file was).",
        |family| {
            family.total(&[("result", "accepted")], accepted)?;
            family.total(&[("result", "turned_away")], turned_away)?;
            family.total(&[("result", "not_accepted")], not_accepted)
        },
    )?;
    families.counter(
        "kubevitals_connections_cut_for_room",
        "Connections without a request under way that were cut to make room for others.",
        |family| family.total(&[], made_room),
    )?;
    families.counter(
        "kubevitals_tls_handshake_failures",
        "TLS handshakes that were not done: refused, cut, or too slow.",
        |family| family.total(&[], handshakes_failed),
    )?;
    families.counter(
        "kubevitals_tls_reloads",
        "How often certificate files that had changed were read anew, by what they are for and the result.",
        |family| {
            for kind in [Kind::Serving, Kind::Sni] {
                let of_kind = reloads.get(&kind).copied().unwrap_or_default();
                let used_for = kind.name();
                for (result, count) in [("success", of_kind.succeeded), ("failure", of_kind.failed)] {
                    family.total(&[("used_for", used_for), ("result", result)], count)?;
                }
            }
            Ok(())
        },
    )?;
    families.gauge(
        "kubevitals_tls_certificate_expiry_time_seconds",
        "Until when the certificate that is shown is good, in seconds since the Unix epoch, by what it is for; of several \
         the earliest.",
        |family| {
            for kind in [Kind::Serving, Kind::Sni] {
                let of_kind = expiries.iter().filter(|(of, _)| *of == kind);
                if let Some(earliest) = of_kind.map(|(_, at)| at.as_secs()).min() {
                    let seconds = u64::try_from(earliest).unwrap_or_default();
                    family.value(&[("used_for", kind.name())], seconds)?;
                }
            }
            Ok(())
        },
    )
}
