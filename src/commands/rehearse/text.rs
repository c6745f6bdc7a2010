//! The timeline of a rehearsal, for a terminal.

use super::account::{Episode, PolicyRehearsed, Rehearsal};

/// All of it, a section for each policy.
pub fn timeline(rehearsal: &Rehearsal) -> String {
    let Rehearsal { recording, images, secs, people, .. } = rehearsal;
    let mut text =
        format!("{recording}: {images} images, {secs:.1} s, {} people seen\n", people.len());
    if !rehearsal.knows_distance {
        text += "no distance is known: --horizontal-fov-deg was not given\n";
    }
    for policy in &rehearsal.policies {
        text += &format!("\n{}\n", policy.file);
        text += &section(rehearsal, policy);
    }
    text
}

fn section(rehearsal: &Rehearsal, policy: &PolicyRehearsed) -> String {
    let mut lines: Vec<(f64, u8, String)> = Vec::new();
    for person in &rehearsal.people {
        let near = person.nearest_m.map(|m| format!(", {m:.1} m at the nearest"));
        let text = format!(
            "{} is in view until {:.1} s{}",
            person.face_id,
            person.to_secs,
            near.unwrap_or_default()
        );
        lines.push((person.from_secs, 0, text));
    }
    for episode in &policy.nearly {
        lines.push((episode.from_secs, 1, told("nearly", episode)));
    }
    for episode in &policy.held_back {
        lines.push((episode.from_secs, 2, told("held back", episode)));
    }
    for asked in &policy.staff_requests {
        let text = format!("{} calls staff: {} at {:?}", asked.rule, asked.kind, asked.place);
        lines.push((asked.at_secs, 3, text));
    }
    for answered in &policy.responses {
        let group = match &answered.group_face_ids[..] {
            [] => String::new(),
            others => format!(" and {}", others.join(", ")),
        };
        let (rule, face_id, does) = (&answered.rule, &answered.face_id, &answered.does);
        let text =
            format!("{rule} -> {face_id}{group}: {does}\n             because {}", answered.reason);
        lines.push((answered.at_secs, 4, text));
        if let Some((at_secs, reason)) = &answered.cancelled {
            lines.push((*at_secs, 3, format!("{rule} is cut short: {reason}")));
        }
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut text = String::new();
    if !policy.unknown_states.is_empty() {
        text += &format!(
            "  states that the recording does not tell, unknown here: {}\n",
            policy.unknown_states.join(", ")
        );
    }
    for (at_secs, _, line) in lines {
        text += &format!("{at_secs:7.1} s  {line}\n");
    }
    let counted: Vec<String> = policy
        .rules
        .iter()
        .map(|rule| {
            let (fired, nearly, held) = (rule.fired, rule.nearly, rule.held_back);
            format!("{} {fired}/{nearly}/{held}", rule.rule)
        })
        .collect();
    text += &format!("  fired/nearly/held back: {}\n", counted.join(", "));
    text
}

fn told(what: &str, episode: &Episode) -> String {
    let Episode { rule, face_id, to_secs, why, .. } = episode;
    format!("{what} {rule} for {face_id}, until {to_secs:.1} s: {why}")
}
