//! What the page of a report says of several recordings.

use maud::{Markup, html};

use super::totals::Machine;
use crate::source::Source;

/// A row for each recording; nothing where there is one.
pub fn recordings(source: &Source) -> Markup {
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
    };
    html! {
        @if !source.recordings.is_empty() {
            h2 { "Recordings" }
            div.scroll { table {
                tr {
                    th { "recording" } th { "frames" } th { "seconds" } th { "labelled faces" }
                    th { "accuracy" } th { "warnings" }
                }
                @for found in &source.recordings {
                    tr {
                        td { (found.name) }
                        @if let Some(problem) = &found.problem {
                            td colspan="5" { (problem) }
                        } @else {
                            td { (found.frames_used) " of " (found.frames) }
                            td { (format!("{:.1}", found.duration_secs)) }
                            td { (found.labelled_faces) }
                            td { (percent(found.accuracy)) }
                            td { (found.warnings) }
                        }
                    }
                }
            } }
        }
    }
}

/// The machines that computed the results.
pub fn machines(machines: &[(Machine, u64)]) -> Markup {
    html! {
        @for (machine, recordings) in machines {
            dt { "computed on" }
            dd {
                (machine.processor.as_deref().unwrap_or("unknown processor")) ", " (machine.system)
                ", rapport " (machine.rapport) br;
                (machine.onnxruntime.as_deref().unwrap_or("unknown ONNX Runtime")) br;
                (recordings) " recordings"
            }
        }
    }
}
