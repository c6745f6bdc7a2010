//! WebSocket `watch`: what robots see and do. Each viewer has one picture outstanding, always the
//! newest; a slow viewer costs nobody anything.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::interval;

use crate::app::App;
use crate::hub::Look;
use crate::messages::{WatchMessage, WatchRequest};
use crate::picture::Picture;
use crate::problem::Problem;
use crate::socket::{Gone, PING_EVERY, Socket};

/// Robots whose pictures one viewer sees.
const MOST_LOOKS: usize = 16;

struct Watch {
    app: Arc<App>,
    socket: Socket,
    /// The robot that was shown last comes last.
    looks: VecDeque<(String, Look)>,
    /// Whether the viewer has shown the last picture.
    ready: bool,
}

/// Serves a viewer until either side ends it.
pub async fn run(app: Arc<App>, socket: WebSocket) {
    let mut watch = Watch { app, socket: Socket::new(socket), looks: VecDeque::new(), ready: true };
    // It ends when the other side is gone, which is no error.
    watch.serve().await.ok();
}

impl Watch {
    async fn serve(&mut self) -> Result<(), Gone> {
        let mut events = self.app.hub.events();
        let mut paused = self.app.paused.subscribe();
        let ended = self.app.ended();
        tokio::pin!(ended);
        let mut ping = interval(PING_EVERY);
        paused.borrow_and_update();
        let numbers_only = self.app.options.privacy.numbers_only;
        let robots = self.app.hub.robots();
        self.socket.tell(&WatchMessage::Hello { robots, numbers_only }).await?;
        loop {
            tokio::select! {
                message = self.socket.next() => self.take(message?).await?,
                event = events.recv() => match event {
                    Ok(event) => self.socket.send(Message::Text(event.json)).await?,
                    Err(RecvError::Lagged(messages)) => {
                        self.socket.tell(&WatchMessage::Lost { messages }).await?;
                    }
                    Err(RecvError::Closed) => return Ok(()),
                },
                (index, picture) = newest(&mut self.looks), if self.ready => {
                    self.show(index, picture).await?;
                }
                Ok(()) = paused.changed() => {
                    let paused = *paused.borrow_and_update();
                    self.socket.tell(&WatchMessage::Paused { paused }).await?;
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
            Message::Text(text) => self.request(&text),
            _ => Err(Problem::bad_request("a binary message, expected text")),
        };
        match taken {
            Ok(()) => Ok(()),
            Err(problem) => self.socket.tell(&WatchMessage::Problem(problem.into())).await,
        }
    }

    fn request(&mut self, text: &str) -> Result<(), Problem> {
        let request = serde_json::from_str(text)
            .map_err(|error| Problem::bad_request(format!("text message: {error}")))?;
        match request {
            WatchRequest::Ready => self.ready = true,
            WatchRequest::Look { robot, pictures } => {
                self.looks.retain(|(known, _)| *known != robot);
                if pictures {
                    self.look(robot)?;
                }
            }
        }
        Ok(())
    }

    fn look(&mut self, robot: String) -> Result<(), Problem> {
        if self.app.options.privacy.numbers_only {
            return Err(Problem::forbidden("this server sends numbers only, no pictures"));
        }
        if self.looks.len() == MOST_LOOKS {
            let detail = format!("pictures of more than {MOST_LOOKS} robots");
            return Err(Problem::too_many(detail).with("more", MOST_LOOKS));
        }
        let look = self.app.hub.look(&robot).ok_or_else(|| {
            let robot: String = robot.chars().take(80).collect();
            Problem::not_found(format!("no robot {robot} is known"))
        })?;
        self.looks.push_front((robot, look));
        Ok(())
    }

    /// Sends a picture; without one the robot has left.
    async fn show(&mut self, index: usize, picture: Option<Arc<Picture>>) -> Result<(), Gone> {
        let Some((robot, look)) = self.looks.remove(index) else { return Ok(()) };
        let Some(picture) = picture else { return Ok(()) };
        let Picture { stamp_secs, width_px: width, height_px: height, .. } = *picture;
        let message = WatchMessage::Picture { robot: robot.clone(), stamp_secs, width, height };
        self.looks.push_back((robot, look));
        self.ready = false;
        self.socket.tell(&message).await?;
        self.socket.send(Message::Binary(picture.jpeg.clone())).await
    }
}

/// The first picture that is new, of the robots in their order; waits where there is none.
async fn newest(looks: &mut VecDeque<(String, Look)>) -> (usize, Option<Arc<Picture>>) {
    if looks.is_empty() {
        return std::future::pending().await;
    }
    let waiting = looks.iter_mut().map(|(_, look)| Box::pin(look.next()));
    let (picture, index, _) = futures_util::future::select_all(waiting).await;
    (index, picture)
}
