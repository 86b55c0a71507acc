//! The terminal: taken over, and given back whatever happens.

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

/// Asks the terminal for clicks and the wheel (1000) and for movement while a button is down (1002), with columns past
/// 223 (1006; 1015 for older rxvt). Movement without a button (1003) has no use here, and over ssh costs a packet a cell.
const MOUSE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1015h\x1b[?1006h";

/// What is drawn goes through a buffer: one write a frame.
type Out = BufWriter<Stdout>;

/// Undoes what another program may have left: the wrong character set, inserting, a margin, its own origin, no wrapping,
/// an attribute.
const USUAL_MODES: &str = "\x0f\x1b(B\x1b[4l\x1b[r\x1b[?6l\x1b[?7h\x1b[m";

/// The terminal while it is ours. Dropped, it is given back.
#[derive(Debug)]
pub struct Screen {
    /// Not dropped: it would print that it cannot show the cursor of a terminal that is gone.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Out>>>,
    mouse: bool,
}

/// Whether the terminal is ours, for the panic hook.
static OURS: AtomicBool = AtomicBool::new(false);

impl Screen {
    /// Takes the terminal over. Colours that are drawn reach it if `colors` says so, whatever `NO_COLOR` is.
    ///
    /// # Errors
    /// There is none, or it cannot be written.
    pub fn take(mouse: bool, colors: bool) -> io::Result<Self> {
        give_back_on_panic();
        if colors {
            // `--colors` overrules `NO_COLOR`, which crossterm would heed by itself.
            force_color_output(true);
        }
        enter(mouse)?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(64 * 1024, io::stdout()));
        let terminal = Terminal::new(backend).inspect_err(|_| leave())?;
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            mouse,
        })
    }

    /// What is drawn on.
    pub(super) fn terminal(&mut self) -> &mut Terminal<CrosstermBackend<Out>> {
        &mut self.terminal
    }

    /// Draws everything anew next time, whatever the terminal shows.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // Not `clear`, which asks the terminal where its cursor is: the answer would be waited for among the keys.
        let size = self.terminal.size()?;
        self.terminal
            .resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Writes something that is not drawn, such as what the clipboard is to hold.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(bytes)?;
        Write::flush(out)
    }

    /// Leaves the mouse to the terminal, or uses it again. Returns whether it is used from now on.
    pub(super) fn switch_mouse(&mut self) -> io::Result<bool> {
        self.mouse = !self.mouse;
        capture_mouse(self.mouse)?;
        Ok(self.mouse)
    }

    /// Gives the terminal back for a while.
    pub(super) fn leave(&mut self) {
        leave();
    }

    /// Takes the terminal over again, and draws everything anew next time.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        enter(self.mouse)?;
        self.clear()
    }

    /// Makes the terminal ours again in every respect: another program may have changed it, or the shell, while this
    /// process was stopped.
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
    // First, because a process in the background is stopped by it, before it has written anything.
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        Print(USUAL_MODES),
        EnableBracketedPaste,
        cursor::Hide
    )
    .inspect_err(|_| leave())?;
    capture_mouse(mouse).inspect_err(|_| leave())
}

fn capture_mouse(capture: bool) -> io::Result<()> {
    // Whatever another program asked for.
    execute!(io::stdout(), DisableMouseCapture)?;
    if capture {
        execute!(io::stdout(), Print(MOUSE))?;
    }
    Ok(())
}

/// Gives the terminal back, once. If it is gone there is nothing to give back.
fn leave() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        cursor::Show,
        LeaveAlternateScreen
    );
    let _ = disable_raw_mode();
}

/// A panic's message is for the screen that the person sees.
fn give_back_on_panic() {
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
