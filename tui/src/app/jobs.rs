//! Job control: the shell's Ctrl-Z, `fg` and `bg`.

/// A job control event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// A request to stop (SIGTSTP).
    Stop,
    /// The process continues after a stop (SIGCONT).
    Continued,
}

#[cfg(not(unix))]
pub(super) use elsewhere::Jobs;
#[cfg(unix)]
pub(super) use of_unix::Jobs;

#[cfg(unix)]
mod of_unix {
    use std::io;

    use futures::FutureExt;
    use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};
    use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

    use super::Job;

    /// Listens to the signals of job control. From then on SIGTSTP does not stop the process by itself.
    #[derive(Debug)]
    pub(in crate::app) struct Jobs {
        stop: Signals,
        continued: Signals,
    }

    impl Jobs {
        /// Starts to listen.
        ///
        /// # Errors
        /// The system does not allow it.
        pub(in crate::app) fn listen() -> io::Result<Self> {
            let kind = |signal: Signal| SignalKind::from_raw(signal.as_raw());
            Ok(Self {
                stop: signal(kind(Signal::TSTP))?,
                continued: signal(kind(Signal::CONT))?,
            })
        }

        /// The next event.
        pub(in crate::app) async fn next(&mut self) -> Job {
            tokio::select! {
                biased;
                _ = self.continued.recv() => Job::Continued,
                _ = self.stop.recv() => Job::Stop,
            }
        }

        /// Whether a shell could continue a stopped job. Where none can, the kernel ignores SIGTSTP, but not the
        /// SIGSTOP that [`Self::stop`] sends.
        ///
        /// # Errors
        /// The system does not say which session this is.
        pub(in crate::app) fn has_shell() -> io::Result<bool> {
            // A shell with job control gives each job a process group of its own.
            Ok(getsid(None)? != getpgrp())
        }

        /// Stops the whole job, and returns when it continues.
        ///
        /// # Errors
        /// The signal cannot be sent.
        pub(in crate::app) async fn stop(&mut self) -> io::Result<()> {
            let _earlier = self.continued.recv().now_or_never();
            // Not SIGTSTP: this process would receive its own signal too.
            kill_current_process_group(Signal::STOP)?;
            self.continued.recv().await;
            Ok(())
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use super::Job;

    /// A system without job control.
    #[derive(Debug)]
    pub(in crate::app) struct Jobs;

    impl Jobs {
        pub(in crate::app) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        pub(in crate::app) async fn next(&mut self) -> Job {
            std::future::pending().await
        }

        pub(in crate::app) fn has_shell() -> io::Result<bool> {
            Ok(false)
        }

        pub(in crate::app) async fn stop(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
