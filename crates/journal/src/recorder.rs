//! From observations to finished buckets, in memory. Nothing here reads or writes a file.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::bucket::{AnswerSums, Cell, Pending, Published, RatingCounts, Span, VisitCell};
use crate::error::JournalError;
use crate::figures::{AnswerFigures, BucketContent, BucketFigures, RatingFigures, VisitFigures};
use crate::observation::{AnswerGiven, HealthCounts, ImageSeen, PersonSeen, Rating, name};
use crate::visit::{OpenVisit, Visit};

/// What nobody may ask to be finer.
pub const LEAST_BUCKET_MINUTES: u32 = 15;
/// A day.
const MOST_BUCKET_MINUTES: u32 = 24 * 60;
/// Of one place; more are not followed.
const MOST_OPEN_VISITS: usize = 1000;
/// Of one place; more are not counted.
const MOST_RULES: usize = 256;
/// More are not counted.
const MOST_PLACES: usize = 1000;
/// Finished buckets that wait while the file cannot be written: a month of a place. Then the
/// oldest goes.
const MOST_WAITING: usize = 10_000;

/// Follows visits and sums them up in buckets, each place for itself.
///
/// A bucket is finished at its end if it has ten visits; if not, it is merged with the next one,
/// and so on, over midnight too. What waits for its tenth visit is in this memory only: it is
/// neither written nor given to anybody, and it is lost where the program ends. A bucket that is
/// written is never changed afterwards, for the difference between the two versions would be fewer
/// than ten. Visits, each rule's answers, and ratings wait for their tenth each on their own, so a
/// rule that rarely fires has longer buckets than the visits.
///
/// A visit counts in the bucket in which it ends. Times may come late or jump: what is older than
/// the last image counts at the time of the last image, and where a clock was set back by more than
/// a bucket, all visits end.
#[derive(Debug)]
pub struct Recorder {
    bucket_secs: i64,
    places: BTreeMap<String, Place>,
    finished: Finished,
}

impl Recorder {
    /// Buckets of so many minutes: [`LEAST_BUCKET_MINUTES`], a multiple of it that divides the day,
    /// or a day.
    ///
    /// # Errors
    /// [`JournalError::BucketMinutes`] for any other.
    pub fn new(bucket_minutes: u32) -> Result<Self, JournalError> {
        let fits = bucket_minutes.is_multiple_of(LEAST_BUCKET_MINUTES)
            && (LEAST_BUCKET_MINUTES..=MOST_BUCKET_MINUTES).contains(&bucket_minutes)
            && MOST_BUCKET_MINUTES.is_multiple_of(bucket_minutes);
        if !fits {
            return Err(JournalError::BucketMinutes { found: bucket_minutes });
        }
        let bucket_secs = i64::from(bucket_minutes) * 60;
        Ok(Self { bucket_secs, places: BTreeMap::new(), finished: Finished::default() })
    }

    /// Takes in one image.
    pub fn see(&mut self, image: &ImageSeen<'_>) {
        self.at(image.place, image.time, |place, now| {
            for person in image.people {
                place.see(now, person);
            }
        });
    }

    /// Takes in an answer of the robot. Ids of people who are not in view are ignored.
    pub fn answer(&mut self, answer: &AnswerGiven<'_>) {
        let rule = name(answer.rule);
        self.at(answer.place, answer.time, |place, now| {
            for &id in answer.people {
                if let Some(visit) = place.open.get_mut(id) {
                    visit.answer(now, rule);
                }
            }
        });
    }

    /// Takes in a rating. `time`: since 1970 began in UTC.
    pub fn rate(&mut self, place: &str, time: Duration, rating: Rating) {
        self.at(place, time, |place, _| place.ratings.within(place.bucket).add(rating));
    }

    /// Takes in how the program did since the last call.
    pub fn health(&mut self, place: &str, time: Duration, counts: HealthCounts) {
        let known = |secs: f64| if secs.is_finite() { secs } else { 0.0 };
        let counts = HealthCounts {
            watched_secs: known(counts.watched_secs),
            paused_secs: known(counts.paused_secs),
            ..counts
        };
        self.at(place, time, |place, _| *place.health.within(place.bucket) += counts);
    }

