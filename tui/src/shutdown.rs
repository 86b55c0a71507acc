//! The signals that end the program.

use std::io;

/// The signals that end the program: Ctrl-C, SIGTERM, SIGHUP.
#[derive(Debug)]
pub struct ShutdownSignals {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl ShutdownSignals {
    /// Listens for the signals. From now on they no longer end the program by themselves.
    ///
    /// # Errors
    /// The operating system does not allow it.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ];
            Ok(Self { signals })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for a signal other than Ctrl-C, which is for the program that has the terminal.
    pub async fn wait_to_end(&mut self) {
        #[cfg(unix)]
        {
            let [_, terminate, hangup] = &mut self.signals;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        #[cfg(not(unix))]
        std::future::pending().await
    }

    /// Forgets that Ctrl-C was pressed.
    pub fn forget_interrupts(&mut self) {
        #[cfg(unix)]
        {
            use futures::FutureExt;
            let [interrupt, ..] = &mut self.signals;
            let _earlier = interrupt.recv().now_or_never();
        }
    }

    /// Waits for a signal.
    pub async fn wait(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hangup] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
