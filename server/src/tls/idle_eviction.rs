//! Who makes room when all places are taken: a connection with no request under way. First those that have asked for
//! nothing yet, unless they are few, then those of strangers, then the others, and of the same kind the one that has rested longest. Who
//! only holds places, or asks now and then for what anybody may, cannot keep others out; and nobody's answer is cut.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

/// Says of an answer that its request was somebody's whom we know: an extension of the response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known;

/// What a connection without a request under way has done before. The first makes room first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It has asked for nothing yet.
    Silent,
    /// It has asked, and nobody knows who it is.
    Stranger,
    /// It has asked for somebody whom we know.
    Known,
}

/// A place in the order in which room is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    standing: Standing,
    number: u64,
}

/// The connections that rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Room(Arc<Mutex<Resting>>);

#[derive(Debug, Default)]
struct Resting {
    turns: u64,
    connections: BTreeMap<Turn, Arc<Notify>>,
    /// Connections, at rest or not, that have asked for nobody whom we know.
    unknown: usize,
}

impl Room {
    /// A place for a new connection, which is silent.
    pub(super) fn enter(&self) -> Place {
        self.0.lock().unknown += 1;
        let place = Place {
            room: self.clone(),
            chosen: Arc::default(),
            turn: watch::Sender::new(None),
            known: AtomicBool::new(false),
        };
        place.rest(Standing::Silent);
        place
    }

    /// How many connections have asked for nobody whom we know.
    pub(super) fn unknown(&self) -> usize {
        self.0.lock().unknown
    }

    /// Has the first in order cut that has asked for nobody whom we know; whether there was one at rest.
    pub(super) fn make_of_unknown(&self) -> bool {
        let mut resting = self.0.lock();
        let first = resting.connections.first_key_value();
        match first.filter(|(turn, _)| turn.standing < Standing::Known) {
            Some(_) => {
                let first = resting.connections.pop_first();
                first.map(|(_, chosen)| chosen.notify_one()).is_some()
            }
            None => false,
        }
    }

    /// Has the first in order cut; whether there was one. As long as no more than `spared` are silent, strangers at
    /// rest go before them: newcomers in their handshakes are silent too, and would only cut each other.
    pub(super) fn make(&self, spared: usize) -> bool {
        let [strangers, known] = [Standing::Stranger, Standing::Known].map(|standing| Turn {
            standing,
            number: 0,
        });
        let mut resting = self.0.lock();
        let connections = &mut resting.connections;
        let few = connections.range(..strangers).nth(spared).is_none();
        let stranger = connections.range(strangers..known).next();
        let first = match stranger.filter(|_| few).map(|(turn, _)| *turn) {
            Some(turn) => connections.remove(&turn),
            None => connections.pop_first().map(|(_, chosen)| chosen),
        };
        first.map(|chosen| chosen.notify_one()).is_some()
    }
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Room,
    chosen: Arc<Notify>,
    /// While it rests.
    turn: watch::Sender<Option<Turn>>,
    /// It has asked for somebody whom we know.
    known: AtomicBool,
}

impl Place {
    /// No request is under way from now on.
    pub(super) fn rest(&self, standing: Standing) {
        let mut resting = self.room.0.lock();
        if standing == Standing::Known && !self.known.swap(true, Ordering::Relaxed) {
            resting.unknown -= 1;
        }
        resting.turns += 1;
        let number = resting.turns;
        let turn = Turn { standing, number };
        resting.connections.insert(turn, Arc::clone(&self.chosen));
        self.turn.send_replace(Some(turn));
    }

    /// A request is under way from now on.
    pub(super) fn work(&self) {
        let mut resting = self.room.0.lock();
        if let Some(turn) = self.turn.send_replace(None) {
            resting.connections.remove(&turn);
        }
    }

    /// Completes when the connection has to make room. Should a request have come just then, it is answered first.
    pub(super) async fn cut(&self) {
        self.chosen.notified().await;
        // The sender is `self`, so this ends only when it rests.
        let mut turn = self.turn.subscribe();
        let _resting = turn.wait_for(Option::is_some).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.work();
        if !*self.known.get_mut() {
            self.room.0.lock().unknown -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    /// Which of the places has to make room, when one is asked for.
    fn chosen(room: &Room, places: &[&Place]) -> Option<usize> {
        let made = room.make(0);
        let cut = places
            .iter()
            .position(|place| place.cut().now_or_never().is_some());
        assert_eq!(made, cut.is_some());
        cut
    }

    #[test]
    fn the_silent_go_first_then_strangers_then_who_is_known_and_the_longest_at_rest_before_others()
    {
        let room = Room::default();
        let places: Vec<_> = (0..6).map(|_| room.enter()).collect();
        let [known, early, late, silent, newest, busy] = &places[..] else {
            panic!()
        };
        known.work();
        known.rest(Standing::Known);
        busy.work();
        for stranger in [late, early] {
            stranger.work();
            stranger.rest(Standing::Stranger);
        }
        // Whoever asks again has rested for a shorter time.
        late.work();
        late.rest(Standing::Stranger);
        let all = [known, early, late, silent, newest, busy];
        let order: Vec<_> = std::iter::from_fn(|| chosen(&room, &all)).collect();
        assert_eq!(order, [3, 4, 1, 2, 0], "and a request under way never");
    }

    #[test]
    fn a_request_that_comes_just_when_its_connection_was_chosen_is_answered_first() {
        let room = Room::default();
        let place = room.enter();
        assert!(room.make(0));
        place.work();
        let mut cut = std::pin::pin!(place.cut());
        assert!(cut.as_mut().now_or_never().is_none());
        place.rest(Standing::Known);
        assert!(cut.now_or_never().is_some());
    }

    #[test]
    fn a_few_newcomers_do_not_cut_each_other_while_strangers_rest() {
        let room = Room::default();
        let places: Vec<_> = (0..4).map(|_| room.enter()).collect();
        let (strangers, newcomers) = places.split_at(2);
        for stranger in strangers {
            stranger.work();
            stranger.rest(Standing::Stranger);
        }
        let cut = |place: &Place| place.cut().now_or_never().is_some();
        assert!(room.make(1), "two are more than one");
        assert!(cut(&newcomers[0]));
        assert!(room.make(1) && room.make(1));
        assert!(strangers.iter().all(cut));
        assert!(room.make(1), "nobody else is left");
        assert!(cut(&newcomers[1]));
    }

    #[test]
    fn those_that_nobody_knows_are_counted_and_make_room_for_each_other_alone() {
        let room = Room::default();
        let places: Vec<_> = (0..4).map(|_| room.enter()).collect();
        let [known, silent, stranger, busy] = &places[..] else {
            panic!()
        };
        for place in [known, stranger, busy] {
            place.work();
        }
        known.rest(Standing::Known);
        known.work();
        known.rest(Standing::Known);
        stranger.rest(Standing::Stranger);
        assert_eq!(room.unknown(), 3);
        let cut = |place: &Place| place.cut().now_or_never().is_some();
        assert!(room.make_of_unknown() && cut(silent));
        assert!(room.make_of_unknown() && cut(stranger));
        assert!(!room.make_of_unknown(), "one is busy, and one is known");
        drop(places);
        assert_eq!(room.unknown(), 0);
    }

    #[test]
    fn what_has_ended_makes_no_room() {
        let room = Room::default();
        drop(room.enter());
        assert!(!room.make(0));
    }
}
