//! Listening.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted; the system may allow less.
const BACKLOG: u32 = 4096;

/// Listens on `address`. Everywhere means everywhere: `0.0.0.0`, the default, takes IPv6 too where the machine has
/// it, as Go's listeners do. With `share_port` other processes that want it too may listen on the same port.
///
/// # Errors
/// What the operating system says.
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
    // As Go's listeners do unasked: --permit-address-sharing has nothing to add.
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
    async fn a_port_is_shared_only_if_both_want_it() {
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
