//! A cut connection, and back on the same port.

use crate::harness::{Api, get, within};

#[tokio::test]
async fn a_cut_server_resets_everyone_and_comes_back() {
    let api = Api::start().await;
    let client = api.admin().await;
    assert_eq!(get(&client, "/version").await.code, 200);
    api.server.cut(true);
    let request = || {
        http::Request::get("/version")
            .body(kube::client::Body::empty())
            .unwrap()
    };
    assert!(within(client.send(request())).await.is_err());
    api.server.cut(false);
    assert_eq!(get(&client, "/version").await.code, 200);
}

#[tokio::test]
async fn a_server_that_was_shut_down_lets_go_of_its_port() {
    let api = Api::start().await;
    let addr = api.server.addr();
    let client = api.admin().await;
    assert_eq!(get(&client, "/version").await.code, 200);
    api.server.shutdown();
    within(async {
        while tokio::net::TcpListener::bind(addr).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
