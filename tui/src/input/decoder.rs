//! Decodes the bytes of a terminal into events.
//!
//! A terminal sends the byte of Esc for the key Esc, and as the first byte of every other special key, mouse event and
//! paste. A slow connection delivers such a sequence in parts, and several keys at once. So this decides where a sequence
//! ends; terminput decodes it.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::Event;

/// How long the byte of Esc, alone or with `[` or `O`, may be the start of a sequence. No person types so fast.
pub const ESCAPE_PATIENCE: Duration = Duration::from_millis(25);

/// The most bytes of a paste that are stored; the rest is dropped.
const LONGEST_PASTE: usize = 64 << 10;
/// The most bytes of another sequence. Those of keys and of the mouse are far shorter.
const LONGEST_SEQUENCE: usize = 64;

const ESC: u8 = 0x1b;
const PASTE: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Decodes the bytes of a terminal, in whatever parts they arrive.
#[derive(Debug)]
pub struct Decoder {
    /// Whether Esc and a character in one read are a key with Alt. If not, they are two keys, which a slow connection
    /// delivers together.
    has_alt: bool,
    /// The bytes of a sequence without its end.
    pending: Vec<u8>,
    events: VecDeque<Event>,
}

/// What the bytes so far are, of which all but the last one are incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// The first bytes are a sequence of this length.
    Whole(usize),
    /// The first bytes, so many, belong to no sequence.
    Broken(usize),
    /// A sequence without its end.
    Incomplete,
}

