//! When pods are scraped, on a clock that leaps.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::clock::{Age, Sleep};
use crate::pod_metrics::tests::{SECOND, config, pod, reader};
use kubevitals_proto::time::Timestamp;

/// A clock on which every pause is over at once, until `most` have begun. It notes when each ends.
#[derive(Debug, Default)]
struct Leaping {
    passed: parking_lot::Mutex<Duration>,
    wakes: parking_lot::Mutex<Vec<Duration>>,
    most: usize,
    done: tokio::sync::Notify,
}

impl Clock for Leaping {
    fn wall(&self) -> Timestamp {
        Timestamp(1_000_000_000_000_000_000 + i64::try_from(self.passed.lock().as_nanos()).unwrap())
    }

    fn elapsed(&self) -> Age {
        Age::from_elapsed(*self.passed.lock())
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut passed = self.passed.lock();
        *passed += duration;
        let mut wakes = self.wakes.lock();
        wakes.push(*passed);
        if wakes.len() < self.most {
            return Box::pin(std::future::ready(()));
        }
        self.done.notify_one();
        Box::pin(std::future::pending())
    }

    fn sleep_until(&self, at: Age) -> Sleep {
        self.sleep(at.since(self.elapsed()))
    }
}

fn shared(clock: Arc<dyn Clock>, config: Config) -> Arc<Shared> {
    let store = PodMetrics::new(Settings::default(), Arc::default(), clock);
    store.config.store(Arc::new(config));
    Arc::new(Shared {
        store: Arc::new(store),
        lanes: Lanes::default(),
        connections: Arc::new(Semaphore::new(1)),
        log: parking_lot::Mutex::new(LogThrottle::new(LOG_INTERVAL)),
    })
}

/// A pod that asks for scrapes at a port of this machine.
fn local(port: u16) -> Arc<Pod> {
    let annotations =
        json!({"prometheus.io/scrape": "true", "prometheus.io/port": port.to_string()});
    pod(
        &reader(),
        "shop/web",
        "127.0.0.1",
        json!({"annotations": annotations}),
    )
}

const LOCAL: &str = "allowed_addresses: [127.0.0.0/8]\n";

#[tokio::test]
async fn a_pod_that_fails_is_scraped_ever_more_rarely_and_at_each_turn_when_it_is_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let failures = 7;
    let server = tokio::spawn(async move {
        for answer in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _length = stream.read(&mut [0; 4096]).await.unwrap();
            let status = if answer < failures {
                "500 Oops"
            } else {
                "200 OK"
            };
            let response =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    let clock = Arc::new(Leaping {
        most: 10,
        ..Leaping::default()
    });
    let shared = shared(Arc::clone(&clock) as _, config(LOCAL).unwrap());
    let pod = local(port);
    let target = Target::of(&pod, &shared.store.config.load()).unwrap();
    // So that its first scrape is at its turn as well.
    let key = pod.key.clone();
    shared.store.state_or_new(&key).lock().last = Some(LastScrape {
        at: clock.wall(),
        duration: SECOND,
        bytes: 0,
        samples: 0,
        problems: Vec::new(),
        result: Ok(()),
    });
    tokio::select! {
        () = follow(shared, key, pod.uid, Arc::new(target)) => {}
        () = clock.done.notified() => {}
    }
    server.abort();
    let wakes = clock.wakes.lock();
    let turns = wakes
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64() / 15.0);
    assert_eq!(
        turns.collect::<Vec<_>>(),
        [1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0, 1.0, 1.0]
    );
}

#[tokio::test]
async fn a_new_config_leaves_the_tasks_of_unchanged_targets_alone() {
    let clock = Arc::new(Leaping::default());
    let shared = shared(clock, config(LOCAL).unwrap());
    let pod = local(1);
    let (key, all) = (pod.key.clone(), &shared.store.cluster);
    all.change_pods(|pods| pods.insert(key.clone(), Arc::clone(&pod)));
    let (mut targets, mut refused) = (BTreeMap::new(), BTreeMap::new());
    apply(&shared, &mut targets, &mut refused, key.clone(), Some(pod));
    let task = targets[&key].task.id();
    let mut change = |text: &str| {
        let config = config(&format!("{LOCAL}{text}")).unwrap();
        use_config(&shared, &mut targets, &mut refused, config);
        targets.get(&key).map(|running| running.task.id())
    };
    assert_eq!(change("rules: [{name: a, namespaces: [bank]}]"), Some(task));
    let changed = change("annotations: {timeout: 1s}").unwrap();
    assert_ne!(changed, task);
    assert_eq!(change("annotations: {enabled: false}"), None);
}
