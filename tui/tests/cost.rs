//! What a frame costs, counted by the allocator: it follows from what is on the screen, not from how many pods there are;
//! and what a pod takes.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "clippy's exemption for tests does not reach the functions that they share, of which this uses a part"
)]

#[path = "it/shop.rs"]
mod shop;

use kubevitals::input::KeyMap;
use kubevitals::model::{Action, Message, SourceKind, State, View, act, refresh, tell};
use kubevitals::view;
use kubevitals::view::theme::{Depth, Ground, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use shop::Shop;
use tikv_jemalloc_ctl::thread;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const COLUMNS: u16 = 160;
const ROWS: u16 = 50;

/// Pods of a small cluster, and of one that is twelve times as large. Of both there are more rows than are looked at to
/// tell how wide a column must be.
const PODS: [usize; 2] = [600, 7_200];

/// What this thread has allocated, and what of it is in use: bytes.
fn allocated() -> (u64, u64) {
    let allocated = thread::allocatedp::read().unwrap().get();
    let freed = thread::deallocatedp::read().unwrap().get();
    (allocated, allocated - freed)
}

fn state(pods: usize) -> State {
    let shop = Shop {
        nodes: pods / 30,
        pods_per_node: 30,
    };
    let mut state = shop.state(State::default(), SourceKind::Vitals);
    act(&mut state, Action::Resize(COLUMNS, ROWS));
    state
}

fn draw(state: &mut State, buffer: &mut Buffer) {
    refresh(state);
    buffer.reset();
    let theme = Theme::new(Depth::Indexed, Ground::Dark, false);
    let _drawn = view::draw(state, &theme, &KeyMap::default(), buffer);
}

/// What is allocated from a change to the frame that shows it, by views in which a list is.
fn costs(pods: usize, change: impl Fn(&mut State)) -> Vec<(View, u64)> {
    let mut state = state(pods);
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    let views = [View::Pods, View::Containers];
    let cost = |view| {
        act(&mut state, Action::Show(view));
        draw(&mut state, &mut buffer);
        let (before, _) = allocated();
        change(&mut state);
        draw(&mut state, &mut buffer);
        (view, allocated().0 - before)
    };
    views.into_iter().map(cost).collect()
}

fn assert_alike(what: &str, change: impl Fn(&mut State)) {
    let [few, many] = PODS.map(|pods| costs(pods, &change));
    for ((view, few), (_, many)) in few.into_iter().zip(many) {
        // Longer names make longer texts.
        assert!(
            many < few + few / 4,
            "{what}, {view:?}: {few} bytes of {} pods, {many} of {}",
            PODS[0],
            PODS[1]
        );
    }
}

#[test]
fn a_frame_costs_what_is_on_the_screen() {
    assert_alike("a tick", |state| {
        let now = state.now.plus_nanos(1_000_000_000);
        tell(state, Message::Tick(now));
    });
    assert_alike("the cursor moves", |state| {
        act(state, Action::Move(1));
    });
    assert_alike("the help is opened", |state| {
        act(state, Action::Help);
    });
}

#[test]
fn a_pod_takes_little_room() {
    let (_, before) = allocated();
    let held = state(PODS[1]);
    let (_, after) = allocated();
    let each = (after - before) / u64::try_from(held.live.pods.len()).unwrap();
    // A row, its containers, its name, its hour of readings and its place in both tables.
    assert!(each < 3_000, "{each} bytes");
}
