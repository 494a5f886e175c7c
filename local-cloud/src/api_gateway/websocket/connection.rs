//! One client, from its upgrade to `$disconnect`.
//!
//! Messages are handled side by side, so that a slow function holds up no ping and a handler may post back to the
//! client whose message it handles; so many at once that a client that sends faster than the function answers waits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use lambkin_protocol::websocket::{self, DISCONNECT, Moment};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::api::{Api, now};
use super::connections::{Client, Parcel};
use super::{MAX_FRAME, MAX_MESSAGE, integration, message};
use crate::api_gateway::Visit;
use crate::api_gateway::incoming::trace_id;

/// How many messages of one client are handled at once.
const AT_ONCE: usize = 32;
/// What is read from a client at once, in bytes.
const READ_BUFFER: usize = 8 * 1024;
/// How long a client may take to make room for a message.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take to answer a close frame and to hang up.
const FAREWELL: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How a connection ended: what `$disconnect` is told, and what the client is.
struct End {
    status: u16,
    reason: String,
}

impl End {
    /// The client is to be told `status`, by a close frame with `reason`.
    fn new(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.to_owned() }
    }

    fn going_away() -> Self {
        Self::new(1001, "Going away")
    }

    /// Nothing was said.
    fn abnormal() -> Self {
        Self::new(1006, "Connection closed abnormally")
    }

    /// What the client said in its close frame.
    fn of(frame: Option<&CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self::new(frame.code.into(), frame.reason.as_str()),
            None => Self::new(1005, "Client-side close frame status not set"),
        }
    }

    /// What is wrong with what the client sent; RFC 6455 section 7.4.1 has the codes.
    fn because(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::new(1009, "Message too big"),
            Error::Utf8(_) => Self::new(1007, "Invalid frame payload data"),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
            | Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed => Self::abnormal(),
            _ => Self::new(1002, "Protocol error"),
        }
    }
}

/// Serves a client until it goes or is sent away, then invokes `$disconnect`.
pub(super) async fn run(
    api: Arc<Api>,
    client: Arc<Client>,
    upgrade: OnUpgrade,
    mut parcels: mpsc::Receiver<Parcel>,
) {
    let end = match upgrade.await {
        Ok(upgraded) => {
            let (role, stream) = (Role::Server, TokioIo::new(upgraded));
            let socket = WebSocketStream::from_raw_socket(stream, role, Some(config())).await;
            serve(&api, &client, socket, &mut parcels).await
        }
        // The client left while `$connect` was invoked.
        Err(_) => End::abnormal(),
    };
    api.connections.remove(&client.id);
    // Whoever still sends to it hears that it is gone.
    drop(parcels);
    disconnect(&api, &client, end).await;
}

async fn serve(
    api: &Arc<Api>,
    client: &Arc<Client>,
    socket: Socket,
    parcels: &mut mpsc::Receiver<Parcel>,
) -> End {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let began = Instant::now();
    let mut session =
        Session { api, client, socket, turns, turn: None, last: began, farewell: Farewell::Due };
    let end = loop {
        if let Some(end) = session.step(began, parcels).await {
            break end;
        }
    };
    session.leave(&end).await;
    end
}

/// Whether a close frame is still to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    Due,
    /// The client said it first: the answer goes out by itself.
    Answered,
    /// Nobody is there to hear it.
    Pointless,
}

struct Session<'a> {
    api: &'a Arc<Api>,
    client: &'a Arc<Client>,
    socket: Socket,
    turns: Arc<Semaphore>,
    /// The right to handle the next message.
    turn: Option<OwnedSemaphorePermit>,
    /// When something was last sent either way.
    last: Instant,
    farewell: Farewell,
}

