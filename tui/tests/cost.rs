//! What a frame costs, counted by the allocator: it follows from what is on the screen, not from how many pods there are;
//! what a pod takes; and what another order costs, in bytes and in instructions.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "clippy's exemption for tests does not reach the functions that they share, of which this uses a part"
)]

#[path = "../../server/tests/gates/callgrind.rs"]
mod callgrind;
#[path = "it/shop.rs"]
mod shop;

use kubevitals::input::KeyMap;
use kubevitals::model::{
    Action, Edit, Field, Message, SourceKind, State, View, act, apply, refresh,
};
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

const PODS: usize = 30_000;

/// A frame's texts, among them those that tell how wide columns must be. The keys to sort all pods by would be twice as
/// much.
const MOST: u64 = 512 << 10;

/// What this thread has allocated, and what of it is in use: bytes.
fn allocated() -> (u64, u64) {
    let allocated = thread::allocatedp::read().unwrap().get();
    let freed = thread::deallocatedp::read().unwrap().get();
    // A thread may free what another one has allocated.
    (allocated, allocated.wrapping_sub(freed))
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

#[test]
fn a_frame_costs_what_is_on_the_screen_and_not_what_there_is() {
    type Change = (&'static str, fn(&mut State));
    let changes: [Change; 3] = [
        ("a tick", |state| {
            let now = state.now.plus_nanos(1_000_000_000);
            apply(state, Message::Tick(now));
        }),
        ("the cursor moves", |state| {
            drop(act(state, Action::Move(1)));
        }),
        ("the help is opened and closed", |state| {
            act(state, Action::Help);
            act(state, Action::Back);
        }),
    ];
    let mut state = state(PODS);
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    // The first tick stores what comparisons read of all pods, which happens once in a span.
    let now = state.now.plus_nanos(1_000_000_000);
    apply(&mut state, Message::Tick(now));
    for view in View::SWITCHABLE {
        act(&mut state, Action::Show(view));
        // Pods that want to be looked at are looked for among all, as time passes.
        let most = if view == View::Overview {
            MOST * 4
        } else {
            MOST
        };
        for (what, change) in changes {
            draw(&mut state, &mut buffer);
            let (before, _) = allocated();
            change(&mut state);
            draw(&mut state, &mut buffer);
            let cost = allocated().0 - before;
            assert!(cost < most, "{what}, {view:?}: {cost} bytes");
        }
    }
}

/// Bytes that a change and its frame allocate.
fn cost(state: &mut State, buffer: &mut Buffer, change: impl FnOnce(&mut State)) -> u64 {
    draw(state, buffer);
    let (before, _) = allocated();
    change(state);
    draw(state, buffer);
    allocated().0 - before
}

#[test]
fn an_order_costs_a_few_words_a_row() {
    // The indexes of the rows, and of the selected ones, twice because their number is not known before; an integer and
    // an index to sort by. The texts to sort by are twice as long, and sorted into a copy. An age adds the hashes of
    // names: the rows of another time are selected anew.
    let bounds = [
        (Field::Memory, 36),
        (Field::Age, 48),
        (Field::Name, 100),
        (Field::Node, 90),
    ];
    let mut state = state(PODS);
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    act(&mut state, Action::Show(View::Pods));
    for (field, bound) in bounds {
        let cost = cost(&mut state, &mut buffer, |state| {
            drop(act(state, Action::SortBy(field)));
        });
        let each = cost.saturating_sub(MOST) / u64::try_from(PODS).unwrap();
        assert!(each < bound, "{field:?}: {each} bytes a row, {cost} in all");
    }
}

#[test]
fn a_letter_of_the_filter_costs_a_few_words_a_row() {
    let mut state = state(PODS);
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    act(&mut state, Action::Show(View::Pods));
    act(&mut state, Action::Filter);
    for letter in "web cpu>10m".chars() {
        let cost = cost(&mut state, &mut buffer, |state| {
            drop(act(state, Action::Edit(Edit::Insert(letter.to_string()))));
        });
        let each = cost.saturating_sub(MOST) / u64::try_from(PODS).unwrap();
        assert!(each < 64, "{letter:?}: {each} bytes a row, {cost} in all");
    }
}

/// The pods of a workload that callgrind runs.
const FEWER_PODS: usize = 3_000;

#[test]
#[ignore = "a workload"]
fn another_sort_and_back() {
    let mut state = state(FEWER_PODS);
    act(&mut state, Action::Show(View::Pods));
    for _ in 0..callgrind::units() {
        for field in [Field::Name, Field::Memory] {
            act(&mut state, Action::SortBy(field));
            refresh(&mut state);
        }
    }
}

#[test]
fn another_sort_takes_few_instructions_a_row() {
    let pods = u64::try_from(FEWER_PODS).unwrap();
    callgrind::assert_each("another_sort_and_back", pods, 17_000);
}

#[test]
fn a_pod_row_is_small() {
    let (_, before) = allocated();
    let full = state(PODS);
    let (_, after) = allocated();
    let each = after.wrapping_sub(before) / u64::try_from(full.live.pods.len()).unwrap();
    // A row, its containers, its name, its hour of readings and its place in both tables.
    assert!(each < 3_000, "{each} bytes");
}
