//! The listening socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// The most connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// Listens on `address`. As with Go's listeners, `0.0.0.0` includes IPv6 if the machine has it. With `share_port`,
/// other processes that set it too may listen on the same port.
///
/// # Errors
/// The operating system's error.
pub fn listen(address: SocketAddr, share_port: bool) -> io::Result<TcpListener> {
    if address.ip() == Ipv4Addr::UNSPECIFIED {
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, address.port()));
        if let Ok(listener) = bind(both, share_port) {
            return Ok(listener);
        }
    }
    bind(address, share_port)
}

fn bind(address: SocketAddr, share_port: bool) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // As Go's listeners: --permit-address-sharing changes nothing.
    socket.set_reuseaddr(true)?;
    if share_port {
        socket.set_reuseport(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_is_shared_only_if_both_listeners_share_it() {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        for (first, second, shared) in [
            (true, true, true),
            (true, false, false),
            (false, true, false),
            (false, false, false),
        ] {
            let one = listen(anywhere, first).unwrap();
            let other = listen(one.local_addr().unwrap(), second);
            assert_eq!(other.is_ok(), shared, "{first} {second}");
        }
    }
}