impl Session<'_> {
    /// Waits for the next thing to happen; gives the end when it was the last.
    async fn step(&mut self, began: Instant, parcels: &mut mpsc::Receiver<Parcel>) -> Option<End> {
        let limits = &self.api.limits;
        let ends_at = (began + limits.lifetime).min(self.last + limits.idle);
        tokio::select! {
            () = self.api.closing.cancelled() => Some(End::going_away()),
            () = sleep_until(ends_at) => Some(End::going_away()),
            parcel = parcels.recv() => match parcel {
                Some(Parcel::Message(data, delivered)) => {
                    let end = self.send(data).await;
                    if end.is_none() {
                        // A sender that has stopped waiting does not care.
                        delivered.send(()).ok();
                    }
                    end
                }
                Some(Parcel::Close) | None => Some(End::new(1000, "Connection Closed Normally")),
            },
            turn = Arc::clone(&self.turns).acquire_owned(), if self.turn.is_none() => {
                self.turn = turn.ok();
                None
            }
            received = self.socket.next(), if self.turn.is_some() => self.receive(received),
        }
    }

    fn receive(&mut self, received: Option<Result<Message, Error>>) -> Option<End> {
        self.last = Instant::now();
        match received {
            Some(Ok(Message::Text(text))) => {
                self.client.is_active();
                let (api, client) = (Arc::clone(self.api), Arc::clone(self.client));
                let turn = self.turn.take();
                self.api.tasks.spawn(async move {
                    message::handle(api, client, text.as_str().to_owned()).await;
                    drop(turn);
                });
                None
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                self.client.is_active();
                None
            }
            // <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html>
            Some(Ok(Message::Binary(_))) => Some(End::new(1003, "Unsupported data")),
            Some(Ok(Message::Close(frame))) => {
                self.farewell = Farewell::Answered;
                Some(End::of(frame.as_ref()))
            }
            Some(Err(error)) => {
                let end = End::because(&error);
                if end.status == End::abnormal().status {
                    self.farewell = Farewell::Pointless;
                }
                Some(end)
            }
            None => {
                self.farewell = Farewell::Pointless;
                Some(End::abnormal())
            }
        }
    }

    async fn send(&mut self, data: Bytes) -> Option<End> {
        for frame in frames(&data) {
            let sent = tokio::select! {
                sent = timeout(PATIENCE, self.socket.send(frame)) => sent,
                () = self.api.closing.cancelled() => return Some(End::going_away()),
            };
            if !matches!(sent, Ok(Ok(()))) {
                self.farewell = Farewell::Pointless;
                return Some(End::abnormal());
            }
        }
        self.last = Instant::now();
        self.client.is_active();
        None
    }

    /// Tells the client, and waits a little until it has hung up: what is closed with unread data in it is reset, and the
    /// client may never see why.
    async fn leave(mut self, end: &End) {
        if self.farewell == Farewell::Pointless {
            return;
        }
        let goodbye = async {
            if self.farewell == Farewell::Due {
                let code = CloseCode::from(end.status);
                let reason = Utf8Bytes::from(end.reason.as_str());
                self.socket.close(Some(CloseFrame { code, reason })).await.ok();
            }
            while let Some(Ok(_)) = self.socket.next().await {}
            let stream = self.socket.get_mut();
            stream.shutdown().await.ok();
            let mut rest = [0; 1024];
            while stream.read(&mut rest).await.is_ok_and(|length| length > 0) {}
        };
        timeout(FAREWELL, goodbye).await.ok();
    }
}

/// A message in frames as large as API Gateway allows: text where it is UTF-8, else binary.
fn frames(data: &Bytes) -> Vec<Message> {
    let kind = if std::str::from_utf8(data).is_ok() { Data::Text } else { Data::Binary };
    let mut pieces: Vec<Bytes> = (0..data.len())
        .step_by(MAX_FRAME)
        .map(|at| data.slice(at..data.len().min(at + MAX_FRAME)))
        .collect();
    if pieces.is_empty() {
        pieces.push(Bytes::new());
    }
    let last = pieces.len() - 1;
    let pieces = pieces.into_iter().enumerate();
    pieces
        .map(|(index, piece)| {
            let code = OpCode::Data(if index == 0 { kind } else { Data::Continue });
            Message::Frame(Frame::message(piece, code, index == last))
        })
        .collect()
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_MESSAGE))
}

/// Tells the function that the client is gone, as well as can be.
async fn disconnect(api: &Api, client: &Client, end: End) {
    let mut visit = Visit::of("DISCONNECT", &format!("/{}", api.stage));
    visit.access.route_key = Some(DISCONNECT.to_owned());
    let mut status = StatusCode::OK;
    if api.deployed().find(DISCONNECT).is_some() {
        let moment = Moment {
            route_key: DISCONNECT,
            request_id: &visit.access.request_id,
            time_epoch_ms: now(),
        };
        let close = (end.status, end.reason.as_str());
        let event = websocket::disconnect(&client.connection(), &moment, close);
        match integration::invoke(&api.integration, event, (&trace_id(), &mut visit)).await {
            Ok(reply) => status = reply.status,
            Err(failure) => {
                status = failure.public().0;
                visit.access.error = Some(failure.to_string());
            }
        }
    }
    visit.end(status, &api.on_request);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_message_goes_in_frames_of_32_kib() {
        let sizes = |length: usize| -> Vec<(usize, bool)> {
            let frames = frames(&vec![b'x'; length].into()).into_iter();
            frames
                .map(|message| match message {
                    Message::Frame(frame) => (frame.payload().len(), frame.header().is_final),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(sizes(0), [(0, true)]);
        assert_eq!(sizes(MAX_FRAME), [(MAX_FRAME, true)]);
        assert_eq!(sizes(MAX_FRAME + 1), [(MAX_FRAME, false), (1, true)]);
        assert_eq!(sizes(MAX_MESSAGE).len(), 4);
    }

    #[test]
    fn what_is_not_text_goes_as_binary() {
        let code = |data: &'static [u8]| match frames(&Bytes::from_static(data)).remove(0) {
            Message::Frame(frame) => frame.header().opcode,
            other => panic!("{other:?}"),
        };
        assert_eq!(code("žluť".as_bytes()), OpCode::Data(Data::Text));
        assert_eq!(code(&[0xff, 0xfe]), OpCode::Data(Data::Binary));
    }
}
