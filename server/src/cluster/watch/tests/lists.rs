//! Which lists and watches are asked for, and what becomes of their answers.

use super::*;

#[tokio::test(start_paused = true)]
async fn every_api_server_is_asked_for_the_best_it_has_and_gives_the_same() {
    let with_watch_list: Play = |_| frames(&[watch_list(&["a", "b"], 7), changes()].concat());
    let in_json: Play = |_| lines(&[watch_list(&["a", "b"], 7), changes()].concat());
    let refused: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let bad_request: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(400),
        _ if asked.is_watch() => frames(&changes()),
        _ if asked.follows("x") => page(&["b"], "7", ""),
        _ => page(&["a"], "7", "x"),
    };
    // Before 1.27, an API server does not know the parameter and never says where the list ends.
    let ignorant: Play = |asked| match asked {
        _ if asked.is_watch_list() => frames(&[("ADDED", pod("a", 3)), ("ADDED", pod("gone", 3))]),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let ends: Play = |asked| match asked {
        _ if asked.is_watch_list() => frames(&[("ADDED", pod("a", 3))]).ending(End::Good),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let stale: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(504),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let without_protobuf: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if !asked.is_json_only() && !asked.is_watch() => Answer::refusal(406),
        _ if asked.is_watch() => lines(&changes()),
        _ if asked.follows("x") => json_page(&["b"], "7", ""),
        _ => json_page(&["a"], "7", "x"),
    };
    // Something on the way takes no notice of what is asked for.
    let json_anyway: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if asked.is_watch() => lines(&changes()),
        _ => json_page(&["a", "b"], "7", ""),
    };
    let garbled: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if asked.is_watch() => lines(&changes()),
        _ if asked.is_json_only() => json_page(&["a", "b"], "7", ""),
        _ => Answer::new(
            PROTOBUF,
            &b"k8s\0\x12\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        ),
    };
    for (name, play, requests) in [
        ("WatchList in protobuf", with_watch_list, 1),
        ("WatchList in JSON", in_json, 1),
        ("422", refused, 3),
        ("400, two pages", bad_request, 4),
        ("no end of the list", ignorant, 3),
        ("a watch that ends", ends, 3),
        ("504", stale, 3),
        ("406, two pages", without_protobuf, 5),
        ("JSON anyway", json_anyway, 4),
        ("garbled protobuf", garbled, 4),
    ] {
        for size in [1, 7, 1 << 20] {
            let server = Server::new(move |asked| play(asked).in_pieces_of(size));
            let (known, failures) = known(&server, true, 3).await;
            assert_eq!(known, names(&["b", "c"]), "{name}");
            assert!(failures.is_empty(), "{name}: {failures:?}");
            assert_eq!(
                server.asked().len(),
                requests,
                "{name}: {:?}",
                server.asked()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_to_the_cache_once_and_later_to_the_most_recent_state() {
    let mut watches = 0;
    let server = Server::new(move |asked| {
        if !asked.is_watch() {
            return page(&["a"], "7", "");
        }
        watches += 1;
        match watches {
            1 => Answer::refusal(410),
            _ => frames(&[("ADDED", pod("b", 8))]),
        }
    });
    let (_, failures) = known(&server, false, 3).await;
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].failure.kind(), Kind::Expired);
    let asked = server.asked();
    let lists: Vec<&Asked> = asked.iter().filter(|it| !it.is_watch()).collect();
    assert!(
        lists[0]
            .uri
            .contains("resourceVersion=0&resourceVersionMatch=NotOlderThan"),
        "{lists:?}"
    );
    assert!(!lists[1].uri.contains("resourceVersion"), "{lists:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_or_expires_in_the_midst_is_begun_anew_and_nothing_of_it_remains() {
    for (name, trouble) in [
        ("410", Answer::refusal(410)),
        ("500", Answer::refusal(500)),
        (
            "a cut connection",
            page(&["old", "older"], "3", "").cut(60).ending(End::Broken),
        ),
        (
            "an end in an object",
            page(&["old", "older"], "3", "").cut(60),
        ),
        (
            "an end in the head",
            page(&["old", "older"], "3", "").cut(5),
        ),
        (
            "silence",
            page(&["old", "older"], "3", "").cut(60).ending(End::Never),
        ),
    ] {
        let mut trouble = Some(trouble);
        let server = Server::new(move |asked| match asked {
            _ if asked.is_watch() => frames(&[]),
            _ if asked.follows("x") => trouble.take().unwrap_or_else(|| page(&["b"], "7", "")),
            _ => page(&["a"], "7", "x"),
        });
        let (known, failures) = known(&server, false, 1).await;
        assert_eq!(known, names(&["a", "b"]), "{name}");
        assert_eq!(failures.len(), 1, "{name}: {failures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_says_nothing_is_given_up() {
    let mut first = true;
    let server = Server::new(move |asked| {
        let mut answer = page(&["a"], "7", "");
        if std::mem::take(&mut first) {
            answer = answer.cut(18).ending(End::Never);
        }
        if asked.is_watch() {
            frames(&[])
        } else {
            answer
        }
    });
    let (known, failures) = known(&server, false, 1).await;
    assert_eq!(known, names(&["a"]));
    assert_eq!(
        failures[0].failure.to_string(),
        "the API server sent nothing for 1m0s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_refused_is_asked_again_after_seconds_and_then_minutes() {
    for watch_list in [true, false] {
        let server = Server::new(move |asked| match asked.after.as_secs() {
            0..2000 => Answer::refusal(403),
            _ if asked.is_watch_list() => frames(&watch_list_of_one()),
            _ if asked.is_watch() => Answer::refusal(403),
            _ => page(&["a"], "7", ""),
        });
        let (_, failures) = known(&server, watch_list, 1).await;
        let after: Vec<u64> = server.asked().iter().map(|it| it.after.as_secs()).collect();
        assert_eq!(
            after,
            [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1622, 2222]
        );
        assert!(failures.iter().all(|it| it.failure.kind() == Kind::Denied));
    }
}

fn watch_list_of_one() -> Vec<(&'static str, Value)> {
    watch_list(&["a"], 7)
}

#[tokio::test(start_paused = true)]
async fn after_an_answer_the_delays_begin_anew() {
    let (mut lists, mut watches) = (0, 0);
    let server = Server::new(move |asked| {
        let count = if asked.is_watch() {
            &mut watches
        } else {
            &mut lists
        };
        *count += 1;
        match (asked.is_watch(), *count) {
            (false, 1..=3) | (true, 1..=2) => Answer::refusal(403),
            (false, _) => page(&["a"], "7", ""),
            (true, _) => frames(&[("ADDED", pod("b", 8))]),
        }
    });
    let (known, failures) = known(&server, false, 2).await;
    assert_eq!(known, names(&["a", "b"]));
    let delays: Vec<u64> = failures.iter().map(|it| it.retry_in.as_secs()).collect();
    assert_eq!(delays, [2, 4, 8, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_from_where_it_was_and_never_in_a_hot_loop() {
    let mut watches = 0;
    let server = Server::new(move |asked| {
        if !asked.is_watch() {
            return page(&["a"], "7", "");
        }
        watches += 1;
        match watches {
            // It brings something and ends, which is no failure; then it is cut; then it ends at once, and again.
            1 => frames(&[("ADDED", pod("b", 8))]).ending(End::Good),
            2 => frames(&[("ADDED", pod("c", 9))]).ending(End::Broken),
            3 | 4 => frames(&[]).ending(End::Good),
            _ => frames(&[("ADDED", pod("d", 12))]),
        }
    });
    let (known, failures) = known(&server, false, 4).await;
    assert_eq!(known, names(&["a", "b", "c", "d"]));
    let delays: Vec<u128> = failures.iter().map(|it| it.retry_in.as_millis()).collect();
    assert_eq!(delays, [800, 1600]);
    let versions: Vec<bool> = [7, 8, 9, 9, 9]
        .iter()
        .zip(server.asked().iter().filter(|it| it.is_watch()))
        .map(|(version, asked)| asked.uri.contains(&format!("resourceVersion={version}")))
        .collect();
    assert_eq!(versions, [true; 5], "{:?}", server.asked());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_api_server_does_not_have_leads_to_a_list() {
    let too_large = || {
        let status = json!({"kind": "Status", "message": "Too large resource version: 7, current: 3", "code": 504});
        Answer {
            code: 504,
            ..Answer::new(JSON, status.to_string())
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
    for refusal in [too_large(), Answer::refusal(410), error(), json_error()] {
        let mut refusal = Some(refusal);
        let server = Server::new(move |asked| match asked {
            _ if asked.is_watch_list() => frames(&watch_list(&["a"], 7)).ending(End::Good),
            _ => refusal.take().unwrap_or_else(|| frames(&[])),
        });
        let (_, failures) = known(&server, true, 2).await;
        assert_eq!(failures.len(), 1, "{failures:?}");
        let lists = server
            .asked()
            .iter()
            .filter(|it| it.is_watch_list())
            .count();
        assert_eq!(lists, 2, "{:?}", server.asked());
    }
}
