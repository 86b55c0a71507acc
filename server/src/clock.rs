//! The machine's clock.

use std::time::{Duration, Instant};

use kubevitals_proto::clock::system_time;
pub use kubevitals_proto::clock::{Age, Clock, Sleep};
use kubevitals_proto::time::Timestamp;

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        system_time()
    }

    fn elapsed(&self) -> Age {
        Age::from_elapsed(self.start.elapsed())
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }

    fn sleep_until(&self, at: Age) -> Sleep {
        self.sleep(at.since(self.elapsed()))
    }
}
