//! A program in a pseudo-terminal, and what a person sees of it.
//!
//! Everything is waited for by what is on the screen; nothing sleeps.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::{MouseProtocolMode, Parser, Screen};

/// Far longer than anything ever takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// A program and its terminal.
pub(crate) struct Terminal {
    shared: Arc<Shared>,
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
}

/// What is done with a mouse's button.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mouse {
    Down,
    Drag,
    Up,
}

/// What the reader and those who wait share.
struct Shared {
    output: Mutex<Output>,
    changed: Condvar,
}

struct Output {
    parser: Parser,
    /// All that was written to the terminal: what a screen cannot tell, such as the clipboard.
    written: Vec<u8>,
    over: bool,
}

impl Output {
    fn new(columns: u16, rows: u16) -> Self {
        Self {
            parser: parser(columns, rows),
            written: Vec::new(),
            over: false,
        }
    }

    /// Appends the bytes of one read.
    ///
    /// The parser receives each byte alone. If a read ends within a character of two bytes, `vte` 0.15 loses the
    /// character after it: `advance_partial_utf8` counts it as read, but prints only the first.
    fn receive(&mut self, bytes: &[u8]) {
        for byte in bytes.chunks(1) {
            self.parser.process(byte);
        }
        self.written.extend_from_slice(bytes);
    }
}

impl Terminal {
    /// Starts `vitals` in a terminal of 256 colours and so many columns and rows.
    pub(crate) fn start(
        arguments: &[&str],
        folder: &str,
        columns: u16,
        rows: u16,
        environment: &[(&str, &str)],
    ) -> Self {
        Self::run(
            env!("CARGO_BIN_EXE_vitals"),
            arguments,
            folder,
            columns,
            rows,
            environment,
        )
    }

