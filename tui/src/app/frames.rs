//! When the next frame is due.

use std::time::Duration;

use tokio::time::Instant;

/// Decides when the next frame is due. The frame rate is limited, but a key does not wait because data has just been
/// drawn.
#[derive(Debug)]
pub(super) struct Frames {
    /// The shortest time between two frames.
    apart: Duration,
    /// When the next frame is due; none while nothing has changed.
    pub(super) due: Option<Instant>,
    /// Whether the next frame responds to a key.
    responds_to_key: bool,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
    /// When the last frame that responded to a key was drawn.
    last_response: Option<Instant>,
}

impl Frames {
    /// The first frame is due at once.
    pub(super) const fn new(apart: Duration, now: Instant) -> Self {
        Self {
            apart,
            due: Some(now),
            responds_to_key: false,
            drawn: None,
            last_response: None,
        }
    }

    /// A key was pressed.
    pub(super) fn key_pressed(&mut self, now: Instant) {
        self.responds_to_key = true;
        self.after(self.last_response, now);
    }

    /// New data arrived.
    pub(super) fn show(&mut self, now: Instant) {
        self.after(self.drawn, now);
    }

    fn after(&mut self, last: Option<Instant>, now: Instant) {
        let due = last.map_or(now, |last| (last + self.apart).max(now));
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// The frame was drawn.
    pub(super) fn drawn(&mut self, now: Instant) {
        self.drawn = Some(now);
        if std::mem::take(&mut self.responds_to_key) {
            self.last_response = Some(now);
        }
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APART: Duration = Duration::from_millis(100);

    #[test]
    fn a_key_is_drawn_at_once_a_repeating_key_at_the_frame_rate() {
        let now = Instant::now();
        let mut frames = Frames::new(APART, now);
        assert_eq!(frames.due, Some(now));
        frames.drawn(now);
        assert_eq!(frames.due, None);
        frames.key_pressed(now);
        assert_eq!(frames.due, Some(now));
        frames.drawn(now);
        frames.key_pressed(now);
        assert_eq!(frames.due, Some(now + APART));
    }

    #[test]
    fn data_is_drawn_at_the_frame_rate() {
        let begin = Instant::now();
        let mut frames = Frames::new(APART, begin);
        frames.drawn(begin);
        let now = begin + APART / 4;
        frames.show(now);
        assert_eq!(frames.due, Some(begin + APART));
        // A key makes the frame due at once.
        frames.key_pressed(now);
        assert_eq!(frames.due, Some(now));
        // After a pause, data is drawn at once.
        frames.drawn(now);
        let later = now + APART * 3;
        frames.show(later);
        assert_eq!(frames.due, Some(later));
    }
}
