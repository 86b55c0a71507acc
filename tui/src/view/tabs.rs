//! Draws the row of views, and the scope of the open view.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, cells, left_of, right_of, segments_width};
use super::names;
use super::theme::Ink;
use crate::input::{Target, key_of};
use crate::model::{Extent, Scope, State, View};
use crate::text::{cut, cut_middle};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let screen = state.screen();
    if screen.view.is_of_several_clusters() {
        several_clusters(canvas, area, screen.view);
        return;
    }
    let visible = screen.list.order.len();
    // If only one namespace is listed, the server may still count the pods of all.
    let limited = state.session.namespace.is_some() && screen.view == View::Pods;
    let total = match state.world() {
        world if limited && world.has_source_totals => world.cluster.pods(),
        _ => 0,
    };
    let all = usize::try_from(total)
        .unwrap_or(0)
        .max(state.world().table(screen.view).len());
    let brief: usize = View::SWITCHABLE
        .iter()
        .map(|view| tab(*view, Form::Brief).len() + 1)
        .sum();
    let space = usize::from(area.width).saturating_sub(brief);
    let mut right = Vec::new();
    // The number of rows follows the scope.
    let scope = scope(state, space.saturating_sub(12), canvas.theme.signs.ellipsis);
    // The page of a pod has its name in its own heading.
    if !scope.is_empty() && screen.view != View::Pod {
        right.push(Segment::new(format!("{scope} "), Ink::Accent));
    }
    if screen.view != View::Pod {
        let mut of = if visible == all {
            format!("{visible} ")
        } else {
            format!("{visible} of {all} ")
        };
        match &state.world().extent {
            Some(extent) if screen.view.info().is_of_pods() => {
                let brief = area.width < BRIEF;
                of = rows_text(extent, screen.view, visible, all, brief);
                if state.is_awaited() {
                    of.push_str(".. ");
                }
            }
            _ => {}
        }
        right.push(Segment::muted(of));
    }
    let wide = segments_width(&right);
    let space = area.width.saturating_sub(wide + 1);
    let here = match screen.view {
        View::Pod => below(state),
        view => view,
    };
    let form = Form::fitting(here, space);
    let mut used = 0;
    for view in View::SWITCHABLE {
        let text = tab(view, form.of(view == here));
        let place = left_of(right_of(left_of(area, space), used), cells(text.len()));
        let current = view == here;
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
    canvas.segments_right(area, &right);
}

/// Draws the tabs of the views of several clusters.
fn several_clusters(canvas: &mut Canvas<'_>, area: Rect, here: View) {
    let mut rest = area;
    for view in [View::Clusters, View::AllIncidents] {
        let text = format!(" {} ", view.title());
        let place = left_of(rest, cells(text.len()));
        let ink = if view == here {
            Ink::Heading
        } else {
            Ink::Muted
        };
        canvas.text(place, &text, ink);
        if view == here {
            canvas.patch(place, Ink::Selected);
        }
        canvas.hit(place, Target::View(view));
        rest = right_of(rest, place.width + 1);
    }
}

/// Returns the scope of the open view: the object that it was opened for, or the chosen namespaces.
fn scope(state: &State, space: usize, ellipsis: &str) -> String {
    let screen = state.screen();
    let world = state.world();
    let title = screen.view.title();
    let left = space.saturating_sub(title.len() + 1);
    let name = match &screen.scope {
        Scope::All if state.namespaces.is_empty() => return String::new(),
        Scope::All => {
            let namespaces = format!("ns {}", state.namespaces.join(","));
            return cut(&namespaces, space, ellipsis).into_owned();
        }
        Scope::Node(name) => {
            let names = world.nodes.rows().iter().map(|node| &*node.name);
            names::elide([&**name], names, left, ellipsis)
                .text(name)
                .to_owned()
        }
        Scope::Namespace(name) => {
            let names = world.namespaces.rows().iter().map(|row| &*row.name);
            names::elide([&**name], names, left, ellipsis)
                .text(name)
                .to_owned()
        }
        Scope::Workload(..)
        | Scope::Hpa(..)
        | Scope::Pod(_)
        | Scope::Claim(..)
        | Scope::Problem(_) => cut_middle(&screen.scope.text(), left, ellipsis).into_owned(),
    };
    format!("{title} {name}")
}

/// Below this width, the short form of the counts is used.
const BRIEF: u16 = 140;

/// Renders the number of rows, if the source sends a selection of the pods.
fn rows_text(extent: &Extent, view: View, visible: usize, all: usize, brief: bool) -> String {
    let total = extent.total;
    let is_pods = matches!(view, View::Pods | View::Pod);
    let pods = if is_pods { "" } else { "pods " };
    let Some(truncation) = extent.truncation else {
        // The source sends all pods in the scope.
        return format!("{visible} of {total} {pods}");
    };
    let listed = truncation.first + truncation.unhealthy;
    if brief {
        return match (is_pods, visible == all) {
            (true, true) => format!("{visible} of {total} by {} ", truncation.by),
            _ => format!("{visible} of {listed} of {total} {pods}"),
        };
    }
    let all_of_them = if truncation.all_unhealthy {
        ""
    } else {
        "the first "
    };
    let which = format!(
        "{} by {} and {all_of_them}{} unhealthy",
        truncation.first, truncation.by, truncation.unhealthy
    );
    match (is_pods, visible == all) {
        (true, true) => format!("{which} of {total} "),
        _ => format!("{visible} of {which} of {total} {pods}"),
    }
}

/// Returns the view from which the page of a pod was opened.
fn below(state: &State) -> View {
    let views = state.stack.iter().rev().map(|screen| screen.view);
    views
        .into_iter()
        .find(|view| *view != View::Pod)
        .unwrap_or(View::Pods)
}

/// The length of the names of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The full name.
    Long,
    /// The short name.
    Brief,
    /// The number; the open view with its short name.
    Numbers,
    /// The number.
    Number,
}

impl Form {
    /// Returns the longest form in which all names fit.
    fn fitting(here: View, space: u16) -> Self {
        let width = |form: Self| -> usize {
            let views = View::SWITCHABLE.iter();
            views
                .map(|view| tab(*view, form.of(*view == here)).len() + 1)
                .sum()
        };
        [Self::Long, Self::Brief, Self::Numbers]
            .into_iter()
            .find(|form| width(*form) <= usize::from(space))
            .unwrap_or(Self::Number)
    }

    /// Returns the form of one name.
    const fn of(self, is_here: bool) -> Self {
        match (self, is_here) {
            (Self::Numbers, true) => Self::Brief,
            (Self::Numbers, false) => Self::Number,
            (form, _) => form,
        }
    }
}

fn tab(view: View, form: Form) -> String {
    let key = key_of(view);
    let title = view.title();
    match form {
        Form::Long => return format!(" {key} {title} "),
        Form::Brief => {}
        Form::Numbers | Form::Number => return key.to_owned(),
    }
    let short = view.info().brief;
    format!("{key} {short}")
}
