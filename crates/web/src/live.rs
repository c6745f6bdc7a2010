//! WebSocket `live`: one session, one picture at a time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use rapport_perception::{Session, SessionOptions};
use rapport_vocabulary::{Emotion, ImageStamp};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::api::explain::label_of;
use crate::app::{App, Counted};
use crate::feedback::visitor::{Read, Visitor};
use crate::look::{self, Looked, Moment};
use crate::messages::{ConsentEnd, LiveMessage, LiveRequest};
use crate::problem::Problem;
use crate::socket::{Gone, PING_EVERY, Socket};

/// The longest time that a picture may state: beyond any video, and exact in microseconds.
const MOST_SECS: f64 = 1e9;

/// Maps that may be asked for with one picture.
const MOST_MAPS: usize = 16;

/// So often it is checked whether a consent is over.
const CHECK_EVERY: Duration = Duration::from_millis(500);

/// What comes back from the processors: the session, and what the picture showed.
type Answer = Result<(Session, Result<Looked, Problem>), Problem>;

/// A picture that is being processed.
type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What is known of the next picture before it comes.
#[derive(Debug, Default)]
struct Announced {
    time: Option<Duration>,
    heat: Vec<Emotion>,
}

struct Live {
    app: Arc<App>,
    socket: Socket,
    /// Away while a picture is processed.
    session: Option<Session>,
    pending: Option<Pending>,
    announced: Announced,
    began: Instant,
    pictures: u64,
    forget: bool,
    /// Who consented that faces are kept.
    visitor: Option<Visitor>,
    /// A picture is on its way that was taken under another consent, or none.
    is_of_another: bool,
    /// The name of this session's ids in the journal, and how often it forgot everybody: they begin
    /// anew then.
    number: u64,
    forgot: u64,
}

/// Serves a session until either side ends it. `counted` counts it among the sessions.
pub async fn run(app: Arc<App>, socket: WebSocket, (session, _counted): (u64, Counted)) {
    let mut live = Live {
        socket: Socket::new(socket),
        session: None,
        pending: None,
        announced: Announced::default(),
        began: Instant::now(),
        pictures: 0,
        forget: false,
        visitor: None,
        is_of_another: false,
        number: session,
        forgot: 0,
        app,
    };
    // It ends when the other side is gone, which is no error.
    live.serve().await.ok();
}

