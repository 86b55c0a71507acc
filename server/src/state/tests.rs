use std::path::Path;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::SimClock;

use super::*;
use crate::cluster::PodKey;

const RESOLUTION: Duration = Duration::from_secs(15);

/// A wall clock that tests set.
fn wall_at(seconds: i64) -> SimClock {
    SimClock::manual(Timestamp::from_secs(seconds))
}

/// A process that starts now, with a folder.
fn process(wall: &SimClock, folder: &Path) -> Arc<StatePersister> {
    let parts = StateParts {
        store: Arc::default(),
        cluster: Arc::default(),
        health: crate::health::Health::unfed(),
        availability: None,
        // The clock of a process that starts now.
        clock: wall.process(),
        resolution: RESOLUTION,
        max_age: Duration::from_secs(3600),
    };
    let settings = Settings {
        folder: folder.to_path_buf(),
        interval: Duration::ZERO,
    };
    StatePersister::new(Some(settings), Arc::new(parts))
}

/// Scrapes a node with one pod twice, the second time now.
fn scrape(persister: &StatePersister, wall: &SimClock) {
    let StateParts {
        store,
        cluster,
        clock,
        ..
    } = &**persister.parts();
    let cell = store.add(&"n".into(), RESOLUTION);
    let now = wall.now().as_secs();
    for (at, cpu) in [(now - 15, 1.0), (now, 2.5)] {
        let labels = "{container=\"c\",namespace=\"ns\",pod=\"p\"}";
        let body = format!(
            "container_cpu_usage_seconds_total{labels} {cpu} {at}000\n\
             container_memory_working_set_bytes{labels} 7 {at}000\n\
             node_cpu_usage_seconds_total {cpu} {at}000\n\
             node_memory_working_set_bytes 7 {at}000\n"
        );
        let mut scrape = ResourceScrape::default();
        decode(body.as_bytes(), &mut scrape);
        let mut series = cell.series();
        series.ingest(
            &mut scrape,
            &crate::store::ScrapeTimes::at(clock.elapsed()),
            cluster.names(),
        );
        cell.publish(series.latest(&scrape, clock.elapsed(), cluster.names()));
    }
}

/// Whether the pod has rates.
fn has_rates(persister: &StatePersister) -> bool {
    let parts = persister.parts();
    let restored = parts.store.cells().get("n").cloned();
    let cell = restored.unwrap_or_else(|| parts.store.add(&"n".into(), RESOLUTION));
    let retention = Retention::of(RESOLUTION);
    cell.latest().is_some_and(|latest| {
        latest
            .pod(&PodKey::new("ns", "p"), retention, parts.clock.elapsed())
            .is_ok()
    })
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A folder with a state that was written at 1,000,000 s.
async fn written() -> (tempfile::TempDir, SimClock) {
    let (folder, wall) = (tempfile::tempdir().unwrap(), wall_at(1_000_000));
    let first = process(&wall, folder.path());
    scrape(&first, &wall);
    first.save().await;
    assert_eq!(first.metrics().written.get(), 1);
    assert_eq!(names(folder.path()), ["vitals.state"]);
    (folder, wall)
}

#[tokio::test]
async fn the_next_process_restores_the_state() {
    let (folder, wall) = written().await;
    wall.set(Timestamp::from_secs(1_000_010));
    let next = process(&wall, folder.path());
    next.restore().await;
    assert!(has_rates(&next));
    // The count follows after the histories.
    while next.metrics().from_file.get() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn old_rates_are_not_restored() {
    for (now, expected) in [(1_000_037, true), (1_000_038, false), (1_003_000, false)] {
        let (folder, wall) = written().await;
        wall.set(Timestamp::from_secs(now));
        let next = process(&wall, folder.path());
        next.restore().await;
        assert_eq!(has_rates(&next), expected, "{now}");
        assert_eq!(
            names(folder.path()),
            ["vitals.state"],
            "it is no reason to set it aside"
        );
    }
}

#[tokio::test]
async fn after_a_clock_set_back_rates_are_not_restored() {
    let (folder, wall) = written().await;
    wall.set(Timestamp::from_secs(999_000));
    let next = process(&wall, folder.path());
    next.restore().await;
    assert!(!has_rates(&next));
}

#[tokio::test]
async fn unreadable_state_is_set_aside_by_reason() {
    let (folder, wall) = written().await;
    let file = folder.path().join("vitals.state");
    let good = std::fs::read(&file).unwrap();
    let mut damaged = good.clone();
    damaged.truncate(good.len() - 3);
    let mut newer = good.clone();
    newer[8] = 9;
    let sum = crc32fast::hash(&newer[..20]).to_le_bytes();
    newer[20..24].copy_from_slice(&sum);
    let cases = [
        (b"somebody else's".to_vec(), 1_000_001, "foreign", false),
        (newer, 1_000_001, "newer", false),
        // The frames before the damage are restored.
        (damaged, 1_000_001, "damaged", true),
        (Vec::new(), 1_000_001, "damaged", false),
        (good, 1_003_601, "old", false),
    ];
    for (bytes, now, reason, expected) in cases {
        std::fs::write(&file, &bytes).unwrap();
        wall.set(Timestamp::from_secs(now));
        let next = process(&wall, folder.path());
        next.restore().await;
        assert_eq!(has_rates(&next), expected, "{reason}");
        let aside = format!("vitals.state.{reason}");
        assert!(
            !file.exists() && names(folder.path()).contains(&aside),
            "{reason}"
        );
        assert_eq!(std::fs::read(folder.path().join(aside)).unwrap(), bytes);
    }
    assert_eq!(
        names(folder.path()).len(),
        4,
        "there is one file for each reason"
    );
}

#[tokio::test]
async fn a_killed_write_leaves_the_earlier_state() {
    let (folder, wall) = written().await;
    let file = folder.path().join("vitals.state");
    let unfinished = folder.path().join("vitals.state.unfinished");
    let good = std::fs::read(&file).unwrap();
    for length in 0..good.len() {
        std::fs::write(&unfinished, &good[..length]).unwrap();
        let next = process(&wall, folder.path());
        next.restore().await;
        assert!(has_rates(&next), "{length}");
        assert_eq!(names(folder.path()), ["vitals.state"], "{length}");
    }
}

#[tokio::test]
async fn an_unwritable_folder_is_counted() {
    let outer = tempfile::tempdir().unwrap();
    let file = outer.path().join("file");
    std::fs::write(&file, "").unwrap();
    let wall = wall_at(1_000_000);
    let persister = process(&wall, &file.join("folder"));
    persister.restore().await;
    scrape(&persister, &wall);
    persister.save().await;
    assert_eq!(persister.metrics().failed.get(), 1);
    assert!(has_rates(&persister));
}

#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, _) = written().await;
    let file = std::fs::metadata(folder.path().join("vitals.state")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

/// Changes and cuts a state that has a node's rates, its history and incidents.
#[tokio::test]
async fn any_bytes_are_handled() {
    let (folder, _) = written().await;
    let good = std::fs::read(folder.path().join("vitals.state")).unwrap();
    fuzzing::check_any_input(&good);
    for at in 24..good.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = good[24..].to_vec();
            changed[at - 24] ^= change;
            // The rest without the header, cut anywhere, as the payload of frames.
            fuzzing::check_any_input(&changed[at % 33..]);
        }
    }
}
