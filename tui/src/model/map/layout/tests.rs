use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::model::amount::Amounts;
use crate::model::map::{Mark, PodCells};
use crate::model::name::{Key, Name};

/// Groups with pods of these numbers of cells; the first is of unscheduled pods.
fn groups(sizes: &[Vec<u32>], has_unscheduled: bool) -> Groups {
    let mut groups = Groups::default();
    for (at, pods) in sizes.iter().enumerate() {
        let begin = groups.cells.len();
        let mut units = 0;
        for cells in pods {
            groups.cells.push(PodCells {
                row: 0,
                start: units,
                mark: Mark::Well,
            });
            units += cells;
        }
        let kind = if at == 0 && has_unscheduled {
            GroupKind::Unscheduled
        } else {
            GroupKind::Alike
        };
        groups.groups.push(Group {
            kind,
            key: Key::named(&Name::from(format!("node-{at}"))),
            node: None,
            pods: begin..groups.cells.len(),
            units,
            running: 0,
            ready: 0,
            mark: Mark::Well,
            usage: Amounts::default(),
            requests: Amounts::default(),
            allocatable: Amounts::default(),
        });
    }
    if has_unscheduled {
        groups.reasons = vec![("no space".into(), 1), ("no volume".into(), 1)];
    }
    groups.worst_first = (0..sizes.len()).rev().collect();
    groups
}

fn any_groups() -> impl Strategy<Value = Groups> {
    let pods = prop::collection::vec(1_u32..12, 0..40);
    let sizes = prop::collection::vec(pods, 0..30);
    (sizes, any::<bool>()).prop_map(|(sizes, unscheduled)| groups(&sizes, unscheduled))
}

fn any_zoom() -> impl Strategy<Value = Zoom> {
    prop::sample::select(&Zoom::ALL[..])
}

/// All objects of a layout.
fn spots(layout: &Layout<'_>) -> Vec<Spot> {
    let groups = layout.groups();
    let mut spots: Vec<Spot> = (0..groups.groups.len()).map(Spot::of_group).collect();
    if layout.zoom != Zoom::Summary {
        for (at, group) in groups.groups.iter().enumerate() {
            spots.extend(group.pods.clone().map(|pod| Spot::of_pod(at, pod)));
        }
    }
    spots
}

