//! The person at a page who consented: whose face may be kept, and until when.
//!
//! A consent is for one person, and a camera sees whoever is before it. So it holds for one face
//! that is followed without a break, and nothing is kept while anybody else is in view.

use std::time::Duration;

use rapport_feedback::{Consent, Picture, Reading, Ticket, draw};
use rapport_perception::crop::crop_level_rgb;
use rapport_perception::frame::Frame;
use rapport_perception::{Networks, Person};
use tokio::time::Instant;

use crate::messages::{ConsentEnd, ConsentView};
use crate::problem::Problem;

/// A face is read so often, where nothing else is said, and of these readings some are drawn.
pub const READ_EVERY: Duration = Duration::from_secs(15);

/// The first reading: not the face that looks for the button.
const FIRST_AFTER: Duration = Duration::from_secs(3);

/// Whoever consents is alone in view for so long before: a second face may be found a little later.
const ALONE_FOR: Duration = Duration::from_secs(1);

/// Whoever is not seen for so long has left.
const LEFT_AFTER: Duration = Duration::from_secs(3);

/// So long after the consent somebody must be in view.
const COMES_WITHIN: Duration = Duration::from_secs(20);

/// A consent lasts at most so long: a tablet is left behind.
pub const LONGEST: Duration = Duration::from_secs(600);

/// Smaller faces show too little.
const LEAST_FACE_PX: f32 = 48.0;

/// Side of a face that is kept, in pixels; level, as the network sees it.
const SIDE_PX: u32 = 112;

/// A face that was drawn to be kept.
#[derive(Debug)]
pub struct Drawn {
    /// What the network said of it.
    pub reading: Reading,
    /// Which lot won.
    pub lot: rapport_feedback::Drawn,
    /// The face.
    pub picture: Picture,
}

/// What came of a picture in which a reading was due.
#[derive(Debug)]
pub enum Read {
    /// It was no reading: not that person alone, or not classified in this picture.
    NotFit,
    /// A reading that was not drawn.
    NotDrawn,
    /// A reading that was.
    Drawn(Box<Drawn>),
}

/// Reads the face of a picture, if it is that of the one who consented, alone, and was classified in
/// this very picture.
///
/// # Errors
/// If the face cannot be cut out.
pub fn read(
    frame: &Frame<'_>,
    people: &[Person],
    face_id: &str,
    networks: &Networks,
) -> Result<Read, Problem> {
    let [person] = people else { return Ok(Read::NotFit) };
    let roi = person.face.roi_in_image;
    let is_fit = person.id.to_string() == face_id
        && person.distribution_age.is_zero()
        && roi.width.min(roi.height) >= LEAST_FACE_PX;
    if !is_fit {
        return Ok(Read::NotFit);
    }
    let labels = networks.labels();
    // The network's own: what is learnt from answers would else be learnt again and again.
    let seen = networks.before_calibration(&person.instant_probabilities);
    let probability = |label| (label, seen.of(label));
    let reading = Reading {
        shown: person.emotion,
        sure: person.sure,
        probabilities: labels.iter().map(probability).collect(),
        model_sha256: networks.emotion_model().sha256.clone(),
    };
    let Some(lot) = draw(&reading.probabilities)? else { return Ok(Read::NotDrawn) };
    let rgb = crop_level_rgb(frame, &person.face, SIDE_PX);
    let picture = Picture::of_rgb(&rgb, SIDE_PX, SIDE_PX)?;
    Ok(Read::Drawn(Box::new(Drawn { reading, lot, picture })))
}

/// The person at a page, from their consent to its end.
#[derive(Debug)]
pub struct Visitor {
    ticket: Ticket,
    began: Instant,
    /// Whose it is: the first face that was alone in view for long enough.
    face_id: Option<String>,
    /// Who is alone in view, and since when, before that is known.
    alone: Option<(String, Instant)>,
    seen: Instant,
    read_every: Duration,
    next_reading: Instant,
    view: ConsentView,
    /// How many faces were kept.
    pub faces: u64,
}

impl Visitor {
    /// From now on, with a reading so often.
    pub fn new(consent: &Consent, read_every: Duration, now: Instant) -> Self {
        Self {
            ticket: consent.ticket.clone(),
            began: now,
            face_id: None,
            alone: None,
            seen: now,
            read_every,
            next_reading: now,
            view: ConsentView::Nobody,
            faces: 0,
        }
    }

    /// With it faces are kept.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Whose face is to be read in the next picture, if a reading is due.
    pub fn due(&self, now: Instant) -> Option<String> {
        self.face_id.clone().filter(|_| now >= self.next_reading)
    }

    /// A reading was made: the next one is due later, drawn or not.
    pub fn was_read(&mut self, now: Instant) {
        self.next_reading = now + self.read_every;
    }

