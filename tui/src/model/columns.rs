//! Which columns there is room for, and how wide each is.

use super::column::Column;
use super::field::Field;

/// A column and the room it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The column.
    pub column: Column,
    /// Where it begins, counted from the table's left edge.
    pub x: u16,
    /// How wide it is.
    pub width: u16,
}

/// Columns up to this priority are shown before others are given room for their contents.
const ESSENTIAL: u8 = 1;

/// Columns that may be wider than any name of Kubernetes hold sentences: a part of one is worth its place.
const NAME: u16 = 63;

/// Columns up to this priority are not given up for the whole of another's words.
const TOLD: u8 = 5;

/// Words wider than this are cut rather than cost another column its place.
const WORDS: u16 = 12;

/// Contents wider than this are cut rather than cost another column its place; `words` is what words may take.
const fn comfort(column: &Column, width: u16, words: u16) -> u16 {
    const NAMES: u16 = 34;
    if column.priority > 0 {
        return words;
    }
    let part = width / 10 * 3;
    if part < NAMES { part } else { NAMES }
}

/// Blank cells between two columns.
pub const GAP: u16 = 1;

/// The columns to show in a table `width` wide: those that were `chosen`, in that order, or, if none were, all that are not only shown
/// on demand; of these, by priority, as many as there is room for. `widest` tells how wide the contents of a column
/// are, so that none is wider than it must be.
#[must_use]
pub fn place(
    all: &[Column],
    chosen: Option<&[Field]>,
    width: u16,
    widest: impl Fn(Field) -> u16,
) -> Vec<Placed> {
    let sized = |column: &Column| {
        let content = widest(column.field).max(title_width(column));
        (
            *column,
            content.clamp(column.width.least, column.width.most),
        )
    };
    let mut shown: Vec<(Column, u16)> = match chosen {
        Some(fields) => {
            let column = |field: &Field| all.iter().find(|column| column.field == *field);
            fields.iter().filter_map(column).map(sized).collect()
        }
        None => all
            .iter()
            .filter(|column| column.priority != Column::ON_DEMAND)
            .map(sized)
            .collect(),
    };
    let (mut words, mut kept, mut used) = (WORDS, Vec::new(), 0);
    // A whole reason is worth more than one more number, where there is room for many; but not more than a reason.
    for more in [WORDS, WORDS + width.saturating_sub(80) / 4] {
        let (now_kept, now_used) = keep(&shown, width, more);
        let told = |kept: &[bool]| {
            let columns = shown.iter().zip(kept).filter(|(_, kept)| **kept);
            columns.filter(|((it, _), _)| it.priority <= TOLD).count()
        };
        if kept.is_empty() || told(&now_kept) == told(&kept) {
            (words, kept, used) = (more, now_kept, now_used);
        }
    }
    let mut kept = kept.into_iter();
    shown.retain(|_| kept.next().unwrap_or(false));
    let widths = share(&shown, width, width.saturating_sub(used), words);
    let mut x = 0_u16;
    let mut placed = Vec::with_capacity(shown.len());
    for ((column, _), wide) in shown.into_iter().zip(widths) {
        let wide = wide.min(width.saturating_sub(x));
        placed.push(Placed {
            column,
            x,
            width: wide,
        });
        x = x.saturating_add(wide).saturating_add(GAP);
    }
    placed
}

/// Which columns are shown, and the least that they need: what matters most at any width; of the rest, by priority and
/// then from the left, as many as there is room for without cutting what matters.
fn keep(shown: &[(Column, u16)], width: u16, words: u16) -> (Vec<bool>, u16) {
    let mut by_priority: Vec<usize> = (0..shown.len()).collect();
    by_priority.sort_by_key(|at| shown.get(*at).map_or(0, |(column, _)| column.priority));
    let mut kept = vec![false; shown.len()];
    let mut least = 0_u16;
    let mut comfortable = 0_u16;
    for at in by_priority {
        let Some((column, content)) = shown.get(at) else {
            continue;
        };
        let gap = if least == 0 { 0 } else { GAP };
        let needed = least.saturating_add(gap).saturating_add(column.width.least);
        let wished = comfortable.saturating_add(gap).saturating_add(
            if column.is_trend() || column.width.most > NAME {
                column.width.least
            } else {
                (*content).min(comfort(column, width, words).max(column.width.least))
            },
        );
        let fits = if column.priority <= ESSENTIAL {
            needed <= width
        } else {
            wished <= width
        };
        if !fits && least > 0 {
            break;
        }
        least = needed;
        comfortable = wished;
        if let Some(kept) = kept.get_mut(at) {
            *kept = true;
        }
    }
    (kept, least)
}