proptest! {
    #[test]
    fn boxes_do_not_overlap_and_are_inside(groups in any_groups(), zoom in any_zoom(), width in 1_u16..220, height in 1_u16..60) {
        let layout = Layout::new(&groups, zoom, width, height);
        let places: Vec<Place> = layout.places(0..layout.lines()).collect();
        prop_assert_eq!(places.len(), groups.groups.len());
        let mut taken = HashSet::new();
        for place in places {
            prop_assert_eq!(layout.place(place.group), Some(place));
            prop_assert!(place.x + place.width <= width, "{:?} in {}", place, width);
            prop_assert!(place.line + place.height <= layout.lines());
            for line in place.line..place.line + place.height {
                for x in place.x..place.x + place.width {
                    prop_assert!(taken.insert((x, line)), "{:?}", place);
                }
            }
        }
    }

    #[test]
    fn each_pod_has_its_cells_once(groups in any_groups(), zoom in any_zoom(), width in 8_u16..220) {
        prop_assume!(zoom != Zoom::Summary);
        let layout = Layout::new(&groups, zoom, width, 40);
        let mut cells = vec![0; groups.cells.len()];
        for place in layout.places(0..layout.lines()) {
            let group = layout.group(place.group).unwrap();
            let head = layout.head_of(group);
            let mut taken = HashSet::new();
            for line in 0..place.height - head - 1 {
                for run in layout.runs(place.group, line) {
                    prop_assert!(group.pods.contains(&run.pod));
                    cells[run.pod] += run.count;
                    for cell in run.first..run.first + run.count {
                        let x = layout.column_of(cell);
                        prop_assert!(x + layout.cell < place.width.max(5), "{x} of {}", place.width);
                        prop_assert!(taken.insert((cell, line)));
                        let found = layout.spot_at(place.x + x, place.line + head + line);
                        prop_assert_eq!(found, Some(Spot::of_pod(place.group, run.pod)));
                    }
                }
            }
        }
        for (group, pod) in spots(&layout).iter().filter_map(|spot| Some((spot.group, spot.pod?))) {
            let next = groups.cells.get(pod + 1).filter(|_| groups.groups[group].pods.contains(&(pod + 1)));
            let end = next.map_or(groups.groups[group].units, |next| next.start);
            prop_assert_eq!(cells[pod], end - groups.cells[pod].start);
        }
    }

    #[test]
    fn objects_are_found_where_they_are(groups in any_groups(), zoom in any_zoom(), width in 8_u16..220, height in 1_u16..60) {
        let layout = Layout::new(&groups, zoom, width, height);
        for spot in spots(&layout) {
            let (x, line) = layout.position(spot).unwrap();
            prop_assert_eq!(layout.spot_at(x, line), Some(spot));
            prop_assert_eq!(layout.nearest(x, line), Some(spot));
        }
    }

    #[test]
    fn each_step_goes_in_its_direction(groups in any_groups(), zoom in any_zoom(), width in 8_u16..220, height in 1_u16..60) {
        let layout = Layout::new(&groups, zoom, width, height);
        let all: HashSet<Spot> = spots(&layout).into_iter().collect();
        for spot in &all {
            let (x, line) = layout.position(*spot).unwrap();
            for direction in [Direction::Up, Direction::Down, Direction::Left, Direction::Right] {
                let next = layout.step(*spot, direction);
                prop_assert!(all.contains(&next));
                if next == *spot {
                    continue;
                }
                let to = layout.position(next).unwrap();
                let is_right = match direction {
                    Direction::Up => to.1 < line,
                    Direction::Down => to.1 > line || to.1 == line && to.0 != x,
                    Direction::Left => to.0 < x,
                    Direction::Right => to.0 > x,
                };
                prop_assert!(is_right, "{:?} from {:?} at {},{} to {:?} at {:?}", direction, spot, x, line, next, to);
            }
        }
    }

    /// Downwards, every line of a box is reached, and the end of the map.
    #[test]
    fn the_last_row_of_boxes_is_reached(groups in any_groups(), zoom in any_zoom(), width in 8_u16..220) {
        let layout = Layout::new(&groups, zoom, width, 30);
        let Some(mut spot) = layout.nearest(0, 0) else { return Ok(()); };
        // A step to a pod of several lines can stay on its line.
        for _ in 0..spots(&layout).len() {
            spot = layout.step(spot, Direction::Down);
        }
        let place = layout.place(spot.group).unwrap();
        prop_assert_eq!(place.line + place.height, layout.lines());
        for _ in 0..spots(&layout).len() {
            spot = layout.step(spot, Direction::Up);
        }
        prop_assert_eq!(layout.position(spot).unwrap().1, 0);
    }
}

#[test]
fn as_much_is_shown_as_fits() {
    let cluster = |nodes: usize, pods: usize| groups(&vec![vec![1; pods]; nodes], false);
    for (nodes, pods, size, zoom) in [
        (3, 14, (120, 40), Zoom::Names),
        (6, 30, (120, 40), Zoom::Large),
        (30, 30, (120, 30), Zoom::Small),
        (300, 30, (120, 25), Zoom::Summary),
        (5_000, 30, (200, 50), Zoom::Summary),
    ] {
        let groups = cluster(nodes, pods);
        let layout = Layout::fitting(&groups, size.0, size.1);
        assert_eq!(layout.zoom, zoom, "{nodes} nodes");
    }
    let groups = cluster(5_000, 0);
    assert!(Layout::fitting(&groups, 40, 5).worst_first);
    assert!(!Layout::fitting(&groups, 200, 50).worst_first);
}

#[test]
fn an_empty_map_has_no_objects() {
    let groups = Groups::default();
    for zoom in Zoom::ALL {
        let layout = Layout::new(&groups, zoom, 80, 24);
        assert_eq!((layout.lines(), layout.nearest(3, 3)), (0, None));
        assert_eq!(layout.spot_at(0, 0), None);
        assert_eq!(layout.places(0..10).count(), 0);
    }
}
