//! A TLS connection to a kubelet that has no buffers while it is idle.
//!
//! It drives rustls' unbuffered session, because a buffered session, such as that of tokio-rustls, reads 4 KiB at a
//! time and stores as much between two responses, for each of 5,000 nodes. Here one system call reads a whole response,
//! and [`TlsStream::release_buffers`] frees the memory after it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls::client::UnbufferedClientConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::io::{poll_read_buf, poll_write_buf};

/// The bytes to read at a time: the usual response of a node with 30 pods, or two TLS records.
const READ_SIZE: usize = 32 << 10;

/// The most unprocessed bytes. A handshake message, such as a chain of certificates, has at most 64 KiB.
const MAX_INCOMING: usize = 80 << 10;

/// The most bytes of a message that are encrypted at a time.
const MAX_PLAINTEXT: usize = 16 << 10;

/// A TLS connection over TCP.
pub(super) struct TlsStream {
    tcp: TcpStream,
    session: UnbufferedClientConnection,
    /// Received bytes that the session has not processed.
    incoming: Vec<u8>,
    /// Decrypted bytes that the reader has not received.
    plaintext: BytesMut,
    /// Encrypted bytes that have not been sent.
    outgoing: BytesMut,
    /// The peer has ended the session.
    closed: bool,
}

/// What the session needs.
#[derive(PartialEq, Eq)]
enum Progress {
    /// More bytes from the peer, to complete the handshake.
    Handshake,
    /// Nothing: it can send.
    Ready,
    /// Nothing: it has ended.
    Ended,
}

impl TlsStream {
    /// Completes a TLS handshake on a TCP connection.
    ///
    /// # Errors
    /// An error of the connection, or of TLS: then its inner error is a [`rustls::Error`].
    pub(super) async fn connect(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let session = UnbufferedClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut stream = Self {
            tcp,
            session,
            incoming: Vec::new(),
            plaintext: BytesMut::new(),
            outgoing: BytesMut::new(),
            closed: false,
        };
        poll_fn(|cx| stream.poll_handshake(cx)).await?;
        stream.release_buffers();
        Ok(stream)
    }

    /// The TCP connection.
    pub(super) const fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Frees the memory of empty buffers.
    pub(super) fn release_buffers(&mut self) {
        if self.incoming.is_empty() {
            self.incoming = Vec::new();
        }
        for buffer in [&mut self.plaintext, &mut self.outgoing] {
            if buffer.is_empty() {
                *buffer = BytesMut::new();
            }
        }
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let progress = match self.process(None) {
                Ok(progress) => progress,
                Err(error) => {
                    // An alert, which tells the peer the cause. It is optional.
                    let _unsent = self.poll_send(cx);
                    return Poll::Ready(Err(error));
                }
            };
            ready!(self.poll_send(cx))?;
            match progress {
                Progress::Ready => return Poll::Ready(Ok(())),
                Progress::Handshake => ready!(self.poll_receive(cx))?,
                Progress::Ended => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            }
        }
    }

    /// Processes the received bytes: decrypts data, and appends to `outgoing` what the session sends. Then encrypts
    /// `message`.
    ///
    /// # Errors
    /// The error of TLS. The session has ended, and its alert is in `outgoing`.
    fn process(&mut self, mut message: Option<&[u8]>) -> io::Result<Progress> {
        let outgoing = &mut self.outgoing;
        self.plaintext.reserve(self.incoming.len());
        let (mut processed, mut error) = (0, None);
        let progress = loop {
            let records = self.incoming.get_mut(processed..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.session.process_tls_records(records);
            let progress = match state {
                Ok(ConnectionState::ReadTraffic(mut records)) => {
                    while let Some(record) = records.next_record() {
                        let record = record.map_err(invalid)?;
                        discard += record.discard;
                        self.plaintext.extend_from_slice(record.payload);
                    }
                    None
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(outgoing, |to| data.encode(to))?;
                    None
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    None
                }
                Ok(ConnectionState::WriteTraffic(mut session)) => match message.take() {
                    Some(message) => {
                        append(outgoing, |to| session.encrypt(message, to))?;
                        None
                    }
                    None => Some(Ok(Progress::Ready)),
                },
                Ok(ConnectionState::BlockedHandshake) => Some(Ok(Progress::Handshake)),
                Ok(ConnectionState::PeerClosed) => {
                    self.closed = true;
                    None
                }
                Ok(ConnectionState::Closed) => Some(Ok(Progress::Ended)),
                Ok(state) => Some(Err(io::Error::other(format!("unexpected {state:?}")))),
                // The session reports the error again when it has encoded its alert.
                Err(first) if error.is_none() => {
                    error = Some(first);
                    None
                }
                Err(again) => Some(Err(invalid(error.take().unwrap_or(again)))),
            };
            processed += discard;
            if let Some(progress) = progress {
                break progress;
            }
        };
        self.incoming.drain(..processed.min(self.incoming.len()));
        progress
    }

    /// Receives bytes from the peer, at least one.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.incoming.len() > MAX_INCOMING {
            return Poll::Ready(Err(io::Error::other("a TLS message is too large")));
        }
        self.incoming.reserve(READ_SIZE);
        let tcp = Pin::new(&mut self.tcp);
        match ready!(poll_read_buf(tcp, cx, &mut self.incoming))? {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Sends `outgoing`.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let tcp = Pin::new(&mut self.tcp);
            if ready!(poll_write_buf(tcp, cx, &mut self.outgoing))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.plaintext.is_empty() && !this.closed {
            ready!(this.poll_receive(cx))?;
            let processed = this.process(None);
            // Such as the response to a change of keys; the next write sends the rest.
            let _pending = this.poll_send(cx)?;
            processed?;
        }
        let length = buffer.remaining().min(this.plaintext.len());
        buffer.put_slice(&this.plaintext.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // `outgoing` does not grow while the peer receives nothing.
        ready!(this.poll_send(cx))?;
        let (message, _) = message.split_at(message.len().min(MAX_PLAINTEXT));
        if this.process(Some(message))? != Progress::Ready {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let _pending = this.poll_send(cx)?;
        Poll::Ready(Ok(message.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

/// Why a session could not write into a buffer.
enum Unwritten {
    /// It needs this many bytes.
    Required(usize),
    /// Another error.
    Failed(&'static str),
}

impl From<EncodeError> for Unwritten {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Self::Required(required_size)
            }
            EncodeError::AlreadyEncoded => Self::Failed("TLS data was encoded twice"),
        }
    }
}

impl From<EncryptError> for Unwritten {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Self::Required(required_size)
            }
            EncryptError::EncryptExhausted => Self::Failed("the keys of TLS are exhausted"),
        }
    }
}

/// Appends what `write` writes. It is called first without space, to learn the size.
fn append<E: Into<Unwritten>>(
    buffer: &mut BytesMut,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> io::Result<()> {
    let start = buffer.len();
    loop {
        let space = buffer.get_mut(start..).unwrap_or_default();
        match write(space).map_err(Into::into) {
            Ok(length) => {
                buffer.truncate(start + length);
                return Ok(());
            }
            Err(Unwritten::Required(size)) if size > buffer.len() - start => {
                buffer.resize(start + size, 0);
            }
            Err(Unwritten::Required(_)) => {
                return Err(io::Error::other("TLS data has no definite size"));
            }
            Err(Unwritten::Failed(cause)) => return Err(io::Error::other(cause)),
        }
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
