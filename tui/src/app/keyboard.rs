//! Reads events from the terminal.

#[cfg(not(unix))]
pub(super) use elsewhere::Keyboard;
#[cfg(unix)]
pub(super) use of_unix::Keyboard;

#[cfg(unix)]
mod of_unix {
    use std::fs::File;
    use std::future::pending;
    use std::io::{self, IsTerminal};
    use std::os::fd::{AsFd, OwnedFd};

    use crossterm::event::Event;
    use crossterm::terminal::size;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::{Errno, read};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::signal::unix::{Signal, SignalKind, signal};
    use tokio::time::{Instant, sleep_until};

    use crate::input::{Decoder, ESCAPE_PATIENCE};

    /// The terminal's keys, mouse and pastes, and changes of its size. Nothing is read while nobody waits for an event,
    /// so another program can have the terminal.
    #[derive(Debug)]
    pub(in crate::app) struct Keyboard {
        terminal: AsyncFd<OwnedFd>,
        resized: Signal,
        decoder: Decoder,
        /// When bytes that may start a sequence are keys.
        expiry: Option<Instant>,
    }

    impl Keyboard {
        /// Opens the terminal for reading. Some key bindings have Alt, or none has.
        ///
        /// # Errors
        /// There is no terminal.
        #[expect(
            deprecated,
            reason = "the replacement is unsafe for types that do not own what they refer to; OwnedFd does"
        )]
        pub(in crate::app) fn open(has_alt: bool) -> io::Result<Self> {
            let stdin = io::stdin();
            let terminal = if stdin.is_terminal() {
                stdin.as_fd().try_clone_to_owned()?
            } else {
                File::open("/dev/tty")?.into()
            };
            Ok(Self {
                terminal: AsyncFd::with_interest(terminal, Interest::READABLE)?,
                resized: signal(SignalKind::window_change())?,
                decoder: Decoder::new(has_alt),
                expiry: None,
            })
        }

        /// Waits for the next event; none if the terminal is gone. Loses nothing if it is cancelled.
        pub(in crate::app) async fn next(&mut self) -> Option<io::Result<Event>> {
            loop {
                if let Some(event) = self.decoder.pop() {
                    return Some(Ok(event));
                }
                let expiry = self.expiry;
                let expired = async {
                    match expiry {
                        Some(expiry) => sleep_until(expiry).await,
                        None => pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    _ = self.resized.recv() => {
                        return Some(size().map(|(columns, rows)| Event::Resize(columns, rows)));
                    }
                    // Before the expiry: bytes that have arrived were in time, however busy this process was.
                    ready = self.terminal.readable() => {
                        let mut bytes = [0; 4 << 10];
                        let count = match ready {
                            Ok(mut ready) => ready.try_io(|terminal| read_now(terminal.get_ref(), &mut bytes)),
                            Err(error) => Ok(Err(error)),
                        };
                        match count {
                            Ok(Ok(0)) => return None,
                            Ok(Ok(count)) => {
                                self.decoder.push(bytes.get(..count).unwrap_or_default());
                                let expires = self.decoder.is_undecided();
                                self.expiry = expires.then(|| Instant::now() + ESCAPE_PATIENCE);
                            }
                            Ok(Err(error)) => return Some(Err(error)),
                            Err(_would_block) => {}
                        }
                    }
                    () = expired => {
                        self.decoder.expire();
                        self.expiry = None;
                    }
                }
            }
        }
    }

    /// Reads what is there; nothing if the terminal is gone. The terminal itself is in blocking mode, which other
    /// programs expect that share it.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing.
    fn read_now(terminal: &OwnedFd, bytes: &mut [u8]) -> io::Result<usize> {
        let mut is_ready = [PollFd::new(terminal, PollFlags::IN)];
        loop {
            let result = match poll(&mut is_ready, Some(&Timespec::default())) {
                Ok(0) => return Err(io::ErrorKind::WouldBlock.into()),
                Ok(_) => read(terminal, &mut *bytes),
                Err(error) => Err(error),
            };
            match result {
                Err(Errno::INTR) => {}
                Err(Errno::IO) => return Ok(0),
                result => return Ok(result?),
            }
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use crossterm::event::{Event, EventStream};
    use futures::StreamExt;

    /// The events of the terminal.
    #[derive(Debug)]
    pub(in crate::app) struct Keyboard(EventStream);

    impl Keyboard {
        pub(in crate::app) fn open(_has_alt: bool) -> io::Result<Self> {
            Ok(Self(EventStream::new()))
        }

        pub(in crate::app) async fn next(&mut self) -> Option<io::Result<Event>> {
            self.0.next().await
        }
    }
}
