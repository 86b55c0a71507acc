//! Proxies, compared with kubectl.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::tls::{base64, serve};
use super::{VITALS, caller, connects_as_kubectl, write_kubeconfig};
use crate::api::Api;

/// A proxy that connects to one server, whatever the request, and records the requests.
struct Proxy {
    port: u16,
    /// HTTP: the lines of the request. SOCKS: the address and the login.
    requests: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Copy)]
enum Kind {
    Http,
    /// The requests for a server without TLS.
    Forward,
    Socks,
}

impl Proxy {
    fn start(kind: Kind, server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        // The thread ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&log);
                std::thread::spawn(move || {
                    let request = match kind {
                        Kind::Forward => return forward(&client, server, &log),
                        Kind::Http => connect(&client),
                        Kind::Socks => socks(&client),
                    };
                    log.lock().unwrap().push(request?);
                    join(&client, &TcpStream::connect(("127.0.0.1", server)).ok()?)
                });
            }
        });
        Self { port, requests }
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

/// The head of a request or a response, as lines.
fn head(mut stream: &TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// Forwards requests one after the other, without the headers for the proxy.
fn forward(mut client: &TcpStream, server: u16, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut onward = TcpStream::connect(("127.0.0.1", server)).ok()?;
    loop {
        let head_ = head(client)?;
        let is_ours = |line: &&str| line.to_lowercase().starts_with("proxy-");
        let first = head_.lines().next()?;
        let login: String = head_
            .lines()
            .filter(is_ours)
            .map(|line| format!("; {line}"))
            .collect();
        log.lock().unwrap().push(format!("{first}{login}"));
        let (method, target) = first.split_once(' ')?;
        let path = target.splitn(4, '/').nth(3)?;
        let rest: String = head_
            .lines()
            .skip(1)
            .filter(|line| !is_ours(line))
            .map(|line| format!("{line}\r\n"))
            .collect();
        onward
            .write_all(format!("{method} /{path}\r\n{rest}").as_bytes())
            .ok()?;
        let response = head(&onward)?;
        let length = response
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))?;
        let mut body = vec![0; length.parse().ok()?];
        onward.read_exact(&mut body).ok()?;
        client
            .write_all(&[response.as_bytes(), &body].concat())
            .ok()?;
    }
}

fn connect(mut client: &TcpStream) -> Option<String> {
    let head = head(client)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let lines = head.lines().filter(|line| {
        line.starts_with("CONNECT") || line.to_lowercase().starts_with("proxy-authorization")
    });
    Some(lines.collect::<Vec<_>>().join("; "))
}

/// SOCKS5 (RFC 1928), with a login (RFC 1929) if the client offers one.
fn socks(stream: &TcpStream) -> Option<String> {
    let mut client = stream;
    let read = |length: usize| {
        let mut bytes = vec![0; length];
        let mut stream = stream;
        stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    };
    let methods = read(2)?;
    let methods = read(methods[1].into())?;
    let mut login = String::new();
    if methods.contains(&2) {
        client.write_all(&[5, 2]).ok()?;
        let user = read(2)?;
        let user = read(user[1].into())?;
        let password = read(1)?;
        let password = read(password[0].into())?;
        login = format!(
            " as {}:{}",
            String::from_utf8_lossy(&user),
            String::from_utf8_lossy(&password)
        );
        client.write_all(&[1, 0]).ok()?;
    } else {
        client.write_all(&[5, 0]).ok()?;
    }
    let head = read(4)?;
    let host = match head[3] {
        1 => read(4)?
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("."),
        3 => {
            let length = read(1)?;
            String::from_utf8_lossy(&read(length[0].into())?).into_owned()
        }
        _ => return None,
    };
    let port = read(2)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    let port = u16::from_be_bytes([port[0], port[1]]);
    Some(format!("{host}:{port}{login}"))
}

fn join(client: &TcpStream, server: &TcpStream) -> Option<()> {
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    let upward = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    upward.join().ok()
}

/// A server whose kubeconfig names a host other than this machine.
fn far(proxy_url: &str) -> Api {
    let api = serve("server");
    let cluster = format!(
        "server: https://real.example:6443\ncertificate-authority-data: {}\n{proxy_url}",
        base64("server-ca.crt")
    );
    write_kubeconfig(&api, &cluster, "token: t");
    api
}

fn rewrite(api: &Api, proxy_url: &str) {
    let cluster = format!(
        "server: https://real.example:6443\ncertificate-authority-data: {}\nproxy-url: {proxy_url}",
        base64("server-ca.crt")
    );
    write_kubeconfig(api, &cluster, "token: t");
}

#[test]
fn the_environments_proxy() {
    let api = far("");
    let proxy = Proxy::start(Kind::Http, api.port);
    let socks = Proxy::start(Kind::Socks, api.port);
    let http = format!("http://127.0.0.1:{}", proxy.port);
    let with_login = format!("http://bob:s3cr%40t@127.0.0.1:{}", proxy.port);
    let bare = format!("127.0.0.1:{}", proxy.port);
    let socks_url = format!("socks5://127.0.0.1:{}", socks.port);
    for (name, url, expected) in [
        ("HTTPS_PROXY", &http, "CONNECT real.example:6443 HTTP/1.1"),
        ("https_proxy", &http, "CONNECT real.example:6443 HTTP/1.1"),
        ("HTTPS_PROXY", &bare, "CONNECT real.example:6443 HTTP/1.1"),
        (
            "HTTPS_PROXY",
            &with_login,
            "CONNECT real.example:6443 HTTP/1.1; proxy-authorization: Basic Ym9iOnMzY3JAdA==",
        ),
        ("HTTPS_PROXY", &socks_url, "real.example:6443"),
    ] {
        connects_as_kubectl(&api, url, &[(name, url)]);
        let seen = [proxy.requests(), socks.requests()].concat();
        assert!(!seen.is_empty());
        for line in seen {
            let line = line.replace("Proxy-Authorization", "proxy-authorization");
            assert_eq!(line, expected, "{name}={url}");
        }
    }
}