/// Gives the room that is left first to columns whose contents need it, the most important ones first, as much as is
/// comfortable; then all that they need, names last; then to drawings.
fn share(shown: &[(Column, u16)], width: u16, mut left: u16, words: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = shown.iter().map(|(column, _)| column.width.least).collect();
    let mut order: Vec<usize> = (0..shown.len()).collect();
    order.sort_by_key(|at| shown.get(*at).map_or(0, |(column, _)| column.priority));
    let mut widen = |at: usize, most: u16, widths: &mut Vec<u16>| {
        let (Some((_, content)), Some(wide)) = (shown.get(at), widths.get_mut(at)) else {
            return;
        };
        let more = (*content).min(most).saturating_sub(*wide).min(left);
        *wide += more;
        left -= more;
    };
    for at in &order {
        let Some((column, _)) = shown.get(*at) else {
            continue;
        };
        widen(*at, comfort(column, width, words), &mut widths);
    }
    // The least important of what is shown gets the rest first: it was given least.
    for at in order.iter().rev() {
        widen(*at, u16::MAX, &mut widths);
    }
    let trends = shown.iter().filter(|(column, _)| column.is_trend()).count();
    let trends = u16::try_from(trends).unwrap_or(u16::MAX).max(1);
    for ((column, _), width) in shown.iter().zip(&mut widths) {
        // Drawings have no contents that ask for room; they are worth some.
        if column.is_trend() {
            let more = column.width.most.saturating_sub(*width).min(left / trends);
            *width += more;
        }
    }
    widths
}

/// How wide a heading is, with the sign of sorting.
fn title_width(column: &Column) -> u16 {
    u16::try_from(column.title.chars().count() + 1).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::view::View;

    fn fields(width: u16) -> Vec<&'static str> {
        place(View::Pods.columns(), None, width, |_| 10)
            .iter()
            .map(|placed| placed.column.title)
            .collect()
    }

    #[test]
    fn the_most_important_columns_are_shown_when_room_is_short() {
        assert_eq!(fields(40), ["NAME", "STATUS", "CPU", "MEM"]);
        assert!(fields(80).contains(&"RESTARTS"));
        assert!(fields(200).contains(&"CPU OVER TIME"));
    }

    #[test]
    fn no_column_reaches_over_the_edge() {
        for view in View::SWITCHABLE {
            for width in 0..250 {
                let placed = place(view.columns(), None, width, |_| 30);
                for pair in placed.windows(2) {
                    if let [a, b] = pair {
                        assert!(a.x + a.width < b.x, "{view:?} at {width}");
                    }
                }
                let end = placed.last().map_or(0, |last| last.x + last.width);
                assert!(end <= width, "{view:?} at {width} ends at {end}");
            }
        }
    }

    #[test]
    fn a_reason_is_whole_rather_than_one_more_number_shown_but_no_reason_is_lost_for_it() {
        let widest = |name: u16| {
            move |field| match field {
                Field::Name | Field::Pod => name,
                Field::Namespace => 13,
                Field::Container => 15,
                Field::Status => 16,
                Field::Restarts => 26,
                _ => 5,
            }
        };
        let width_of = |view: View, name, field| {
            let placed = place(view.columns(), None, 120, widest(name));
            let column = placed.iter().find(|placed| placed.column.field == field);
            column.map(|placed| placed.width)
        };
        assert_eq!(width_of(View::Pods, 27, Field::Status), Some(16));
        assert!(width_of(View::Pods, 27, Field::Restarts) >= Some(22));
        assert_eq!(width_of(View::Pods, 27, Field::CpuOfRequest), None);
        assert!(width_of(View::Containers, 32, Field::Restarts).is_some());
    }

    #[test]
    fn chosen_columns_are_shown_in_their_order_and_no_others() {
        let chosen = [Field::Swap, Field::Name];
        let placed = place(View::Pods.columns(), Some(&chosen), 200, |_| 10);
        let shown: Vec<Field> = placed.iter().map(|placed| placed.column.field).collect();
        assert_eq!(shown, chosen);
    }
}
