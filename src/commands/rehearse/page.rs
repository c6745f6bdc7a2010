//! The page of a rehearsal: one file that loads nothing else.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::account::{Answered, Asked, Episode, PersonSeen, PolicyRehearsed, Rehearsal, Span};
use rapport_vocabulary::{Emotion, Engagement, Rgb};

/// Where the drawing begins and ends, in its own pixels.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 1180.0;
const ROW: f64 = 24.0;

/// The page.
pub fn page(rehearsal: &Rehearsal) -> String {
    let Rehearsal { recording, images, secs, people, policies, model, .. } = rehearsal;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Rehearsal of " (recording) }
                style { (PreEscaped(include_str!("rehearse.css"))) }
            }
            body {
                h1 { "What the robot would have done: " (recording) }
                p {
                    (images) " images, " (format!("{secs:.1}")) " s, " (people.len())
                    " people seen; network " (model) ". "
                    @if !rehearsal.knows_distance {
                        "No distance is known, as the field of view was not given. "
                    }
                    "Expressions are what is shown, never what is felt."
                }
                (key(people))
                div.scroll { (PreEscaped(drawing(rehearsal))) }
                div.policies {
                    @for policy in policies { (section(policy)) }
                }
            }
        }
    };
    page.into_string()
}

fn key(people: &[PersonSeen]) -> Markup {
    let shown: BTreeSet<Emotion> =
        people.iter().flat_map(|person| person.expressions.iter().map(|span| span.is)).collect();
    html! {
        div.key {
            @for emotion in shown {
                span { i style={ "background:" (css(emotion.color())) } {} (emotion) }
            }
            span { i.att {} "attends: the darker, the more" }
            span { i.fire {} "rule fired" }
            span { i.staff {} "staff called" }
            span { i.held {} "held back by manners" }
            span { i.near {} "nearly: one condition missing" }
        }
    }
}

fn css([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Where a time is in the drawing.
struct Axis {
    secs: f64,
}

impl Axis {
    fn x(&self, secs: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (secs / self.secs.max(0.1)).clamp(0.0, 1.0)
    }

    /// `span`: from and to in seconds. `rows`: top and height in pixels.
    fn bar(
        &self,
        class: &str,
        style: &str,
        span: (f64, f64),
        rows: (f64, f64),
        title: &str,
    ) -> Markup {
        let ((from, to), (y, height)) = (span, rows);
        let (x, end) = (self.x(from), self.x(to));
        html! {
            rect class=(class) style=(style) x=(n(x)) y=(n(y)) width=(n((end - x).max(2.0)))
                height=(n(height)) rx="1.5" { title { (title) } }
        }
    }
}

/// A number with two decimals, which are as many as a pixel needs.
fn n(number: f64) -> String {
    format!("{number:.2}")
}

fn drawing(rehearsal: &Rehearsal) -> String {
    let axis = Axis { secs: rehearsal.secs };
    let mut y = 34.0;
    let mut rows = Vec::new();
    for person in &rehearsal.people {
        rows.push(person_row(&axis, person, y));
        y += ROW;
    }
    for policy in &rehearsal.policies {
        y += 26.0;
        rows.push(html! { text.head x="0" y=(n(y)) { (policy.file) } });
        y += 10.0;
        for rule in &policy.rules {
            rows.push(rule_row(&axis, policy, &rule.rule, y));
            y += ROW;
        }
    }
    let height = y + 12.0;
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0]
        .into_iter()
        .find(|step| rehearsal.secs / step <= 14.0)
        .unwrap_or(7200.0);
    let ticks: Vec<f64> = (0..=14)
        .map(|tick| f64::from(tick) * step)
        .filter(|secs| *secs <= rehearsal.secs)
        .collect();
    let drawn = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 1190 " (n(height)) } role="img"
            aria-label="Timeline of people, and of what each rule did" {
            @for secs in ticks {
                line.grid x1=(n(axis.x(secs))) x2=(n(axis.x(secs))) y1="20" y2=(n(height - 8.0)) {}
                text.soft x=(n(axis.x(secs))) y="14" text-anchor="middle" { (secs) " s" }
            }
            @for row in rows { (row) }
        }
    };
    drawn.into_string()
}

fn person_row(axis: &Axis, person: &PersonSeen, y: f64) -> Markup {
    let near = person.nearest_m.map(|m| format!("  {m:.1} m")).unwrap_or_default();
    html! {
        text x="0" y=(n(y + 12.0)) { (person.face_id) tspan.soft { (near) } }
        @for Span { from_secs, to_secs, is } in &person.expressions {
            @let title = format!("{} {is} {from_secs:.1} to {to_secs:.1} s", person.face_id);
            @let style = format!("fill:{}", css(is.color()));
            (axis.bar("", &style, (*from_secs, *to_secs), (y, 11.0), &title))
        }
        @for Span { from_secs, to_secs, is } in &person.attention {
            @let opacity = match is {
                Engagement::Disengaged => 0.12,
                Engagement::Engaging | Engagement::Disengaging => 0.45,
                Engagement::Engaged => 1.0,
            };
            @let title = format!("{} {is} {from_secs:.1} to {to_secs:.1} s", person.face_id);
            (axis.bar("att", &format!("opacity:{opacity}"), (*from_secs, *to_secs), (y + 13.0, 3.5), &title))
        }
    }
}

