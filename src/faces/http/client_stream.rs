//! A connection to a client. Its writes fail once the client has read nothing for too long: a slow reader holds no memory for ever.
//! When a request was answered before all of its body came, the connection ends only after the client has sent the rest: else the
//! system would reset it, and the client would lose the answer.
//!
//! Never keeps what comes after the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::unread::Unread;

/// The bytes that are taken after the answer, at most: more than any body that is read.
const MAX_REST_BYTES: usize = 16 << 20;
/// The bytes of them that are read at once.
const PIECE_BYTES: usize = 8 << 10;

/// A connection with a limit on the time that a write, or the rest of a request, may take.
pub(super) struct ClientStream<I> {
    io: I,
    limit: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    unread: Unread,
    /// What may still come of a request that was answered, from the end of this side on.
    rest: Option<usize>,
}

impl<I> ClientStream<I> {
    pub(super) fn new(io: I, limit: Duration, unread: Unread) -> Self {
        Self {
            io,
            limit,
            waiting: None,
            unread,
            rest: None,
        }
    }

    /// Passes the outcome of a write on; one that waits longer than the limit fails.
    fn within_limit<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.waiting = None;
            return outcome;
        }
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client reads too slowly",
        )))
    }
}

impl<I: AsyncRead + Unpin> ClientStream<I> {
    /// Reads until the client has ended its side, so many bytes and so long at most.
    fn poll_rest(&mut self, mut left: usize, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        if waiting.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut piece = [0; PIECE_BYTES];
        while left > 0 {
            let mut buffer = ReadBuf::new(&mut piece);
            let read = Pin::new(&mut self.io).poll_read(context, &mut buffer);
            let length = buffer.filled().len();
            match read {
                Poll::Ready(Ok(())) if length > 0 => left = left.saturating_sub(length),
                Poll::Ready(ended) => return Poll::Ready(ended),
                Poll::Pending => {
                    self.rest = Some(left);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for ClientStream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ClientStream<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(context, bytes);
        self.within_limit(outcome, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(context);
        self.within_limit(outcome, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(left) = self.rest {
            return self.poll_rest(left, context);
        }
        let outcome = Pin::new(&mut self.io).poll_shutdown(context);
        ready!(self.within_limit(outcome, context))?;
        if !self.unread.is_any() {
            return Poll::Ready(Ok(()));
        }
        self.rest = Some(MAX_REST_BYTES);
        self.poll_rest(MAX_REST_BYTES, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(context, buffers);
        self.within_limit(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
