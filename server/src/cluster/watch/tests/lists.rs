//! Tests of the requests that a reflector sends, and of the responses that it reads.

use super::*;

/// Responds to an API server's client that lists in pages.
fn in_pages(request: &LoggedRequest) -> TestResponse {
    match request.is_watch() {
        true => frames(&changes()),
        false => page(&["a", "b"], "7", ""),
    }
}

/// A server that lists one object, and responds to its watches by their number, from 1.
fn server_with_watches(response: fn(u32) -> TestResponse) -> Server {
    let mut watches = 0;
    Server::new(move |request| {
        if !request.is_watch() {
            return page(&["a"], "7", "");
        }
        watches += 1;
        response(watches)
    })
}

#[tokio::test(start_paused = true)]
async fn every_form_of_list_gives_the_same_objects() {
    let with_watch_list: Script = |_| frames(&[watch_list(&["a", "b"], 7), changes()].concat());
    let in_json: Script = |_| lines(&[watch_list(&["a", "b"], 7), changes()].concat());
    let refused: Script = |request| match request {
        _ if request.is_watch_list() => TestResponse::refusal(422),
        _ => in_pages(request),
    };
    let bad_request: Script = |request| match request {
        _ if request.is_watch_list() => TestResponse::refusal(400),
        _ if request.follows("x") => page(&["b"], "7", ""),
        _ if !request.is_watch() => page(&["a"], "7", "x"),
        _ => in_pages(request),
    };
    // Before 1.27, an API server does not know the option and never marks the end of the list.
    let without_watch_list: Script = |request| match request {
        _ if request.is_watch_list() => {
            frames(&[("ADDED", pod("a", 3)), ("ADDED", pod("gone", 3))])
        }
        _ => in_pages(request),
    };
    let last_page: Script = |request| match request {
        _ if request.is_watch_list() => frames(&[("ADDED", pod("a", 3))]).with_end(End::Good),
        _ => in_pages(request),
    };
    let stale: Script = |request| match request {
        _ if request.is_watch_list() => TestResponse::refusal(504),
        _ => in_pages(request),
    };
    let without_protobuf: Script = |request| match request {
        _ if request.is_watch_list() => TestResponse::refusal(422),
        _ if !request.is_json_only() && !request.is_watch() => TestResponse::refusal(406),
        _ if request.is_watch() => lines(&changes()),
        _ if request.follows("x") => json_page(&["b"], "7", ""),
        _ => json_page(&["a"], "7", "x"),
    };
    // A proxy that ignores the Accept header.
    let json_anyway: Script = |request| match request {
        _ if request.is_watch_list() => TestResponse::refusal(422),
        _ if request.is_watch() => lines(&changes()),
        _ => json_page(&["a", "b"], "7", ""),
    };
    let garbled: Script = |request| match request {
        _ if request.is_watch_list() => TestResponse::refusal(422),
        _ if request.is_watch() => lines(&changes()),
        _ if request.is_json_only() => json_page(&["a", "b"], "7", ""),
        _ => TestResponse::new(
            PROTOBUF,
            &b"k8s\0\x12\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        ),
    };
    for (name, script, requests) in [
        ("WatchList in protobuf", with_watch_list, 1),
        ("WatchList in JSON", in_json, 1),
        ("422", refused, 3),
        ("400, two pages", bad_request, 4),
        ("no end of the list", without_watch_list, 3),
        ("a watch that ends", last_page, 3),
        ("504", stale, 3),
        ("406, two pages", without_protobuf, 5),
        ("JSON anyway", json_anyway, 4),
        ("garbled protobuf", garbled, 4),
    ] {
        for size in [1, 7, 1 << 20] {
            let server = Server::new(move |request| script(request).in_chunks_of(size));
            let (objects, failures) = follow_to(&server, true, 3).await;
            assert_eq!(objects, names(&["b", "c"]), "{name}");
            assert!(failures.is_empty(), "{name}: {failures:?}");
            let sent = server.requests();
            assert_eq!(sent.len(), requests, "{name}: {sent:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_first_list_reads_the_cache() {
    let server = server_with_watches(|watch| match watch {
        1 => TestResponse::refusal(410),
        _ => frames(&[("ADDED", pod("b", 8))]),
    });
    let (_, failures) = follow_to(&server, false, 3).await;
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].failure.kind(), Kind::Expired);
    let requests = server.requests();
    let lists: Vec<&LoggedRequest> = requests.iter().filter(|it| !it.is_watch()).collect();
    let cached = "resourceVersion=0&resourceVersionMatch=NotOlderThan";
    assert!(lists[0].uri.contains(cached), "{lists:?}");
    assert!(!lists[1].uri.contains("resourceVersion"), "{lists:?}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_list_starts_again() {
    let part = |bytes| page(&["old", "older"], "3", "").cut(bytes);
    for (name, trouble) in [
        ("410", TestResponse::refusal(410)),
        ("500", TestResponse::refusal(500)),
        ("a cut connection", part(60).with_end(End::Broken)),
        ("an end in an object", part(60)),
        ("an end in the head", part(5)),
        ("silence", part(60).with_end(End::Never)),
    ] {
        let mut trouble = Some(trouble);
        let server = Server::new(move |request| match request {
            _ if request.is_watch() => frames(&[]),
            _ if request.follows("x") => trouble.take().unwrap_or_else(|| page(&["b"], "7", "")),
            _ => page(&["a"], "7", "x"),
        });
        let (objects, failures) = follow_to(&server, false, 1).await;
        assert_eq!(objects, names(&["a", "b"]), "{name}");
        assert_eq!(failures.len(), 1, "{name}: {failures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_api_server_times_out() {
    let mut first = true;
    let server = Server::new(move |request| {
        let mut answer = page(&["a"], "7", "");
        if std::mem::take(&mut first) {
            answer = answer.cut(18).with_end(End::Never);
        }
        if request.is_watch() {
            frames(&[])
        } else {
            answer
        }
    });
    let (objects, failures) = follow_to(&server, false, 1).await;
    assert_eq!(objects, names(&["a"]));
    assert_eq!(
        failures[0].failure.to_string(),
        "the API server sent nothing for 1m0s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_denied_watch_is_retried_with_backoff() {
    for initial in [true, false] {
        let server = Server::new(move |request| match request.after.as_secs() {
            0..2000 => TestResponse::refusal(403),
            _ if request.is_watch_list() => frames(&watch_list(&["a"], 7)),
            _ if request.is_watch() => TestResponse::refusal(403),
            _ => page(&["a"], "7", ""),
        });
        let (_, failures) = follow_to(&server, initial, 1).await;
        let requests = server.requests();
        let after: Vec<u64> = requests.iter().map(|it| it.after.as_secs()).collect();
        assert_eq!(
            after,
            [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1622, 2222]
        );
        assert!(failures.iter().all(|it| it.failure.kind() == Kind::Denied));
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_resets_the_delays() {
    let (mut lists, mut watches) = (0, 0);
    let server = Server::new(move |request| {
        let count = if request.is_watch() {
            &mut watches
        } else {
            &mut lists
        };
        *count += 1;
        match (request.is_watch(), *count) {
            (false, 1..=3) | (true, 1..=2) => TestResponse::refusal(403),
            (false, _) => page(&["a"], "7", ""),
            (true, _) => frames(&[("ADDED", pod("b", 8))]),
        }
    });
    let (objects, failures) = follow_to(&server, false, 2).await;
    assert_eq!(objects, names(&["a", "b"]));
    let delays: Vec<u64> = failures.iter().map(|it| it.retry_in.as_secs()).collect();
    assert_eq!(delays, [2, 4, 8, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_resumes_without_a_hot_loop() {
    // The first watch sends an event and ends, which is no failure. The second is cut. The third and fourth end at once.
    let server = server_with_watches(|watch| match watch {
        1 => frames(&[("ADDED", pod("b", 8))]).with_end(End::Good),
        2 => frames(&[("ADDED", pod("c", 9))]).with_end(End::Broken),
        3 | 4 => frames(&[]).with_end(End::Good),
        _ => frames(&[("ADDED", pod("d", 12))]),
    });
    let (objects, failures) = follow_to(&server, false, 4).await;
    assert_eq!(objects, names(&["a", "b", "c", "d"]));
    let delays: Vec<u128> = failures.iter().map(|it| it.retry_in.as_millis()).collect();
    assert_eq!(delays, [800, 1600]);
    let versions: Vec<bool> = [7, 8, 9, 9, 9]
        .iter()
        .zip(server.requests().iter().filter(|it| it.is_watch()))
        .map(|(version, request)| request.uri.contains(&format!("resourceVersion={version}")))
        .collect();
    assert_eq!(versions, [true; 5], "{:?}", server.requests());
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_version_leads_to_a_list() {
    let too_large = || {
        let status = json!({"kind": "Status", "message": "Too large resource version: 7, current: 3", "code": 504});
        TestResponse {
            code: 504,
            ..TestResponse::new(JSON, status.to_string())
        }
    };
    let error = || {
        let status = json!({"kind": "Status", "apiVersion": "v1", "message": "too old resource version", "code": 410});
        frames(&[("ERROR", status)])
    };
    let json_error = || {
        let status = json!({"kind": "Status", "message": "too old resource version", "code": 410});
        lines(&[("ERROR", status)])
    };
    let expired = TestResponse::refusal(410);
    for refusal in [too_large(), expired, error(), json_error()] {
        let mut refusal = Some(refusal);
        let server = Server::new(move |request| match request {
            _ if request.is_watch_list() => frames(&watch_list(&["a"], 7)).with_end(End::Good),
            _ => refusal.take().unwrap_or_else(|| frames(&[])),
        });
        let (_, failures) = follow_to(&server, true, 2).await;
        assert_eq!(failures.len(), 1, "{failures:?}");
        let requests = server.requests();
        let lists = requests.iter().filter(|it| it.is_watch_list());
        assert_eq!(lists.count(), 2, "{requests:?}");
    }
}
