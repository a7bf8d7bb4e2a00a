//! Answers that stay in memory until their clients have read them.
//!
//! Never keeps more of them than the room allows, however slowly they are read.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tokio::sync::Semaphore;

use super::problem::Problem;

/// The memory of all answers that were not read yet, in KiB.
const ROOM_KIB: usize = 64 << 10;
/// The longest answer, in bytes: two of them have room.
pub(super) const MAX_ANSWER_BYTES: usize = 32 << 20;
/// An answer up to so many bytes takes no room: the buffers of its connection are as long.
const SMALL_BYTES: usize = 256 << 10;
/// The bytes that are handed to the connection at once.
const PIECE_BYTES: usize = 64 << 10;

/// The room of answers that were not read yet.
pub(super) struct AnswerRoom(Arc<Semaphore>);

impl Default for AnswerRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_KIB)))
    }
}

impl AnswerRoom {
    /// Returns an answer of this media type, which keeps its room until it was sent.
    ///
    /// # Errors
    ///
    /// 503 while others take the room.
    pub(super) fn answer(
        &self,
        media_type: &'static str,
        bytes: Vec<u8>,
    ) -> Result<Response, Problem> {
        let body = self.body(bytes.into())?;
        let media_type = HeaderValue::from_static(media_type);
        Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
    }

    /// Returns an answer that is whole in memory as one that keeps its room likewise.
    pub(super) async fn hold(&self, response: Response) -> Result<Response, Problem> {
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, MAX_ANSWER_BYTES).await;
        let bytes = bytes.map_err(|error| {
            let detail = format!("cannot read the answer: {error}");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        })?;
        Ok(Response::from_parts(head, self.body(bytes)?))
    }

    fn body(&self, bytes: Bytes) -> Result<Body, Problem> {
        if bytes.len() <= SMALL_BYTES {
            return Ok(Body::from(bytes));
        }
        let kib = u32::try_from(bytes.len().div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.0).try_acquire_many_owned(kib);
        let room = room.map_err(|_| {
            let detail = "too many long answers are being read at once";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).hint("try again in a few seconds")
        })?;
        Ok(in_pieces(bytes, room))
    }
}

/// Returns an answer that is whole in memory as one that, when it is long, keeps `room` until it was sent.
pub(super) async fn keeping(response: Response, room: impl Send + 'static) -> Response {
    let length = response.body().size_hint().exact();
    if length.is_some_and(|length| length <= SMALL_BYTES as u64) {
        return response;
    }
    let (head, body) = response.into_parts();
    // Reading from memory does not fail.
    let bytes = to_bytes(body, MAX_ANSWER_BYTES).await.unwrap_or_default();
    Response::from_parts(head, in_pieces(bytes, room))
}

/// Returns a body that keeps `room` until its last piece was sent.
fn in_pieces(mut bytes: Bytes, room: impl Send + 'static) -> Body {
    let pieces = std::iter::from_fn(move || {
        let _held = &room;
        let length = bytes.len().min(PIECE_BYTES);
        (length > 0).then(|| Ok::<_, Infallible>(bytes.split_to(length)))
    });
    Body::from_stream(stream::iter(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_have_room_until_they_are_read() {
        let room = AnswerRoom::default();
        let answer = |length| room.answer("text/plain", vec![b'x'; length]);
        let held: Vec<_> = (0..2).map(|_| answer(MAX_ANSWER_BYTES)).collect();
        assert!(held.iter().all(Result::is_ok));
        assert!(answer(SMALL_BYTES + 1).is_err());
        assert!(answer(SMALL_BYTES).is_ok());
        drop(held);
        assert!(answer(SMALL_BYTES + 1).is_ok());
    }
}