impl Live {
    async fn serve(&mut self) -> Result<(), Gone> {
        let mut paused = self.app.paused.subscribe();
        let ended = self.app.ended();
        tokio::pin!(ended);
        let mut ping = interval(PING_EVERY);
        let mut check = interval(CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let labels = self.app.labels().iter().map(|label| label.to_string()).collect();
        let is_paused = *paused.borrow_and_update();
        let session = self.number;
        self.socket.tell(&LiveMessage::Hello { session, labels, paused: is_paused }).await?;
        loop {
            tokio::select! {
                message = self.socket.next() => self.take(message?).await?,
                answer = ready(&mut self.pending) => self.answer(answer).await?,
                Ok(()) = paused.changed() => {
                    let paused = *paused.borrow_and_update();
                    self.socket.tell(&LiveMessage::Paused { paused }).await?;
                }
                _ = ping.tick() => self.socket.ping().await?,
                _ = check.tick(), if self.visitor.is_some() => self.end_what_is_over().await?,
                () = &mut ended => {
                    self.socket.close_at_the_end().await;
                    return Ok(());
                }
            }
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), Gone> {
        let taken = match message {
            Message::Binary(data) => self.picture(data),
            Message::Text(text) => self.request(&text).await?,
            _ => Ok(()),
        };
        match taken {
            Ok(()) => Ok(()),
            Err(problem) => self.socket.tell(&LiveMessage::Problem(problem.into())).await,
        }
    }

    /// What is wrong with the message is answered; what is wrong with the socket ends the session.
    async fn request(&mut self, text: &str) -> Result<Result<(), Problem>, Gone> {
        match serde_json::from_str(text) {
            Ok(LiveRequest::Consent) => match self.consent().await {
                Ok(message) => self.socket.tell(&message).await.map(Ok),
                Err(problem) => Ok(Err(problem)),
            },
            Ok(LiveRequest::EndConsent) => self.end_consent(ConsentEnd::Ended).await.map(Ok),
            Ok(LiveRequest::Reset) => {
                self.forget = true;
                self.announced = Announced::default();
                // Ids begin anew: the next face of this id may be anybody's.
                self.end_consent(ConsentEnd::Ended).await.map(Ok)
            }
            Ok(LiveRequest::Picture { time_secs, want }) => Ok(self.announce(time_secs, &want)),
            Err(error) => Ok(Err(Problem::bad_request(format!("text message: {error}")))),
        }
    }

    fn announce(&mut self, time_secs: Option<f64>, want: &[String]) -> Result<(), Problem> {
        let time = time_secs.map(time_of).transpose()?;
        self.announced = Announced { time, heat: self.heat_of(want)? };
        Ok(())
    }

    /// The person at the page consents: from now on, and in place of whoever did before.
    async fn consent(&mut self) -> Result<LiveMessage, Problem> {
        let feedback = self.app.feedback()?.clone();
        let consent = feedback.consent().await?;
        self.visitor = Some(Visitor::new(&consent, feedback.read_every(), Instant::now()));
        self.is_of_another = self.pending.is_some();
        let (code, until) = (consent.code.to_string(), consent.until.to_string());
        Ok(LiveMessage::Consent { code, until })
    }

    async fn end_consent(&mut self, reason: ConsentEnd) -> Result<(), Gone> {
        let Some(visitor) = self.visitor.take() else { return Ok(()) };
        let faces = visitor.faces;
        self.socket.tell(&LiveMessage::ConsentEnded { reason, faces }).await
    }

    async fn end_what_is_over(&mut self) -> Result<(), Gone> {
        match self.visitor.as_ref().and_then(|visitor| visitor.over(Instant::now())) {
            Some(reason) => self.end_consent(reason).await,
            None => Ok(()),
        }
    }

    /// Takes note of who is in view, and keeps a face that was drawn.
    async fn see(&mut self, face_ids: &[String], read: Read) -> Result<(), Gone> {
        // Looked at before anything else: nothing is kept once it is over.
        self.end_what_is_over().await?;
        let (now, is_of_another) = (Instant::now(), std::mem::take(&mut self.is_of_another));
        let Some(visitor) = self.visitor.as_mut().filter(|_| !is_of_another) else { return Ok(()) };
        if let Some(view) = visitor.look(face_ids.iter().map(String::as_str), now) {
            self.socket.tell(&LiveMessage::Consenting { view }).await?;
        }
        if !matches!(read, Read::NotFit) {
            visitor.was_read(now);
        }
        let (Read::Drawn(face), Some(feedback)) = (read, &self.app.options.feedback) else {
            return Ok(());
        };
        match feedback.keep(visitor.ticket().clone(), *face).await {
            Ok(Some(faces)) => {
                visitor.faces = faces;
                self.socket.tell(&LiveMessage::Kept { faces }).await
            }
            Ok(None) => self.end_consent(ConsentEnd::Withdrawn).await,
            Err(_) => self.end_consent(ConsentEnd::Failed).await,
        }
    }

    fn heat_of(&self, want: &[String]) -> Result<Vec<Emotion>, Problem> {
        if want.len() > MOST_MAPS {
            let detail = format!("{} maps wanted, expected at most {MOST_MAPS}", want.len());
            return Err(Problem::too_many(detail).with(want.len(), MOST_MAPS));
        }
        let map = |word: &String| match word.strip_prefix("heat:") {
            Some(label) => label_of(label, self.app.labels()),
            None => {
                let word: String = word.chars().take(40).collect();
                let detail = format!("`{word}` wanted, expected `heat:LABEL`");
                Err(Problem::bad_request(detail).with(word, "heat:LABEL"))
            }
        };
        want.iter().map(map).collect()
    }

    fn picture(&mut self, data: Bytes) -> Result<(), Problem> {
        let Announced { time, heat } = std::mem::take(&mut self.announced);
        if self.pending.is_some() {
            self.app.metrics.refused("outstanding");
            self.app.counted.lost(1);
            let detail = "a picture came before the answer to the one before; it was dropped";
            return Err(Problem::too_many(detail).with("2 outstanding", "1 outstanding"));
        }
        self.app.check_running()?;
        self.pictures += 1;
        let stamp = match time {
            // Nothing but the client's own clock: the same video gives the same answers.
            Some(time) => ImageStamp::at(time),
            None => ImageStamp { stamp: None, arrival: self.began.elapsed() },
        };
        let new = || Session::new(self.app.pool.networks().clone(), SessionOptions::default());
        let mut session = self.session.take().unwrap_or_else(new);
        if std::mem::take(&mut self.forget) {
            session.reset();
            self.forgot += 1;
        }
        // A picture with a time of its own is of a video: nobody visits this place in it.
        let counted_as = (time.is_none() && self.app.counts_sessions())
            .then(|| format!("{}.{}", self.number, self.forgot));
        // Nor does anybody consent in it.
        let visitor = self.visitor.as_ref().filter(|_| time.is_none());
        let read = visitor.and_then(|visitor| visitor.due(Instant::now()));
        let moment = Moment { data, number: self.pictures, stamp, heat, counted_as, read };
        let app = self.app.clone();
        self.pending = Some(Box::pin(async move {
            let look = move |processor: &mut _, queued| {
                let report = look::moment(processor, &mut session, &moment, queued);
                (session, report)
            };
            app.pool.run(look).await
        }));
        Ok(())
    }

    async fn answer(&mut self, answer: Answer) -> Result<(), Gone> {
        self.pending = None;
        let shown = answer.and_then(|(session, shown)| {
            self.session = Some(session);
            shown
        });
        let message = match shown {
            Ok(Looked { report, counted, read }) => {
                if let Some(people) = counted {
                    self.app.count_people(&people);
                }
                if self.visitor.is_some() {
                    let face_ids: Vec<_> =
                        report.people.iter().map(|person| person.face.face_id.clone()).collect();
                    self.see(&face_ids, read).await?;
                }
                let took = Duration::from_secs_f64(report.timings_ms.total / 1e3);
                self.app.pool.measured(took);
                self.app.metrics.live(&report.timings_ms);
                self.app.metrics.picture("live", report.people.len());
                LiveMessage::Observation(Box::new(report))
            }
            Err(problem) => {
                self.app.counted.error();
                LiveMessage::Problem(problem.into())
            }
        };
        self.socket.tell(&message).await
    }
}

/// Waits for the answer, for ever where none is pending.
async fn ready(pending: &mut Option<Pending>) -> Answer {
    match pending {
        Some(pending) => pending.await,
        None => std::future::pending().await,
    }
}

fn time_of(secs: f64) -> Result<Duration, Problem> {
    if (0.0..=MOST_SECS).contains(&secs) {
        return Ok(Duration::from_secs_f64(secs));
    }
    let allowed = format!("0 to {MOST_SECS:e} s");
    let detail = format!("time_secs is {secs}, expected {allowed}");
    Err(Problem::bad_request(detail).with(secs, allowed))
}
