//! The layout of a table: which columns fit, and how wide each is.

use super::column::Column;
use super::field::Field;

/// A column with its position and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The column.
    pub column: Column,
    /// The distance from the table's left edge.
    pub x: u16,
    /// The width.
    pub width: u16,
}

/// Columns up to this rank are shown before others get space for their contents.
const ESSENTIAL: u8 = ColumnChoice::RANKS + 1;

/// The longest name in Kubernetes. Wider columns contain sentences, of which a part is useful.
const NAME: u16 = 63;

/// Columns up to this rank are not dropped to show another column's text in full.
const WORTH_KEEPING: u8 = ColumnChoice::RANKS + 5;

/// Longer text is cut if another column would have to be dropped for it.
const TEXT_WIDTH: u16 = 12;

/// The width beyond which a column's contents are cut if another column would have to be dropped. `text_width` is the width
/// for text.
const fn comfortable_width(column: &Column, width: u16, text_width: u16) -> u16 {
    const NAMES: u16 = 34;
    if column.priority > 0 && !matches!(column.field, Field::Cause) {
        return text_width;
    }
    let part = width / 10 * 3;
    if part < NAMES { part } else { NAMES }
}

/// Blank cells between two columns.
pub const GAP: u16 = 1;

/// Which columns a table should have.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColumnChoice<'a> {
    /// The chosen columns, in order. `None` for all columns that are not on demand.
    pub selected: Option<&'a [Field]>,
    /// The column that the table is sorted by. It is always shown, with its arrow.
    pub sorted: Option<Field>,
    /// Columns that distinguish rows with the same name.
    pub distinguishing: &'a [Field],
}

impl ColumnChoice<'_> {
    /// The number of ranks before those of the columns' own priorities.
    const RANKS: u8 = 3;

    /// The fields that are shown if there is space for all, in order.
    #[must_use]
    pub fn fields(&self, all: &[Column]) -> Vec<Field> {
        let mut fields: Vec<Field> = match self.selected {
            Some(selected) => selected.to_vec(),
            None => default_fields(all),
        };
        let identity = all.iter().filter(|column| column.is_identity());
        for field in identity.map(|column| column.field).chain(self.sorted) {
            insert(&mut fields, all, field);
        }
        fields
    }

    /// The rank of a column: identity, sort, distinguishing columns, then priority. Lower ranks are shown first.
    fn rank(&self, column: &Column) -> u8 {
        if column.is_identity() {
            0
        } else if self.sorted == Some(column.field) {
            1
        } else if self.selected.is_none() && self.distinguishing.contains(&column.field) {
            2
        } else {
            column.priority.saturating_add(Self::RANKS)
        }
    }
}

/// The columns that are shown if none are chosen, in order.
#[must_use]
pub fn default_fields(all: &[Column]) -> Vec<Field> {
    let usual = |column: &&Column| column.priority != Column::ON_DEMAND;
    all.iter()
        .filter(usual)
        .map(|column| column.field)
        .collect()
}

/// Inserts a column of `all` into the shown columns, after the nearest one that it follows in `all`. Does nothing if
/// the column is shown already or does not exist.
pub fn insert(fields: &mut Vec<Field>, all: &[Column], field: Field) {
    let Some(at) = all.iter().position(|column| column.field == field) else {
        return;
    };
    if fields.contains(&field) {
        return;
    }
    let before = all.iter().take(at).rev();
    let behind = before
        .filter_map(|column| fields.iter().position(|other| *other == column.field))
        .next();
    fields.insert(behind.map_or(0, |behind| behind + 1), field);
}

/// All columns: the chosen ones in their order, with each other one where it would be.
#[must_use]
pub fn in_order(all: &[Column], chosen: Option<&[Field]>) -> Vec<Field> {
    let mut order = chosen.map_or_else(|| default_fields(all), <[Field]>::to_vec);
    for column in all {
        insert(&mut order, all, column.field);
    }
    order
}

