//! The time zone of times of day.

use jiff::Zoned;
use jiff::tz::TimeZone;
use kubevitals_proto::time::Timestamp;

/// The zone of all times of day on the screen: UTC or the local zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    local: TimeZone,
    is_local: bool,
}

impl Default for Zone {
    /// UTC.
    fn default() -> Self {
        Self::new(TimeZone::UTC, false)
    }
}

impl Zone {
    /// The local zone if `is_local`, else UTC.
    #[must_use]
    pub const fn new(local: TimeZone, is_local: bool) -> Self {
        Self { local, is_local }
    }

    /// The zone with the machine's local zone, from `TZ` or `/etc/localtime`; UTC if neither is set.
    #[must_use]
    pub fn of_machine(is_local: bool) -> Self {
        let local = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        Self::new(local, is_local)
    }

    /// Switches between UTC and the local zone.
    pub const fn toggle(&mut self) {
        self.is_local = !self.is_local;
    }

    /// A time of day: `01:58:22Z` in UTC, `03:58:22` in the local zone, whose name is in the title.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        let format = if self.is_local {
            "%H:%M:%S"
        } else {
            "%H:%M:%SZ"
        };
        self.zoned(at).strftime(format).to_string()
    }

    /// A time of day with its zone: `01:58:22Z`, `03:58:22 CEST`.
    #[must_use]
    pub fn time_with_name(&self, at: Timestamp) -> String {
        let time = self.time(at);
        if !self.is_local {
            return time;
        }
        format!("{time} {}", self.name(at))
    }

    /// The name of the zone at a time: `UTC`, `CEST`, or `UTC+0330` if it has no other name.
    #[must_use]
    pub fn name(&self, at: Timestamp) -> String {
        let name = self.zoned(at).strftime("%Z").to_string();
        if name.starts_with(['+', '-']) {
            return format!("UTC{name}");
        }
        name
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        let zone = if self.is_local {
            self.local.clone()
        } else {
            TimeZone::UTC
        };
        // The calendar has more years than a timestamp.
        let at = jiff::Timestamp::from_nanosecond(at.as_nanos().into()).unwrap_or_default();
        at.to_zoned(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_those_of_the_zone_and_its_name_goes_with_the_season() {
        // 2026-07-08T14:30:00Z and 2026-01-08T14:30:00Z.
        let (summer, winter) = (
            Timestamp::from_secs(1_783_521_000),
            Timestamp::from_secs(1_767_882_600),
        );
        for (zone, at, time, name) in [
            ("CET-1CEST,M3.5.0,M10.5.0/3", summer, "16:30:00", "CEST"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", winter, "15:30:00", "CET"),
            ("<+0330>-3:30", winter, "18:00:00", "UTC+0330"),
            ("PST8PDT,M3.2.0,M11.1.0", summer, "07:30:00", "PDT"),
            ("NZST-12NZDT,M9.5.0,M4.1.0/3", winter, "03:30:00", "NZDT"),
        ] {
            let local = TimeZone::posix(zone).unwrap();
            let mut zone = Zone::new(local, true);
            assert_eq!((&*zone.time(at), &*zone.name(at)), (time, name));
            zone.toggle();
            assert_eq!((&*zone.time(at), &*zone.name(at)), ("14:30:00Z", "UTC"));
        }
    }

    #[test]
    fn a_time_that_no_calendar_has_is_no_panic() {
        let zone = Zone::new(TimeZone::posix("CET-1").unwrap(), true);
        for nanos in [i64::MIN, -1, i64::MAX] {
            let at = Timestamp::from_nanos(nanos);
            assert!(!zone.time(at).is_empty() && !zone.name(at).is_empty());
        }
    }
}