    /// Lets time pass at all places, so that buckets end where no image comes.
    pub fn advance(&mut self, time: Duration) {
        for (name, place) in &mut self.places {
            place.advance(time, &mut Output { place: name, finished: &mut self.finished });
        }
    }

    /// Ends all visits and buckets, before the program ends or a camera is moved. What has no ten
    /// visits by now is lost.
    pub fn close(&mut self) {
        for (name, mut place) in std::mem::take(&mut self.places) {
            let output = &mut Output { place: &name, finished: &mut self.finished };
            place.end_visits(None, output);
            place.end_bucket(output);
        }
    }

    /// The finished buckets, for [`Journal::append`](crate::Journal::append).
    pub fn finished(&mut self) -> &mut Finished {
        &mut self.finished
    }

    fn at(&mut self, place: &str, time: Duration, then: impl FnOnce(&mut Place, Duration)) {
        let key = name(place);
        if !self.places.contains_key(key) {
            if self.places.len() >= MOST_PLACES {
                return;
            }
            self.places.insert(key.to_owned(), Place::new(time, self.bucket_secs));
        }
        if let Some(place) = self.places.get_mut(key) {
            let mut output = Output { place: key, finished: &mut self.finished };
            let now = place.advance(time, &mut output);
            then(place, now);
        }
    }
}

/// Where the finished buckets of a place go.
struct Output<'a> {
    place: &'a str,
    finished: &'a mut Finished,
}

/// The memory of one place.
#[derive(Debug)]
struct Place {
    now: Duration,
    bucket: Span,
    open: HashMap<String, OpenVisit>,
    visits: Pending<VisitCell>,
    answers: BTreeMap<String, Pending<AnswerSums>>,
    ratings: Pending<RatingCounts>,
    health: Pending<HealthCounts>,
}

impl Place {
    fn new(now: Duration, bucket_secs: i64) -> Self {
        Self {
            now,
            bucket: bucket_at(now, bucket_secs),
            open: HashMap::new(),
            visits: Pending::default(),
            answers: BTreeMap::new(),
            ratings: Pending::default(),
            health: Pending::default(),
        }
    }

    /// Ends the visits and the bucket that are over at this time. Gives the time that it is.
    fn advance(&mut self, time: Duration, output: &mut Output<'_>) -> Duration {
        let bucket_secs = self.bucket.length_secs();
        let back = self.now.saturating_sub(time);
        if back.as_secs() >= bucket_secs.unsigned_abs() {
            // The clock was set back.
            self.end_visits(None, output);
            self.end_bucket(output);
            self.bucket = bucket_at(time, bucket_secs);
            self.now = time;
        } else if time > self.now {
            self.end_visits(Some(time), output);
            self.move_to(time, output);
            self.now = time;
        }
        self.now
    }

    /// Ends the bucket if this time is past its end.
    fn move_to(&mut self, time: Duration, output: &mut Output<'_>) {
        if time.as_secs() as i64 >= self.bucket.to_secs {
            self.end_bucket(output);
            self.bucket = bucket_at(time, self.bucket.length_secs());
        }
    }

    /// Counts the visits that are over by a time, in the order in which they ended; without a time
    /// all.
    fn end_visits(&mut self, by: Option<Duration>, output: &mut Output<'_>) {
        let is_over = |visit: &OpenVisit| by.is_none_or(|by| visit.ends() <= by);
        let mut over: Vec<OpenVisit> =
            self.open.extract_if(|_, visit| is_over(visit)).map(|(_, visit)| visit).collect();
        over.sort_by_key(OpenVisit::ends);
        for visit in over {
            if by.is_some() {
                self.move_to(visit.ends(), output);
            }
            if let Some(visit) = visit.over() {
                self.count(&visit);
            }
        }
    }

