//! The views there are, and what part of one is looked at.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece, cells, pieces_width, right_of};
use super::theme::Ink;
use crate::input::Target;
use crate::model::{State, View};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let screen = state.screen();
    let shown = screen.list.order.len();
    let all = state.world().len(screen.view);
    let mut right = Vec::new();
    let scope = screen.scope.text();
    if !scope.is_empty() {
        right.push(Piece::new(
            format!("{} {scope} ", screen.view.title()),
            Ink::Accent,
        ));
    }
    if screen.view != View::Pod {
        let of = match &state.extent {
            Some(extent) if screen.view == View::Pods => {
                format!("{shown} of {} by {} ", extent.total, extent.by)
            }
            _ if shown == all => format!("{shown} "),
            _ => format!("{shown} of {all} "),
        };
        right.push(Piece::muted(of));
    }
    let wide = pieces_width(&right);
    let room = area.width.saturating_sub(wide + 1);
    let long: usize = View::SWITCHABLE
        .iter()
        .map(|view| tab(*view, false).len() + 1)
        .sum();
    let brief = long > usize::from(room);
    let mut used = 0;
    for view in View::SWITCHABLE {
        let text = tab(view, brief);
        let here = right_of(area, used);
        let place = Rect {
            width: cells(text.len()).min(here.width),
            ..here
        };
        let current = view == screen.view || (screen.view == View::Pod && view == below(state));
        canvas.text(
            place,
            &text,
            if current { Ink::Heading } else { Ink::Muted },
        );
        if current {
            canvas.patch(place, Ink::Selected);
        }
        canvas.hit(place, Target::View(view));
        used += place.width + 1;
    }
    canvas.pieces_right(area, &right);
}

/// The view from which a pod's page was opened.
fn below(state: &State) -> View {
    let views = state.stack.iter().rev().map(|screen| screen.view);
    views
        .into_iter()
        .find(|view| *view != View::Pod)
        .unwrap_or(View::Pods)
}

fn tab(view: View, brief: bool) -> String {
    let at = View::SWITCHABLE
        .iter()
        .position(|other| *other == view)
        .unwrap_or(0)
        + 1;
    let title = view.title();
    if !brief {
        return format!(" {at} {title} ");
    }
    let short = match view {
        View::Overview => "Over",
        View::Containers => "Ctrs",
        View::Workloads => "Wklds",
        View::Namespaces => "NS",
        View::Hpas => "HPA",
        View::Incidents => "Inc",
        _ => title,
    };
    format!("{at} {short}")
}
