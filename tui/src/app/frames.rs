//! When the next frame is due.

use std::time::Duration;

use tokio::time::Instant;

/// When the next frame is due. There are never more in a second than were asked for; but who presses a key does not
/// wait because something else has just been shown.
#[derive(Debug)]
pub(super) struct Frames {
    /// How long there is at least between two.
    apart: Duration,
    /// When the next one is due; nothing while there is nothing new to be shown.
    pub(super) due: Option<Instant>,
    /// Whether that one answers a key.
    answers_key: bool,
    /// When the last one was drawn.
    drawn: Option<Instant>,
    /// When the last one was drawn that last_answer a key.
    last_answer: Option<Instant>,
}

impl Frames {
    /// The first one is due at once.
    pub(super) const fn new(apart: Duration, now: Instant) -> Self {
        Self {
            apart,
            due: Some(now),
            answers_key: false,
            drawn: None,
            last_answer: None,
        }
    }

    /// A key was pressed.
    pub(super) fn key_pressed(&mut self, now: Instant) {
        self.answers_key = true;
        self.after(self.last_answer, now);
    }

    /// There is something new to be shown.
    pub(super) fn show(&mut self, now: Instant) {
        self.after(self.drawn, now);
    }

    fn after(&mut self, last: Option<Instant>, now: Instant) {
        let due = last.map_or(now, |last| (last + self.apart).max(now));
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// It was drawn.
    pub(super) fn drawn(&mut self, now: Instant) {
        self.drawn = Some(now);
        if std::mem::take(&mut self.answers_key) {
            self.last_answer = Some(now);
        }
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APART: Duration = Duration::from_millis(100);

    #[test]
    fn a_key_is_answered_at_once_and_a_key_that_is_held_as_often_as_is_drawn() {
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
    fn what_is_told_is_not_shown_more_often_than_is_drawn() {
        let begin = Instant::now();
        let mut frames = Frames::new(APART, begin);
        frames.drawn(begin);
        let now = begin + APART / 4;
        frames.show(now);
        assert_eq!(frames.due, Some(begin + APART));
        // A key in between brings it forward.
        frames.key_pressed(now);
        assert_eq!(frames.due, Some(now));
        // What has waited for long enough is shown at once.
        frames.drawn(now);
        let later = now + APART * 3;
        frames.show(later);
        assert_eq!(frames.due, Some(later));
    }
}
