//! Metrics of connections and certificates.

use std::sync::Arc;

use super::cert_resolver::CertResolver;
use super::pair::Kind;
use crate::telemetry::metrics::{Counter, Gauge, Labelled, Registry, collect, unix_seconds};

/// Metrics of connections and certificates.
#[derive(Debug, Clone, Default)]
pub struct TlsMetrics {
    /// Connections that are open, those in their handshake too.
    pub open: Gauge,
    /// Connections that were accepted.
    pub accepted: Counter,
    /// Connections that came when the limit was reached and no idle connection could be closed.
    pub refused: Counter,
    /// Errors of accept, for example because no open file was left.
    pub not_accepted: Counter,
    /// Idle connections that were closed to accept others.
    pub evicted: Counter,
    /// TLS handshakes that failed.
    pub handshakes_failed: Counter,
    /// Reloads of the serving certificate.
    pub serving: Reloads,
    /// Reloads of the certificates for certain names.
    pub sni: Reloads,
}

/// Reloads of certificate files that had changed.
#[derive(Debug, Clone, Default)]
pub struct Reloads {
    /// The new certificate is served.
    pub succeeded: Counter,
    /// The files could not be used, and the old certificate is still served.
    pub failed: Counter,
}

impl TlsMetrics {
    /// Reloads of certificates of this kind.
    pub fn reloads(&self, kind: Kind) -> &Reloads {
        match kind {
            Kind::Serving => &self.serving,
            Kind::Sni => &self.sni,
        }
    }

    /// Registers the metrics, and when `certificates` expire.
    pub fn register(&self, registry: &mut Registry, certificates: &Arc<CertResolver>) {
        registry.register(
            "kubevitals_connections_open",
            "Open connections, including those in their TLS handshake",
            self.open.clone(),
        );
        let results = [
            (["accepted"], self.accepted.clone()),
            (["turned_away"], self.refused.clone()),
            (["not_accepted"], self.not_accepted.clone()),
        ];
        registry.register(
            "kubevitals_connections",
            "Connections by result: accepted, turned_away (the limit was reached), not_accepted (no open file was left)",
            Labelled::of(["result"], results),
        );
        registry.register(
            "kubevitals_connections_cut_for_room",
            "Idle connections that were closed to accept others",
            self.evicted.clone(),
        );
        registry.register(
            "kubevitals_tls_handshake_failures",
            "TLS handshakes that failed, were cut off, or took too long",
            self.handshakes_failed.clone(),
        );
        let reloads = [Kind::Serving, Kind::Sni].into_iter().flat_map(|kind| {
            let Reloads { succeeded, failed } = self.reloads(kind).clone();
            [
                ([kind.name(), "success"], succeeded),
                ([kind.name(), "failure"], failed),
            ]
        });
        registry.register(
            "kubevitals_tls_reloads",
            "Reloads of certificate files that had changed, by what the certificate is used for and by result",
            Labelled::of(["used_for", "result"], reloads),
        );
        collect(
            registry,
            Arc::clone(certificates),
            |certificates, families| {
                let pairs = certificates.pairs();
                let earliest = |kind| {
                    let of_kind = pairs.iter().filter(|(of, _)| *of == kind);
                    let expiries = of_kind.map(|(_, pair)| unix_seconds(pair.not_after()));
                    expiries.min().map(|expiry| ([kind.name()], expiry))
                };
                families.gauges(
                "kubevitals_tls_certificate_expiry_time_seconds",
                "When the served certificate expires, in seconds since the Unix epoch, by what it is used for; of several \
                 the earliest",
                ["used_for"],
                [Kind::Serving, Kind::Sni].into_iter().filter_map(earliest),
            )
            },
        );
    }

    /// Counts a connection as accepted, and as open until the returned value is dropped.
    pub(super) fn open(&self) -> Open {
        self.accepted.inc();
        self.open.inc();
        Open(self.open.clone())
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
