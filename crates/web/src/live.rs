//! WebSocket `live`: one session, one picture at a time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use rapport_perception::{Session, SessionOptions};
use rapport_vocabulary::{Emotion, ImageStamp};
use tokio::time::{Instant, interval};

use crate::api::explain::label_of;
use crate::app::{App, Counted};
use crate::journal::Seen;
use crate::look::{self, Moment};
use crate::messages::{LiveMessage, LiveRequest, ObservationReport};
use crate::problem::Problem;
use crate::socket::{Gone, PING_EVERY, Socket};

/// The longest time that a picture may state: beyond any video, and exact in microseconds.
const MOST_SECS: f64 = 1e9;

/// Maps that may be asked for with one picture.
const MOST_MAPS: usize = 16;

/// What the picture showed, and who of it the journal counts.
type Shown = Result<(ObservationReport, Option<Vec<Seen>>), Problem>;

/// What comes back from the processors: the session, and what the picture showed.
type Answer = Result<(Session, Shown), Problem>;

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
            Message::Text(text) => self.request(&text),
            _ => Ok(()),
        };
        match taken {
            Ok(()) => Ok(()),
            Err(problem) => self.socket.tell(&LiveMessage::Problem(problem.into())).await,
        }
    }

    fn request(&mut self, text: &str) -> Result<(), Problem> {
        let request = serde_json::from_str(text)
            .map_err(|error| Problem::bad_request(format!("text message: {error}")))?;
        match request {
            LiveRequest::Reset => {
                self.forget = true;
                self.announced = Announced::default();
            }
            LiveRequest::Picture { time_secs, want } => {
                self.announced = Announced {
                    time: time_secs.map(time_of).transpose()?,
                    heat: self.heat_of(&want)?,
                };
            }
        }
        Ok(())
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
        let moment = Moment { data, number: self.pictures, stamp, heat, counted_as };
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
            Ok((report, counted)) => {
                if let Some(people) = counted {
                    self.app.count_people(&people);
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