    /// Starts any program, in a folder.
    pub(crate) fn run(
        program: &str,
        arguments: &[&str],
        folder: &str,
        columns: u16,
        rows: u16,
        environment: &[(&str, &str)],
    ) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VITALS_")) {
            command.env_remove(name);
        }
        for name in ["NO_COLOR", "COLORFGBG", "COLORTERM", "LC_ALL", "LC_CTYPE"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("XDG_CONFIG_HOME", "/dev/null/nonexistent");
        // The marks of earlier starts: none, and none can be made.
        command.env_remove("XDG_STATE_HOME");
        command.env_remove("HOME");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shared = Arc::new(Shared {
            output: Mutex::new(Output::new(columns, rows)),
            changed: Condvar::new(),
        });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let copy = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            // At the end of the program a pseudo-terminal says so by an error.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                copy.output.lock().unwrap().receive(&buffer[..count]);
                copy.changed.notify_all();
            }
            copy.output.lock().unwrap().over = true;
            copy.changed.notify_all();
        });
        Self {
            shared,
            writer: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
        }
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.shared.output.lock().unwrap()
    }

    /// What is on the screen, as text.
    pub(crate) fn text(&self) -> String {
        self.output().parser.screen().contents()
    }

    /// Looks at the screen.
    pub(crate) fn inspect<T>(&self, see: impl FnOnce(&Screen) -> T) -> T {
        see(self.output().parser.screen())
    }

    /// Looks at the screen, and at all that was written to make it so.
    pub(crate) fn with_written<T>(&self, see: impl FnOnce(&Screen, &[u8]) -> T) -> T {
        let output = self.output();
        see(output.parser.screen(), &output.written)
    }

    /// All that was ever written to the terminal.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.output().written.clone()
    }

    /// Waits until the screen is so, and says what it is then.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        self.wait_until(what, |screen, _| {
            let text = screen.contents();
            is_so(&text).then_some(text)
        })
    }

    /// Waits until this text is on the screen.
    pub(crate) fn wait_for_text(&self, part: &str) -> String {
        self.wait_for(&format!("{part:?} on the screen"), |text| {
            text.contains(part)
        })
    }

    /// Waits until what was written to the terminal has this in it.
    pub(crate) fn wait_for_written(&self, part: &str) {
        let has = |written: &[u8]| {
            let windows = written.windows(part.len());
            windows.into_iter().any(|window| window == part.as_bytes())
        };
        self.wait_until(&format!("{part:?} written"), |_, written| {
            has(written).then_some(())
        });
    }

    /// Waits until `see` sees something.
    pub(crate) fn wait_until<T>(&self, what: &str, see: impl Fn(&Screen, &[u8]) -> Option<T>) -> T {
        let begin = Instant::now();
        let mut output = self.output();
        loop {
            if let Some(seen) = see(output.parser.screen(), &output.written) {
                return seen;
            }
            let left = PATIENCE.saturating_sub(begin.elapsed());
            assert!(
                !left.is_zero() && !output.over,
                "{what}: never ({}); the screen is\n{}",
                if output.over {
                    "the program has ended"
                } else {
                    "it took too long"
                },
                output.parser.screen().contents()
            );
            output = self.shared.changed.wait_timeout(output, left).unwrap().0;
        }
    }

    /// Waits until a shell's prompt is the last thing on the screen that a program had before the dashboard. Only then
    /// has the dashboard ended: until then it discards what is typed.
    pub(crate) fn wait_for_prompt(&self, prompt: &str) {
        self.wait_until("the shell's prompt", |screen, _| {
            let asks = screen.contents().trim_end().ends_with(prompt.trim_end());
            (asks && !screen.alternate_screen()).then_some(())
        });
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        self.send(&bytes(key));
    }

    /// Types text, or sends any bytes.
    pub(crate) fn send(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Pastes text, as a terminal does that was asked for brackets.
    pub(crate) fn paste(&mut self, text: &str) {
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Clicks with the left button; columns and rows from 0.
    pub(crate) fn click(&mut self, column: u16, row: u16) {
        self.mouse(Mouse::Down, column, row);
        self.mouse(Mouse::Up, column, row);
    }

    /// Does something with the left button at a place; columns and rows from 0.
    pub(crate) fn mouse(&mut self, what: Mouse, column: u16, row: u16) {
        let (button, end) = match what {
            Mouse::Down => (0, 'M'),
            Mouse::Drag => (32, 'M'),
            Mouse::Up => (0, 'm'),
        };
        let (column, row) = (column + 1, row + 1);
        self.send(&format!("\x1b[<{button};{column};{row}{end}"));
    }

    /// Turns the wheel by one notch towards the reader.
    pub(crate) fn wheel_down(&mut self, column: u16, row: u16) {
        self.send(&format!("\x1b[<65;{};{}M", column + 1, row + 1));
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        // What is still written for the old size is for nobody: it is drawn anew.
        let mut output = self.shared.output.lock().unwrap();
        let (columns_, rows_) = (columns.try_into().unwrap(), rows.try_into().unwrap());
        output.parser.screen_mut().set_size(rows_, columns_);
        drop(output);
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// The program's process.
    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal: `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = std::process::Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the program, and tells its code.
    pub(crate) fn wait_for_end(&mut self) -> u32 {
        let begin = Instant::now();
        let mut output = self.shared.output.lock().unwrap();
        while !output.over {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            assert!(
                !left.is_zero(),
                "it never ends; the screen is\n{}",
                output.parser.screen().contents()
            );
            output = self.shared.changed.wait_timeout(output, left).unwrap().0;
        }
        drop(output);
        self.child.wait().unwrap().exit_code()
    }

    /// Whether the terminal is as a shell wants it: no other screen, cursor, mouse or paste left behind, and lines are
    /// edited and echoed by the terminal again.
    pub(crate) fn assert_sane(&self) {
        self.assert_given_back();
        let modes = self.modes();
        let edits = ["ICANON", "ECHO", "ISIG"];
        assert!(
            modes.is_empty() || edits.iter().all(|mode| modes.iter().any(|has| has == mode)),
            "the terminal is still raw: {modes:?}"
        );
    }

    /// Whether keys are neither edited nor echoed by the terminal.
    pub(crate) fn is_raw(&self) -> bool {
        let modes = self.modes();
        !modes.iter().any(|mode| mode == "ICANON" || mode == "ECHO")
    }

    /// How lines are edited and echoed; nothing where the terminal has ended.
    fn modes(&self) -> Vec<String> {
        let modes = self.master.get_termios();
        let modes = modes.map(|modes| format!("{:?}", modes.local_flags));
        modes
            .unwrap_or_default()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Whether no other screen, cursor, mouse or paste is left behind.
    pub(crate) fn assert_given_back(&self) {
        self.inspect(|screen| {
            assert!(
                !screen.alternate_screen(),
                "the alternate screen is still shown"
            );
            assert!(!screen.hide_cursor(), "the cursor is still hidden");
            assert!(!screen.bracketed_paste(), "pastes are still bracketed");
            assert_eq!(
                screen.mouse_protocol_mode(),
                MouseProtocolMode::None,
                "mouse reports are still on"
            );
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn parser(columns: u16, rows: u16) -> Parser {
    Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
}

/// The bytes that a terminal sends for a key, by its name in the configuration.
fn bytes(key: &str) -> String {
    let arrow = |name| match name {
        "up" => Some('A'),
        "down" => Some('B'),
        "right" => Some('C'),
        "left" => Some('D'),
        _ => None,
    };
    if let Some(arrow) = arrow(key) {
        return format!("\x1b[{arrow}");
    }
    // In xterm's encoding a parameter has the modifiers.
    if let Some(arrow) = key.strip_prefix("shift-").and_then(arrow) {
        return format!("\x1b[1;2{arrow}");
    }
    if let Some(&[letter @ b'a'..=b'z']) = key.strip_prefix("ctrl-").map(str::as_bytes) {
        return char::from(letter - b'a' + 1).to_string();
    }
    let bytes = match key {
        "space" => " ",
        "enter" => "\r",
        "esc" => "\x1b",
        "tab" => "\t",
        "shift-tab" => "\x1b[Z",
        "backspace" => "\x7f",
        "delete" => "\x1b[3~",
        "home" => "\x1b[H",
        "end" => "\x1b[F",
        "pgup" => "\x1b[5~",
        "pgdn" => "\x1b[6~",
        "f1" => "\x1bOP",
        character if character.chars().count() == 1 => character,
        _ => panic!("no terminal sends {key}"),
    };
    bytes.to_owned()
}

#[test]
fn a_read_that_ends_within_a_character_loses_nothing() {
    let text = "a\u{b7} \u{b7}b \u{2500}\u{1f600}\u{e9} \u{e9}";
    for cut in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(cut);
        let mut output = Output::new(40, 2);
        output.receive(first);
        output.receive(second);
        assert_eq!(output.parser.screen().contents(), text, "cut at {cut}");
    }
}