/// Lays out a table of `width` cells: as many of the requested columns as fit, by rank. `widest` returns the width of a
/// column's contents.
#[must_use]
pub fn layout(
    all: &[Column],
    choice: ColumnChoice<'_>,
    width: u16,
    widest: impl Fn(Field) -> u16,
) -> Vec<Placed> {
    let sized = |column: &Column| {
        let mut column = *column;
        let content = widest(column.field).max(title_width(&column));
        if choice.sorted == Some(column.field) {
            // There is space for the arrow.
            column.width.least = column.width.least.max(title_width(&column));
            column.width.most = column.width.most.max(column.width.least);
        }
        let content = content.clamp(column.width.least, column.width.most);
        // From here on, a column's priority is its rank.
        column.priority = choice.rank(&column);
        (column, content)
    };
    let column = |field: &Field| all.iter().find(|column| column.field == *field);
    let fields = choice.fields(all);
    let mut candidates: Vec<(Column, u16)> = fields.iter().filter_map(column).map(sized).collect();
    let (mut text_width, mut visible, mut used) = (TEXT_WIDTH, Vec::new(), 0);
    // Give text as much space as possible without losing a column of rank `WORTH_KEEPING` or lower.
    for more in TEXT_WIDTH..=TEXT_WIDTH + width.saturating_sub(80) / 4 {
        let (new_visible, new_used) = choose(&candidates, width, more);
        let important = |visible: &[bool]| {
            let columns = candidates
                .iter()
                .zip(visible)
                .filter(|(_, visible)| **visible);
            columns
                .filter(|((it, _), _)| it.priority <= WORTH_KEEPING)
                .count()
        };
        if visible.is_empty() || important(&new_visible) == important(&visible) {
            (text_width, visible, used) = (more, new_visible, new_used);
        }
    }
    let mut visible = visible.into_iter();
    candidates.retain(|_| visible.next().unwrap_or(false));
    let widths = share(&candidates, width, width.saturating_sub(used), text_width);
    let mut x = 0_u16;
    let mut placed = Vec::with_capacity(candidates.len());
    for ((column, _), wide) in candidates.into_iter().zip(widths) {
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

/// Decides which columns are shown. Returns them with the sum of their smallest widths. Essential columns are shown if
/// their smallest width fits; the others, by priority and then from the left, if no shown column has to be cut for
/// them.
fn choose(candidates: &[(Column, u16)], width: u16, text_width: u16) -> (Vec<bool>, u16) {
    let mut by_priority: Vec<usize> = (0..candidates.len()).collect();
    by_priority.sort_by_key(|at| candidates.get(*at).map_or(0, |(column, _)| column.priority));
    let mut visible = vec![false; candidates.len()];
    let mut least = 0_u16;
    let mut comfortable = 0_u16;
    for at in by_priority {
        let Some((column, content)) = candidates.get(at) else {
            continue;
        };
        let gap = if least == 0 { 0 } else { GAP };
        let needed = least.saturating_add(gap).saturating_add(column.width.least);
        let wished = comfortable.saturating_add(gap).saturating_add(
            if column.is_trend() || column.width.most > NAME {
                column.width.least
            } else {
                (*content).min(comfortable_width(column, width, text_width).max(column.width.least))
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
        if let Some(visible) = visible.get_mut(at) {
            *visible = true;
        }
    }
    (visible, least)
}

/// Distributes the remaining space: first up to the comfortable width, in the order of rank; then up to the contents'
/// width, in reverse order; then to sparklines.
fn share(candidates: &[(Column, u16)], width: u16, mut left: u16, text_width: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = candidates
        .iter()
        .map(|(column, _)| column.width.least)
        .collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|at| candidates.get(*at).map_or(0, |(column, _)| column.priority));
    let mut widen = |at: usize, most: u16, widths: &mut Vec<u16>| {
        let (Some((_, content)), Some(wide)) = (candidates.get(at), widths.get_mut(at)) else {
            return;
        };
        let more = (*content).min(most).saturating_sub(*wide).min(left);
        *wide += more;
        left -= more;
    };
    for at in &order {
        let Some((column, _)) = candidates.get(*at) else {
            continue;
        };
        widen(
            *at,
            comfortable_width(column, width, text_width),
            &mut widths,
        );
    }
    // The lowest ranks get the rest first: they got least before.
    for at in order.iter().rev() {
        widen(*at, u16::MAX, &mut widths);
    }
    let trends = candidates
        .iter()
        .filter(|(column, _)| column.is_trend())
        .count();
    let trends = u16::try_from(trends).unwrap_or(u16::MAX).max(1);
    for ((column, _), width) in candidates.iter().zip(&mut widths) {
        // Sparklines have no contents that need space.
        if column.is_trend() {
            let more = column.width.most.saturating_sub(*width).min(left / trends);
            *width += more;
        }
    }
    widths
}

/// The width of a heading with the arrow.
fn title_width(column: &Column) -> u16 {
    u16::try_from(column.title.chars().count() + 1).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::view::View;

    fn fields(width: u16) -> Vec<&'static str> {
        layout(
            &View::Pods.columns(),
            ColumnChoice::default(),
            width,
            |_| 10,
        )
        .iter()
        .map(|placed| placed.column.title)
        .collect()
    }

    #[test]
    fn narrow_tables_show_the_most_important_columns() {
        assert_eq!(fields(40), ["NAME", "STATUS", "CPU", "MEM"]);
        assert!(fields(80).contains(&"RESTARTS"));
        assert!(fields(200).contains(&"CPU OVER TIME"));
    }

    #[test]
    fn no_column_reaches_over_the_edge() {
        for view in View::SWITCHABLE {
            for width in 0..250 {
                let choice = ColumnChoice {
                    sorted: Some(view.sort().field),
                    ..ColumnChoice::default()
                };
                let placed = layout(&view.columns(), choice, width, |_| 30);
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
    fn reasons_get_space_before_numbers() {
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
            // Without a value in any row.
            let mut columns = view.columns();
            columns.retain(|column| !column.optional);
            let placed = layout(&columns, ColumnChoice::default(), 120, widest(name));
            let column = placed.iter().find(|placed| placed.column.field == field);
            column.map(|placed| placed.width)
        };
        assert_eq!(width_of(View::Pods, 27, Field::Status), Some(16));
        assert!(width_of(View::Pods, 27, Field::Restarts) >= Some(16));
        assert_eq!(width_of(View::Pods, 27, Field::CpuOfLimit), None);
        assert!(width_of(View::Containers, 32, Field::Restarts).is_some());
    }

    #[test]
    fn chosen_columns_are_shown_in_their_order_and_no_others() {
        let selected = [Field::Swap, Field::Name];
        assert_eq!(fields_of(View::Pods, &selected, None, 200), selected);
    }

    fn fields_of(view: View, selected: &[Field], sorted: Option<Field>, width: u16) -> Vec<Field> {
        let choice = ColumnChoice {
            selected: (!selected.is_empty()).then_some(selected),
            sorted,
            distinguishing: &[],
        };
        let placed = layout(&view.columns(), choice, width, |_| 10);
        placed.iter().map(|placed| placed.column.field).collect()
    }

    #[test]
    fn names_cannot_be_turned_off() {
        let names = [
            (View::Nodes, vec![Field::Name]),
            (View::Pods, vec![Field::Name]),
            (View::Containers, vec![Field::Pod, Field::Container]),
            (View::Workloads, vec![Field::Name]),
            (View::Incidents, vec![Field::Name]),
        ];
        for (view, names) in names {
            let last = view.columns().last().unwrap().field;
            let candidates = fields_of(view, &[last], None, 200);
            assert!(
                names.iter().all(|name| candidates.contains(name)),
                "{view:?}: {candidates:?}"
            );
        }
    }

    #[test]
    fn the_column_that_is_sorted_by_never_gives_way() {
        for view in View::SWITCHABLE {
            for column in view.columns().iter().filter(|column| !column.is_trend()) {
                for width in [39, 59, 79, 119, 199] {
                    let candidates = fields_of(view, &[], Some(column.field), width);
                    assert!(
                        candidates.contains(&column.field),
                        "{view:?} {} at {width}",
                        column.title
                    );
                }
            }
        }
        let selected = [Field::Name, Field::Cpu];
        let candidates = fields_of(View::Pods, &selected, Some(Field::Age), 200);
        assert_eq!(candidates, [Field::Name, Field::Cpu, Field::Age]);
    }

    #[test]
    fn no_two_columns_of_a_view_have_the_same_heading() {
        for view in View::SWITCHABLE {
            let columns = view.columns();
            let mut titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
            titles.sort_unstable();
            let all = titles.len();
            titles.dedup();
            assert_eq!(titles.len(), all, "{view:?}");
        }
    }

    #[test]
    fn restarts_are_of_the_last_hour_where_the_heading_says_so() {
        for view in View::SWITCHABLE {
            for column in view.columns() {
                let expected = match column.field {
                    Field::Restarts => "RESTARTS",
                    Field::Recent => "RESTARTS 1h",
                    _ => continue,
                };
                assert_eq!(column.title, expected, "{view:?}");
            }
        }
        assert_eq!(Field::Recent.name(), "restarts-1h");
    }

    #[test]
    fn number_columns_fit_heading_and_arrow() {
        for view in View::SWITCHABLE {
            for column in view.columns() {
                let widest = column.width.most;
                let title = title_width(&column);
                assert!(
                    widest >= title - 1 || column.is_trend(),
                    "{view:?} {}",
                    column.title
                );
                let choice = ColumnChoice {
                    sorted: Some(column.field),
                    ..ColumnChoice::default()
                };
                let placed = layout(&view.columns(), choice, 250, |_| 3);
                let sorted = placed
                    .iter()
                    .find(|placed| placed.column.field == column.field);
                assert!(
                    sorted.is_some_and(|sorted| sorted.width >= title),
                    "{view:?} {}",
                    column.title
                );
            }
        }
    }
}
