//! Sets the terminal up for the dashboard, and restores it in every case.

use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::{Print, force_color_output};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use crate::text::clean;

/// Requests clicks and the wheel (1000) and movement while a button is down (1002), with columns past 223 (1006; 1015
/// for older rxvt). Movement without a button (1003) is requested only while a view shows what the mouse points at: over
/// ssh it costs a packet for each cell.
const MOUSE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1015h\x1b[?1006h";

/// Requests every movement, and no longer.
const MOVEMENT: [&[u8]; 2] = [b"\x1b[?1003h", b"\x1b[?1003l\x1b[?1002h"];

/// The output goes through a buffer: one write for each frame.
type Out = BufWriter<Stdout>;

/// Resets modes that another program may have left: character set, insert mode, margins, origin, wrapping, attributes.
const USUAL_MODES: &str = "\x0f\x1b(B\x1b[4l\x1b[r\x1b[?6l\x1b[?7h\x1b[m";

/// Stores the title of the window, and restores it.
const PUSH_TITLE: &str = "\x1b[22;2t";
const POP_TITLE: &str = "\x1b[23;2t";

/// Whether the terminal has titles. The Linux console would print them.
fn has_titles() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term != "linux")
}

/// The terminal while the dashboard has it. Dropping restores it.
#[derive(Debug)]
pub struct Screen {
    /// Not dropped: it would print an error if the terminal is gone.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Out>>>,
    mouse: bool,
    /// The title of the terminal's window that was last written.
    title: String,
    /// Whether every movement of the mouse is requested.
    follows: bool,
}

/// Whether the dashboard has the terminal, for the panic hook.
static IN_USE: AtomicBool = AtomicBool::new(false);

impl Screen {
    /// Sets the terminal up. With `colors`, colours are written even if `NO_COLOR` is set.
    ///
    /// # Errors
    /// There is no terminal, or it cannot be written.
    pub fn take(mouse: bool, colors: bool) -> io::Result<Self> {
        restore_on_panic();
        if colors {
            // `--colors` overrides `NO_COLOR`, which crossterm would follow by itself.
            force_color_output(true);
        }
        enter(mouse)?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(64 * 1024, io::stdout()));
        let terminal = Terminal::new(backend).inspect_err(|_| leave())?;
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            mouse,
            title: String::new(),
            follows: false,
        })
    }

    /// The terminal for drawing.
    pub(super) fn terminal(&mut self) -> &mut Terminal<CrosstermBackend<Out>> {
        &mut self.terminal
    }

    /// Draws everything again next time.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // Not `clear`, which requests the cursor's position and would wait for the response among the keys.
        let size = self.terminal.size()?;
        self.terminal
            .resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Writes bytes that are not drawn, such as a clipboard sequence.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(bytes)?;
        Write::flush(out)
    }

    /// Changes the title of the terminal's window (OSC 2), if it is another one. The text has no control characters.
    pub(super) fn title(&mut self, title: String) -> io::Result<()> {
        if title == self.title || !has_titles() {
            return Ok(());
        }
        self.write(format!("\x1b]2;{}\x1b\\", clean(&title)).as_bytes())?;
        self.title = title;
        Ok(())
    }

    /// Switches the use of the mouse. Returns whether it is used from now on.
    pub(super) fn switch_mouse(&mut self) -> io::Result<bool> {
        self.mouse = !self.mouse;
        self.follows = false;
        capture_mouse(self.mouse)?;
        Ok(self.mouse)
    }

    /// Requests every movement of the mouse, or no longer.
    pub(super) fn follow_mouse(&mut self, follow: bool) -> io::Result<()> {
        let follow = follow && self.mouse;
        if follow == self.follows {
            return Ok(());
        }
        self.follows = follow;
        let [on, off] = MOVEMENT;
        self.write(if follow { on } else { off })
    }

    /// Restores the terminal for a while.
    pub(super) fn leave(&mut self) {
        leave();
    }

    /// Sets the terminal up again, and draws everything next time.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        enter(self.mouse)?;
        self.title.clear();
        self.follows = false;
        self.clear()
    }

    /// Sets all modes again: another program or the shell may have changed them while this process was stopped.
    pub(super) fn restore(&mut self) -> io::Result<()> {
        self.leave();
        self.enter()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    // First, because this stops a background process before it writes anything.
    enable_raw_mode()?;
    IN_USE.store(true, Ordering::SeqCst);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        Print(USUAL_MODES),
        EnableBracketedPaste,
        cursor::Hide
    )
    .inspect_err(|_| leave())?;
    if has_titles() {
        execute!(io::stdout(), Print(PUSH_TITLE))?;
    }
    capture_mouse(mouse).inspect_err(|_| leave())
}

fn capture_mouse(capture: bool) -> io::Result<()> {
    // Resets the mouse modes of other programs.
    execute!(io::stdout(), DisableMouseCapture)?;
    if capture {
        execute!(io::stdout(), Print(MOUSE))?;
    }
    Ok(())
}

/// Restores the terminal, once. Errors are ignored, because the terminal may be gone.
fn leave() {
    if !IN_USE.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    if has_titles() {
        let _ = execute!(out, Print(POP_TITLE));
    }
    let _ = execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        cursor::Show,
        LeaveAlternateScreen
    );
    let _ = disable_raw_mode();
}

/// Restores the terminal before a panic's message is printed.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before: Arc<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync> =
            std::panic::take_hook().into();
        std::panic::set_hook(Box::new(move |info| {
            leave();
            before(info);
        }));
    });
}