#[test]
fn the_clusters_own_proxy() {
    let api = far("");
    let proxy = Proxy::start(Kind::Http, api.port);
    let socks = Proxy::start(Kind::Socks, api.port);
    rewrite(&api, &format!("http://127.0.0.1:{}", proxy.port));
    // It is used regardless of the environment.
    let environment = [("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "*")];
    connects_as_kubectl(&api, "proxy-url", &environment);
    assert!(!proxy.requests().is_empty());
    rewrite(&api, &format!("socks5://bob:pw@127.0.0.1:{}", socks.port));
    connects_as_kubectl(&api, "proxy-url", &[]);
    let requests = socks.requests();
    assert!(
        requests
            .iter()
            .all(|line| line == "real.example:6443 as bob:pw")
            && !requests.is_empty(),
        "{requests:?}"
    );
}

#[test]
fn the_environments_proxy_never_applies_to_this_machine() {
    let api = serve("server");
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority-data: {}",
        api.port,
        base64("server-ca.crt")
    );
    write_kubeconfig(&api, &cluster, "token: t");
    connects_as_kubectl(&api, "loopback", &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
}

#[test]
fn no_error_has_the_password_of_a_proxy() {
    let api = far("");
    for url in [
        "http://bob:hunter2@127.0.0.1:1",
        "socks5://bob:hunter2@127.0.0.1:1",
        "ftp://bob:hunter2@127.0.0.1:1",
        "http://bob:hunter2@",
        "bob:hunter2@127.0.0.1:1",
    ] {
        rewrite(&api, url);
        let (said, _) = caller(&api, VITALS, &[]);
        assert_eq!(said.code, Some(1), "{url}");
        assert!(
            !said.err.contains("hunter2") && !said.err.is_empty(),
            "{}",
            said.err
        );
        let (said, _) = caller(&far(""), VITALS, &[("HTTPS_PROXY", url)]);
        assert!(
            !said.err.contains("hunter2") && !said.err.is_empty(),
            "{}",
            said.err
        );
    }
}

/// As in Go's client, `CONNECT` is for TLS only.
#[test]
fn requests_without_tls_are_forwarded_by_the_proxy() {
    let api = Api::serve(crate::world::generated(5, 3, 3));
    let http = Proxy::start(Kind::Forward, api.port);
    let socks = Proxy::start(Kind::Socks, api.port);
    let address = format!("http://127.0.0.1:{}", http.port);
    let with_login = format!("http://bob:s3cr%40t@127.0.0.1:{}", http.port);
    let login = "; proxy-authorization: Basic Ym9iOnMzY3JAdA==";
    let named = |url: &str| format!("\nproxy-url: {url}");
    for (cluster, environment, login) in [
        (String::new(), &[("HTTP_PROXY", address.as_str())][..], ""),
        (String::new(), &[("http_proxy", with_login.as_str())], login),
        // The environment has another proxy for TLS.
        (
            String::new(),
            &[
                ("HTTP_PROXY", address.as_str()),
                ("HTTPS_PROXY", "http://127.0.0.1:1"),
            ],
            "",
        ),
        (named(&address), &[("NO_PROXY", "*")], ""),
        (named(&with_login), &[], login),
    ] {
        let cluster = format!("server: http://real.example:8080{cluster}");
        write_kubeconfig(&api, &cluster, "token: t");
        connects_as_kubectl(&api, &cluster, environment);
        let requests = http.requests();
        assert!(!requests.is_empty(), "{cluster} {environment:?}");
        for line in requests {
            let line = line.replace("Proxy-Authorization", "proxy-authorization");
            assert!(
                line.starts_with("GET http://real.example:8080/")
                    && line.ends_with(&format!(" HTTP/1.1{login}")),
                "{cluster} {environment:?}: {line}"
            );
        }
    }
    let cluster = "server: http://real.example:8080\nproxy-url: ";
    write_kubeconfig(
        &api,
        &format!("{cluster}socks5://127.0.0.1:{}", socks.port),
        "token: t",
    );
    connects_as_kubectl(&api, "socks5", &[]);
    assert!(
        socks
            .requests()
            .iter()
            .all(|line| line == "real.example:8080")
    );
    // A request to an exempt server does not use the proxy.
    for (url, exempt) in [
        ("http://127.0.0.1:1", "real.example"),
        ("http://127.0.0.1:1", ".example:8080"),
    ] {
        write_kubeconfig(&api, "server: http://real.example:8080", "token: t");
        let (said, _) = caller(&api, VITALS, &[("HTTP_PROXY", url), ("NO_PROXY", exempt)]);
        assert!(
            said.err.contains("no such host") || said.err.contains("lookup"),
            "{}",
            said.err
        );
    }
}