fn rule_row(axis: &Axis, policy: &PolicyRehearsed, rule: &str, y: f64) -> Markup {
    let of = |episodes: &'_ [Episode]| -> Vec<Episode> {
        episodes.iter().filter(|episode| episode.rule == rule).cloned().collect()
    };
    html! {
        rect.band x=(n(LEFT)) y=(n(y)) width=(n(RIGHT - LEFT)) height=(n(ROW - 5.0)) {}
        text x="0" y=(n(y + 13.0)) { (rule) }
        @for Episode { from_secs, to_secs, face_id, why, .. } in of(&policy.nearly) {
            (axis.bar("near", "", (from_secs, to_secs), (y + 3.0, 9.0), &format!("nearly for {face_id}: {why}")))
        }
        @for Episode { from_secs, to_secs, face_id, why, .. } in of(&policy.held_back) {
            (axis.bar("held", "", (from_secs, to_secs), (y + 14.0, 3.5), &format!("held back for {face_id}: {why}")))
        }
        @for answered in policy.responses.iter().filter(|answered| answered.rule == rule) {
            @let end = answered.cancelled.as_ref().map_or(answered.at_secs + answered.duration_secs, |(at, _)| *at);
            @let title = format!("{} -> {}: {}", answered.rule, answered.face_id, answered.does);
            (axis.bar("fire", "", (answered.at_secs, end), (y + 1.0, ROW - 7.0), &title))
        }
        @for asked in policy.staff_requests.iter().filter(|asked| asked.rule == rule) {
            @let x = axis.x(asked.at_secs);
            circle.staff cx=(n(x)) cy=(n(y + 9.0)) r="6" { title { "staff: " (asked.kind) } }
        }
    }
}

/// Anything that happened, in the order of time.
enum Line<'a> {
    Answered(&'a Answered),
    Asked(&'a Asked),
    Nearly(&'a Episode),
    Held(&'a Episode),
}

impl Line<'_> {
    fn at_secs(&self) -> f64 {
        match self {
            Line::Answered(answered) => answered.at_secs,
            Line::Asked(asked) => asked.at_secs,
            Line::Nearly(episode) | Line::Held(episode) => episode.from_secs,
        }
    }
}

fn section(policy: &PolicyRehearsed) -> Markup {
    let mut lines: Vec<Line<'_>> = policy.responses.iter().map(Line::Answered).collect();
    lines.extend(policy.staff_requests.iter().map(Line::Asked));
    lines.extend(policy.nearly.iter().map(Line::Nearly));
    lines.extend(policy.held_back.iter().map(Line::Held));
    lines.sort_by(|a, b| a.at_secs().total_cmp(&b.at_secs()));
    html! {
        section {
            h2 { (policy.file) }
            @if !policy.unknown_states.is_empty() {
                p { "States that the recording does not tell, unknown here: "
                    (policy.unknown_states.join(", ")) ". Nothing was held back by them." }
            }
            table {
                tr { th { "rule" } th { "fired" } th { "nearly" } th { "held back" } }
                @for rule in &policy.rules {
                    tr {
                        td { (rule.rule) }
                        (count(rule.fired)) (count(rule.nearly)) (count(rule.held_back))
                    }
                }
            }
            h3 { "What happened" }
            ol { @for line in &lines { (item(line)) } }
            @if lines.is_empty() { p { "Nothing: no rule fired, and none nearly did." } }
        }
    }
}

fn count(count: usize) -> Markup {
    let class = if count == 0 { "none" } else { "" };
    html! { td class=(class) { (count) } }
}

fn item(line: &Line<'_>) -> Markup {
    html! {
        li {
            b { (format!("{:.1} s", line.at_secs())) }
            @match line {
                Line::Answered(answered) => div {
                    span class="tag fire" { (answered.rule) } " for " (answered.face_id)
                    @if !answered.group_face_ids.is_empty() {
                        " and " (answered.group_face_ids.join(", "))
                    }
                    ": "
                    @if let Some(speech) = &answered.speech { q { "“" (speech) "”" } }
                    small { (silent(answered)) }
                    small { "because " (answered.reason) }
                    @if let Some((at, reason)) = &answered.cancelled {
                        small { "cut short at " (format!("{at:.1} s")) ": " (reason) }
                    }
                },
                Line::Asked(asked) => div {
                    span class="tag staff" { (asked.rule) } " calls staff: " (asked.kind)
                    @if !asked.place.is_empty() { ", " (asked.place) }
                },
                Line::Nearly(episode) => (told("near", "nearly ", episode)),
                Line::Held(episode) => (told("held", "held back ", episode)),
            }
        }
    }
}

/// What the robot does but what it says.
fn silent(answered: &Answered) -> &str {
    let says = answered.speech.as_ref().map(|speech| format!("says \"{speech}\""));
    let does = says.and_then(|says| answered.does.strip_prefix(&*says));
    does.unwrap_or(&answered.does).trim_start_matches(", ")
}

fn told(class: &str, what: &str, episode: &Episode) -> Markup {
    html! {
        div {
            (what) span class={ "tag " (class) } { (episode.rule) } " for " (episode.face_id)
            ", until " (format!("{:.1} s", episode.to_secs))
            small { (episode.why) " " code { (episode.key) } }
        }
    }
}