    /// Takes note of who is in view; what changed for the page, if anything.
    pub fn look<'a>(
        &mut self,
        face_ids: impl ExactSizeIterator<Item = &'a str>,
        now: Instant,
    ) -> Option<ConsentView> {
        let ids: Vec<&str> = face_ids.collect();
        if self.face_id.is_none() {
            self.choose(&ids, now);
        }
        let is_own = |id: &str| self.face_id.as_deref().is_none_or(|own| own == id);
        let is_there = ids.iter().any(|id| is_own(id));
        if is_there && self.face_id.is_some() {
            self.seen = now;
        }
        let view = match ids.len() {
            0 => ConsentView::Nobody,
            1 if is_there => ConsentView::Alone,
            _ => ConsentView::Others,
        };
        (std::mem::replace(&mut self.view, view) != view).then_some(view)
    }

    /// Decides whose consent it is, once somebody is alone in view for long enough.
    fn choose(&mut self, ids: &[&str], now: Instant) {
        self.alone = match (ids, self.alone.take()) {
            ([only], Some((before, since))) if before == *only => Some((before, since)),
            ([only], _) => Some(((*only).to_owned(), now)),
            _ => None,
        };
        if let Some((id, since)) = &self.alone
            && now >= *since + ALONE_FOR
        {
            self.face_id = Some(id.clone());
            self.next_reading = now + FIRST_AFTER.min(self.read_every);
        }
    }

    /// Whether the consent is over, and why.
    pub fn over(&self, now: Instant) -> Option<ConsentEnd> {
        let patience = if self.face_id.is_some() { LEFT_AFTER } else { COMES_WITHIN };
        if now >= self.began + LONGEST {
            return Some(ConsentEnd::Time);
        }
        (now >= self.seen + patience).then_some(ConsentEnd::Left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_feedback::{Day, FeedbackStore, Key};

    fn visitor(now: Instant) -> Visitor {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("faces");
        let key = Key::read_or_make(&root.path().join("keys/key"), &folder).unwrap();
        let store = FeedbackStore::open_or_make(&folder, &key).unwrap();
        let consent = store.consent("lobby", 1, Day::today()).unwrap();
        Visitor::new(&consent, READ_EVERY, now)
    }

    #[test]
    fn a_consent_is_for_one_face_and_ends_with_it() {
        let start = Instant::now();
        let at = |secs: f64| start + Duration::from_secs_f64(secs);
        let mut visitor = visitor(start);
        // Two people: whose consent is it?
        let mut look = |ids: &[&str], secs| visitor.look(ids.iter().copied(), at(secs));
        assert_eq!(look(&["face_1", "face_2"], 0.1), Some(ConsentView::Others));
        assert_eq!(look(&["face_1"], 0.2), Some(ConsentView::Alone));
        // The second one was overlooked for a moment.
        assert_eq!(look(&["face_1", "face_2"], 1.1), Some(ConsentView::Others));
        look(&["face_1"], 1.2);
        look(&["face_1"], 2.1);
        assert_eq!(visitor.due(at(60.0)), None);
        visitor.look(["face_1"].into_iter(), at(2.2));
        assert_eq!(visitor.due(at(2.3)), None);
        assert_eq!(visitor.due(at(5.3)).as_deref(), Some("face_1"));
        visitor.was_read(at(5.3));
        assert_eq!(visitor.due(at(20.2)), None);
        assert!(visitor.due(at(20.4)).is_some());
        assert_eq!(visitor.look(["face_1"].into_iter(), at(20.4)), None);
        // Another one steps in, and stays alone: the consent is not theirs.
        visitor.look(["face_1", "face_3"].into_iter(), at(21.0));
        assert_eq!(visitor.look(["face_3"].into_iter(), at(22.0)), None);
        assert_eq!(visitor.over(at(23.9)), None);
        assert_eq!(visitor.due(at(23.9)).as_deref(), Some("face_1"));
        assert_eq!(visitor.over(at(24.1)), Some(ConsentEnd::Left));
    }

    #[test]
    fn a_consent_that_nobody_uses_ends_and_none_lasts_for_ever() {
        let start = Instant::now();
        let mut visitor = visitor(start);
        assert_eq!(visitor.over(start + COMES_WITHIN / 2), None);
        assert_eq!(visitor.over(start + COMES_WITHIN), Some(ConsentEnd::Left));
        for secs in 0..LONGEST.as_secs() {
            let now = start + Duration::from_secs(secs);
            visitor.look(["face_1"].into_iter(), now);
            assert_eq!(visitor.over(now), None);
        }
        assert_eq!(visitor.over(start + LONGEST), Some(ConsentEnd::Time));
    }
}