    fn see(&mut self, now: Duration, person: &PersonSeen<'_>) {
        let over = if let Some(visit) = self.open.get_mut(person.id) {
            visit.see(now, person)
        } else if self.open.len() < MOST_OPEN_VISITS {
            let visit = self.open.entry(person.id.to_owned()).or_insert(OpenVisit::new(now));
            visit.see(now, person)
        } else {
            None
        };
        if let Some(visit) = over {
            self.count(&visit);
        }
    }

    fn count(&mut self, visit: &Visit) {
        self.visits.within(self.bucket).add(visit);
        for answered in &visit.answers {
            let is_known = self.answers.contains_key(&answered.rule);
            if is_known || self.answers.len() < MOST_RULES {
                let pending = self.answers.entry(answered.rule.clone()).or_default();
                pending.within(self.bucket).add(answered);
            }
        }
    }

    /// Gives out what may be written. The rest waits for the next bucket.
    fn end_bucket(&mut self, output: &mut Output<'_>) {
        let place = output.place;
        let finished = &mut *output.finished;
        finished.take(place, &mut self.visits, |published| Content::Visits(Box::new(published)));
        finished.take(place, &mut self.ratings, Content::Ratings);
        finished.take(place, &mut self.health, Content::Health);
        self.answers.retain(|rule, pending| {
            finished.take(place, pending, |published| Content::Answers(rule.clone(), published));
            !pending.is_empty()
        });
    }
}

/// The bucket that a time lies in.
fn bucket_at(time: Duration, bucket_secs: i64) -> Span {
    // A clock that shows the year 3000 or later is as good as any other there.
    let secs = time.as_secs().min(32_503_680_000) as i64;
    let from_secs = secs - secs % bucket_secs;
    Span { from_secs, to_secs: from_secs + bucket_secs }
}

/// Finished buckets that wait to be written: each figure in them rests on ten visits or more.
#[derive(Debug, Default)]
pub struct Finished {
    waiting: VecDeque<Row>,
    /// How many were dropped because the file could not be written for too long.
    dropped: u64,
}

/// One bucket of one table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) place: String,
    pub(crate) content: Content,
}

impl Row {
    /// `None` never: what is published has figures.
    fn figures(&self) -> Option<BucketFigures> {
        let (span, content) = match &self.content {
            Content::Visits(of) => {
                (of.span, BucketContent::Visits(VisitFigures::of(&of.cell.sums)?))
            }
            Content::Answers(rule, of) => {
                let figures = AnswerFigures::of(rule.clone(), &of.cell);
                (of.span, BucketContent::Answers(figures))
            }
            Content::Ratings(of) => (of.span, BucketContent::Ratings(RatingFigures::of(&of.cell)?)),
            Content::Health(of) => (of.span, BucketContent::Health(of.cell)),
        };
        let Span { from_secs, to_secs } = span;
        Some(BucketFigures { place: self.place.clone(), from_secs, to_secs, content })
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Visits(Box<Published<VisitCell>>),
    Answers(String, Published<AnswerSums>),
    Ratings(Published<RatingCounts>),
    Health(Published<HealthCounts>),
}

impl Finished {
    fn take<C: Cell>(
        &mut self,
        place: &str,
        pending: &mut Pending<C>,
        content: impl FnOnce(Published<C>) -> Content,
    ) {
        let Some(published) = pending.publish() else { return };
        self.push(Row { place: place.to_owned(), content: content(published) });
    }

    fn push(&mut self, row: Row) {
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(row);
    }

    /// Takes all of another, which is empty afterwards.
    pub fn append(&mut self, other: &mut Self) {
        std::mem::take(&mut other.waiting).into_iter().for_each(|row| self.push(row));
        self.dropped += std::mem::take(&mut other.dropped);
    }

    /// How many buckets wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many buckets were dropped, oldest first, because the file could not be written for so
    /// long that more than 10,000 waited.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The buckets, for those that pass them on beside the file.
    pub fn buckets(&self) -> impl Iterator<Item = BucketFigures> {
        self.waiting.iter().filter_map(Row::figures)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.waiting.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}
