//! What both WebSockets do alike: messages that must be taken in time, silence that ends, goodbyes.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::messages::ProblemMessage;
use crate::problem::Problem;

/// Bytes of a text message.
pub const MOST_TEXT: usize = 16 << 10;

/// Whoever does not take a message within this time is gone.
const LONGEST_SEND: Duration = Duration::from_secs(10);

/// A question whether the other side is still there, this often.
pub const PING_EVERY: Duration = Duration::from_secs(20);

/// Whoever sends nothing for so long, not even the answer to a ping, is gone.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(65);

/// The other side is gone, or will be.
#[derive(Debug)]
pub struct Gone;

/// A WebSocket, seen from one of ours.
#[derive(Debug)]
pub struct Socket {
    socket: WebSocket,
    heard: Instant,
}

impl Socket {
    /// From here on silence counts.
    pub fn new(socket: WebSocket) -> Self {
        Self { socket, heard: Instant::now() }
    }

    /// The next message: text or binary.
    ///
    /// # Errors
    /// If the other side is gone, or sent what is no message. It is told where it can be.
    pub async fn next(&mut self) -> Result<Message, Gone> {
        loop {
            match self.socket.recv().await {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    self.heard = Instant::now();
                    return Ok(message);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => self.heard = Instant::now(),
                Some(Ok(Message::Close(_))) | None => return Err(Gone),
                Some(Err(error)) => {
                    let reason = error.to_string();
                    let code = match &reason {
                        reason if reason.contains("too long") => close_code::SIZE,
                        reason if reason.contains("UTF-8") => close_code::INVALID,
                        _ => close_code::PROTOCOL,
                    };
                    self.close(code, &reason).await;
                    return Err(Gone);
                }
            }
        }
    }

    /// Sends a message as text.
    ///
    /// # Errors
    /// If it is not taken in time.
    pub async fn tell(&mut self, message: &impl Serialize) -> Result<(), Gone> {
        let text = serde_json::to_string(message).map_err(|_| Gone)?;
        self.send(Message::Text(text.into())).await
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If it is not taken in time.
    pub async fn send(&mut self, message: Message) -> Result<(), Gone> {
        timeout(LONGEST_SEND, self.socket.send(message)).await.ok().and_then(Result::ok).ok_or(Gone)
    }

    /// Asks whether the other side is still there.
    ///
    /// # Errors
    /// If it has been silent for too long.
    pub async fn ping(&mut self) -> Result<(), Gone> {
        if self.heard.elapsed() > LONGEST_SILENCE {
            return Err(Gone);
        }
        self.send(Message::Ping(bytes::Bytes::new())).await
    }

    /// Says goodbye and why.
    pub async fn close(&mut self, code: u16, reason: &str) {
        // A close frame holds 123 bytes.
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let frame = CloseFrame { code, reason: reason[..end].into() };
        // Who is gone already needs no goodbye.
        self.send(Message::Close(Some(frame))).await.ok();
    }

    /// Says goodbye because the server ends.
    pub async fn close_at_the_end(&mut self) {
        self.close(close_code::AWAY, "the server ends").await;
    }
}

/// Says why there is no session, and goodbye.
pub async fn refuse(socket: WebSocket, problem: Problem) {
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Refusal {
        Problem(ProblemMessage),
    }
    let mut socket = Socket::new(socket);
    let detail = problem.detail.clone();
    if socket.tell(&Refusal::Problem(problem.into())).await.is_ok() {
        socket.close(close_code::AGAIN, &detail).await;
    }
}