impl Decoder {
    /// Creates a decoder, for key bindings of which some have Alt or none has.
    #[must_use]
    pub const fn new(has_alt: bool) -> Self {
        Self {
            has_alt,
            pending: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Adds bytes that one read has returned.
    pub fn push(&mut self, bytes: &[u8]) {
        // In two reads, Esc and a character are two keys.
        if self.pending == [ESC] && !matches!(bytes.first(), Some(b'[' | b'O') | None) {
            self.expire();
        }
        for byte in bytes {
            self.pending.push(*byte);
            if self.pending.len() > LONGEST_PASTE + PASTE_END.len() {
                self.pending.remove(LONGEST_PASTE);
            }
            // Whether a first byte of Esc is the key depends on the second one.
            while !self.pending.is_empty() && self.pending != [ESC] {
                match start(&self.pending, self.has_alt) {
                    Start::Whole(length) => self.decode(length),
                    Start::Broken(length) => drop(self.pending.drain(..length)),
                    Start::Incomplete => break,
                }
            }
        }
    }

    /// Whether the last bytes are the start of a sequence, or keys if none follows within [`ESCAPE_PATIENCE`].
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(*self.pending, [ESC] | [ESC, b'[' | b'O'])
    }

    /// Decides that they are keys, because [`ESCAPE_PATIENCE`] has passed.
    pub fn expire(&mut self) {
        if self.is_undecided() {
            for _ in 0..self.pending.len() {
                self.decode(1);
            }
        }
    }

    /// Removes the oldest event.
    pub fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Removes the first bytes, and decodes them. An unknown sequence is no event.
    fn decode(&mut self, length: usize) {
        let sequence: Vec<u8> = self.pending.drain(..length).collect();
        if is_mouse_nowhere(&sequence) {
            return;
        }
        let event = terminput::Event::parse_from(&sequence).ok().flatten();
        let event = event.and_then(|event| terminput_crossterm::to_crossterm(event).ok());
        self.events.extend(event);
    }
}

/// Returns what these bytes are, by ECMA-48 and what xterm adds to it.
fn start(bytes: &[u8], has_alt: bool) -> Start {
    let length = bytes.len();
    match bytes {
        [ESC, ESC, ..] => Start::Whole(1),
        [ESC, b'[', rest @ ..] => control_sequence(bytes, rest),
        [ESC, b'O'] => Start::Incomplete,
        [ESC, b'O', b'@'..=b'~', ..] => Start::Whole(3),
        [ESC, b'O', ..] => Start::Broken(2),
        [ESC, _, ..] if !has_alt => Start::Whole(1),
        [ESC, character @ ..] => match start(character, has_alt) {
            Start::Whole(length) => Start::Whole(1 + length),
            Start::Broken(length) => Start::Broken(1 + length),
            Start::Incomplete => Start::Incomplete,
        },
        [first, rest @ ..] => {
            let whole = match first {
                0..=0x7f => 1,
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return Start::Broken(1),
            };
            match rest.last() {
                // The last byte starts another character.
                Some(last) if !(0x80..=0xbf).contains(last) => Start::Broken(length - 1),
                _ if length < whole => Start::Incomplete,
                _ => Start::Whole(whole),
            }
        }
        [] => Start::Incomplete,
    }
}

/// Returns what these bytes are, which continue with `rest` after `ESC [`.
fn control_sequence(bytes: &[u8], rest: &[u8]) -> Start {
    let length = bytes.len();
    if bytes.starts_with(PASTE) {
        return if bytes.ends_with(PASTE_END) {
            Start::Whole(length)
        } else {
            Start::Incomplete
        };
    }
    match rest {
        // The mouse of old terminals: a button, a column and a row. Function keys of the Linux console: a letter.
        [b'M', _, _, _] | [b'[', _] => Start::Whole(length),
        [] | [b'M', ..] | [b'['] => Start::Incomplete,
        [.., b' '..=b'?'] if length < LONGEST_SEQUENCE => Start::Incomplete,
        [.., b' '..=b'?'] => Start::Broken(length),
        [.., b'@'..=b'~'] => Start::Whole(length),
        // The last byte, a control character, starts another sequence.
        _ => Start::Broken(length - 1),
    }
}

/// Whether this is an event of the mouse in column or row 0, which no terminal has, and from which terminput subtracts
/// one.
fn is_mouse_nowhere(sequence: &[u8]) -> bool {
    let [ESC, b'[', parameters @ .., b'M' | b'm'] = sequence else {
        return false;
    };
    parameters
        .split(|byte| *byte == b';')
        .skip(1)
        .any(|number| !number.is_empty() && number.iter().all(|digit| *digit == b'0'))
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use proptest::prelude::*;

    use super::*;
    use crate::input::Key;

    /// The names of the keys, and other events in angle brackets, of bytes that arrive in these reads.
    fn decoded(reads: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::new(true);
        for read in reads {
            decoder.push(read);
        }
        decoder.expire();
        std::iter::from_fn(|| decoder.pop()).map(name).collect()
    }

    fn name(event: Event) -> String {
        match event {
            Event::Key(key) => Key::from(&key).to_string(),
            Event::Paste(text) => format!("<{text}>"),
            Event::Mouse(event) => {
                format!("<{:?} {} {}>", event.kind, event.column, event.row)
            }
            other => format!("<{other:?}>"),
        }
    }

    #[test]
    fn keys_and_sequences_are_decoded() {
        for (bytes, expected) in [
            ("q", "q"),
            ("G", "G"),
            ("ä日", "ä 日"),
            ("\r\t\x7f\x03\0", "enter tab backspace ctrl-c ctrl-space"),
            ("\x1b", "esc"),
            ("\x1b\x1b", "esc esc"),
            ("\x1b[A\x1b[D\x1bOA", "up left up"),
            ("\x1b[H\x1b[F\x1b[5~\x1b[3~", "home end pgup delete"),
            ("\x1b[1;2D\x1b[1;5C", "shift-left ctrl-right"),
            ("\x1b[Z", "shift-tab"),
            ("\x1bOP\x1b[15~\x1b[[A", "f1 f5 f1"),
            ("\x1bx\x1bä", "alt-x alt-ä"),
            // Esc and another key in one read.
            ("\x1b\x1b[1;2Dj", "esc shift-left j"),
            ("\x1b\x1b[A", "esc up"),
            ("\x1b[200~a\nb\x1b[A\x1b[201~c", "<a\nb\x1b[A> c"),
            (
                "\x1b[<0;5;7M\x1b[<0;5;7m",
                "<Down(Left) 4 6> <Up(Left) 4 6>",
            ),
            ("\x1b[32;5;7M", "<Down(Left) 4 6>"),
            ("\x1b[M%'", ""),
            ("\x1b[M %'", "<Down(Left) 4 6>"),
            // What is no key, or no text, is left out.
            ("\x1b[<0;0;7Mq\x1b[<0;7;00mq\x1b[32;0;0Mq", "q q q"),
            (
                "\x1b[?1;2cq\x1b[99zq\x1b[1;\rq\x1b[1\x1b[Aq",
                "q q enter q up q",
            ),
        ] {
            assert_eq!(
                decoded(&[bytes.as_bytes()]).join(" "),
                expected,
                "{bytes:?}"
            );
        }
        assert_eq!(
            decoded(&[b"\xffa\xe2\x82b\x80c\x1b\xffd"]),
            ["a", "b", "c", "d"]
        );
    }

    #[test]
    fn esc_is_a_key_when_no_sequence_follows_in_time() {
        let mut decoder = Decoder::new(true);
        decoder.push(b"\x1b");
        assert!(decoder.is_undecided());
        assert_eq!(decoder.pop(), None);
        // The rest of the sequence is in time.
        decoder.push(b"[1;2D");
        assert!(!decoder.is_undecided());
        let shift_left = KeyEvent::new(KeyCode::Left, KeyModifiers::SHIFT);
        assert_eq!(decoder.pop(), Some(Event::Key(shift_left)));
        // It is not in time.
        decoder.push(b"\x1b");
        decoder.expire();
        assert_eq!(decoder.pop(), Some(Event::Key(KeyCode::Esc.into())));
        decoder.push(b"[");
        assert_eq!(decoder.pop(), Some(Event::Key(KeyCode::Char('[').into())));
        for read in [b"\x1b", b"O"] {
            decoder.push(read);
            assert_eq!(decoder.pop(), None);
        }
        decoder.expire();
        assert_eq!(decoder.pop(), Some(Event::Key(KeyCode::Esc.into())));
        assert!(
            matches!(decoder.pop(), Some(Event::Key(key)) if Key::from(&key).to_string() == "O")
        );
        // A character in another read is another key, and in the same one if no binding has Alt.
        assert_eq!(decoded(&[b"\x1b", b"x"]), ["esc", "x"]);
        let mut without_alt = Decoder::new(false);
        without_alt.push(b"\x1bx\x1b\r");
        let keys: Vec<String> = std::iter::from_fn(|| without_alt.pop()).map(name).collect();
        assert_eq!(keys, ["esc", "x", "esc", "enter"]);
        // A sequence that has begun can last.
        decoder.push(b"\x1b[1");
        decoder.expire();
        decoder.push(b";2D");
        assert_eq!(decoder.pop(), Some(Event::Key(shift_left)));
    }

    #[test]
    fn a_paste_and_a_sequence_without_an_end_take_bounded_memory() {
        let mut decoder = Decoder::new(true);
        decoder.push(PASTE);
        for _ in 0..1_000 {
            decoder.push(&[b'x'; 1_000]);
        }
        assert!(decoder.pending.len() <= LONGEST_PASTE + PASTE_END.len());
        decoder.push(PASTE_END);
        decoder.push(b"q");
        assert!(matches!(decoder.pop(), Some(Event::Paste(text)) if text.len() > 60_000));
        assert_eq!(decoder.pop(), Some(Event::Key(KeyCode::Char('q').into())));
        decoder.push(b"\x1b[");
        decoder.push(&[b'1'; 1_000]);
        assert!(decoder.pending.len() <= LONGEST_SEQUENCE);
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_without_a_panic(reads in prop::collection::vec(any::<Vec<u8>>(), 0..9)) {
            let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
            decoded(&reads);
        }

        #[test]
        fn parts_of_sequences_do_not_panic(text in "(\x1b|\\[|<|M|m|;|O|~|u|\\?|:|[0-9]{1,6}|[A-Z]){0,30}") {
            decoded(&[text.as_bytes()]);
        }

        /// Where a sequence is split has no effect.
        #[test]
        fn sequences_arrive_in_any_parts(
            keys in prop::collection::vec(prop::sample::select(vec![
                "q", "日", "\r", "\x1b", "\x1b[A", "\x1b[1;2D", "\x1b[5~", "\x1b[[A", "\x1b[<35;10;20M", "\x1b[M !!",
                "\x1b[200~pasted\x1b[201~",
            ]), 0..9),
            splits in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
        ) {
            let bytes = keys.concat().into_bytes();
            let mut splits: Vec<usize> = splits.iter().map(|at| at.index(bytes.len() + 1)).collect();
            splits.extend([0, bytes.len()]);
            splits.sort_unstable();
            let reads: Vec<&[u8]> = splits.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
            // Esc and a character are a key with Alt in one read, and two keys in two.
            prop_assume!(keys.windows(2).all(|two| two[0] != "\x1b" || two[1].starts_with('\x1b')));
            prop_assert_eq!(decoded(&reads), decoded(&[&bytes]));
        }
    }
}
