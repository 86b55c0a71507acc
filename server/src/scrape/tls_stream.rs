//! A TLS connection to a kubelet that has no buffers while it is idle.
//!
//! It drives rustls' unbuffered session, because a buffered session, such as that of tokio-rustls, reads 4 KiB at a
//! time and stores as much between two responses, for each of 5,000 nodes. Here one system call reads a whole response,
//! and [`TlsStream::release_buffers`] frees the memory after it.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::mem;
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

thread_local! {
    /// A free buffer for received bytes. A connection that waits for a response has none.
    static FREE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A TLS connection over TCP, or over another stream in tests.
pub(super) struct TlsStream<S = TcpStream> {
    stream: S,
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

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Completes a TLS handshake on a connection.
    ///
    /// # Errors
    /// An error of the connection, or of TLS: then its inner error is a [`rustls::Error`].
    pub(super) async fn connect(
        stream: S,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let session = UnbufferedClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut tls = Self {
            stream,
            session,
            incoming: Vec::new(),
            plaintext: BytesMut::new(),
            outgoing: BytesMut::new(),
            closed: false,
        };
        poll_fn(|cx| tls.poll_handshake(cx)).await?;
        tls.release_buffers();
        Ok(tls)
    }

    /// The connection below TLS.
    pub(super) const fn stream(&self) -> &S {
        &self.stream
    }

    /// Frees the memory of empty buffers. That of received bytes is free already.
    pub(super) fn release_buffers(&mut self) {
        for buffer in [&mut self.plaintext, &mut self.outgoing] {
            if buffer.is_empty() {
                *buffer = BytesMut::new();
            }
        }
    }

    /// Lets the next connection that receives use the buffer of received bytes, if it is empty.
    fn free_incoming(&mut self) {
        if self.incoming.is_empty() && self.incoming.capacity() > 0 {
            FREE.set(mem::take(&mut self.incoming));
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
        self.free_incoming();
        progress
    }

    /// Receives bytes from the peer, at least one.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.incoming.len() > MAX_INCOMING {
            return Poll::Ready(Err(io::Error::other("a TLS message is too large")));
        }
        if self.incoming.capacity() == 0 {
            self.incoming = FREE.take();
        }
        self.incoming.reserve(READ_SIZE);
        let stream = Pin::new(&mut self.stream);
        let received = poll_read_buf(stream, cx, &mut self.incoming);
        self.free_incoming();
        match ready!(received)? {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Sends `outgoing`.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let stream = Pin::new(&mut self.stream);
            if ready!(poll_write_buf(stream, cx, &mut self.outgoing))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
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

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
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
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::{RootCertStore, ServerConfig};
    use rustls_pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Counts reads and writes that transferred bytes: each is a system call on a socket.
    struct Counting {
        stream: DuplexStream,
        calls: Rc<Cell<(usize, usize)>>,
    }

    impl AsyncRead for Counting {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            let result = ready!(Pin::new(&mut this.stream).poll_read(cx, buffer));
            let (reads, writes) = this.calls.get();
            this.calls.set((reads + 1, writes));
            Poll::Ready(result)
        }
    }

    impl AsyncWrite for Counting {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let this = self.get_mut();
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
            let (reads, writes) = this.calls.get();
            this.calls.set((reads, writes + 1));
            Poll::Ready(written)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().stream).poll_flush(cx)
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
        }
    }

    /// The configurations of a client that trusts a server, and of the server.
    fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
        let _provider = crate::tls::provider();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["node".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        (Arc::new(client), Arc::new(server))
    }

    /// Connects to a server that answers each request of 100 bytes by `response`.
    async fn connect(
        name: &'static str,
        response: Vec<u8>,
    ) -> (io::Result<TlsStream<Counting>>, Rc<Cell<(usize, usize)>>) {
        connect_with(configs(), name, response).await
    }

    async fn connect_with(
        (client, server): (Arc<ClientConfig>, Arc<ServerConfig>),
        name: &'static str,
        response: Vec<u8>,
    ) -> (io::Result<TlsStream<Counting>>, Rc<Cell<(usize, usize)>>) {
        let (stream, peer) = duplex(1 << 20);
        tokio::spawn(async move {
            let mut peer = TlsAcceptor::from(server).accept(peer).await?;
            let mut request = [0; 100];
            while peer.read_exact(&mut request).await.is_ok() {
                peer.write_all(&response).await?;
                peer.flush().await?;
            }
            peer.shutdown().await
        });
        let calls = Rc::default();
        let stream = Counting {
            stream,
            calls: Rc::clone(&calls),
        };
        let name = ServerName::try_from(name).unwrap();
        (TlsStream::connect(stream, client, name).await, calls)
    }

    #[tokio::test]
    async fn a_response_takes_one_write_and_one_read_and_leaves_no_buffer() {
        let response: Vec<u8> = (0..22_000_u32).map(|n| (n % 251) as u8).collect();
        let (stream, calls) = connect("node", response.clone()).await;
        let mut stream = stream.unwrap();
        for turn in 0..3 {
            calls.set((0, 0));
            let mut received = vec![0; response.len()];
            stream.write_all(&[7; 100]).await.unwrap();
            stream.read_exact(&mut received).await.unwrap();
            assert!(received == response, "turn {turn}");
            // The first response comes with the session's tickets.
            assert_eq!(calls.get(), (1, 1), "reads and writes of turn {turn}");
            stream.release_buffers();
            let buffers = [stream.plaintext.capacity(), stream.outgoing.capacity()];
            assert_eq!((stream.incoming.capacity(), buffers), (0, [0, 0]));
        }
        let bytes = size_of::<TlsStream>();
        assert!(bytes <= 1152, "{bytes} bytes for each node");
    }

    #[tokio::test]
    async fn an_idle_connection_takes_little_memory() {
        use tikv_jemalloc_ctl::thread::{allocatedp, deallocatedp};
        let allocated = || allocatedp::read().unwrap().get();
        let in_use = || allocated().wrapping_sub(deallocatedp::read().unwrap().get());
        let (client, server) = configs();
        let shared = (Arc::clone(&client), server);
        let (stream, _) = connect_with(shared, "node", vec![1; 22_000]).await;
        let mut stream = Box::new(stream.unwrap());
        stream.write_all(&[7; 100]).await.unwrap();
        stream.read_exact(&mut [0; 22_000]).await.unwrap();
        stream.release_buffers();
        let before = in_use();
        drop(stream);
        let bytes = before.wrapping_sub(in_use());
        println!("{bytes} bytes for each node");
        assert!(bytes <= 4_800, "{bytes} bytes for each node");
        // All connections share it.
        drop(client);
    }

    #[tokio::test]
    async fn a_message_of_any_size_arrives_whole() {
        for size in [1, 100, 16_383, 16_384, 16_385, 300_000] {
            let response: Vec<u8> = (0..size).map(|n| (n % 253) as u8).collect();
            let (stream, _) = connect("node", response.clone()).await;
            let mut stream = stream.unwrap();
            let mut received = vec![0; response.len()];
            stream.write_all(&[7; 100]).await.unwrap();
            stream.read_exact(&mut received).await.unwrap();
            assert!(received == response, "{size} bytes");
        }
    }

    #[tokio::test]
    async fn the_certificate_of_another_host_is_refused_with_the_error_of_tls() {
        let (stream, _) = connect("other", Vec::new()).await;
        let error = stream.err().unwrap();
        let inner = error.get_ref().unwrap().downcast_ref::<rustls::Error>();
        assert!(
            matches!(inner, Some(rustls::Error::InvalidCertificate(_))),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn the_end_of_the_session_is_the_end_of_the_stream_and_a_cut_is_an_error() {
        let (stream, _) = connect("node", Vec::new()).await;
        let mut stream = stream.unwrap();
        stream.write_all(&[7; 99]).await.unwrap();
        stream.stream.stream.shutdown().await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "close_notify");
        let (client, _) = configs();
        let (stream, peer) = duplex(1024);
        drop(peer);
        let name = ServerName::try_from("node").unwrap();
        let error = TlsStream::connect(stream, client, name).await.err();
        let kind = error.map(|error| error.kind());
        assert!(
            matches!(
                kind,
                Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe)
            ),
            "{kind:?}"
        );
    }
}
