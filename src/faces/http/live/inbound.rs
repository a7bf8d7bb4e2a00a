//! Frames of a client, without its compressed messages: nothing is expected of clients but answers to pings, and the
//! WebSocket library knows no compression.

use std::io::{Cursor, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The bytes that are read at once.
const READ_BYTES: usize = 1 << 10;

/// A connection whose reader does not see compressed messages (RFC 7692 §6.1), however long they are.
#[derive(Debug)]
pub(super) struct Inbound<S> {
    connection: S,
    /// Whether the client may send any: otherwise the reader sees, and refuses, them.
    may_compress: bool,
    /// Bytes that were read, and neither passed on nor dropped.
    read: Vec<u8>,
    /// The bytes up to the end of the frame, and whether they are passed on.
    in_frame: (u64, bool),
    /// Whether the message of which the next frame may be a part is compressed.
    is_compressed: bool,
}

impl<S> Inbound<S> {
    pub(super) fn new(connection: S, may_compress: bool) -> Self {
        Self {
            connection,
            may_compress,
            read: Vec::new(),
            in_frame: (0, true),
            is_compressed: false,
        }
    }

    /// Passes on bytes of frames. Returns whether there were any.
    fn pass_on(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let filled = buffer.filled().len();
        while !self.read.is_empty() && buffer.remaining() > 0 {
            let (rest, is_passed_on) = self.in_frame;
            if rest == 0 {
                if self.begin_frame() {
                    continue;
                }
                break;
            }
            let rest = usize::try_from(rest).unwrap_or(usize::MAX);
            let most = if is_passed_on {
                buffer.remaining()
            } else {
                rest
            };
            let count = self.read.len().min(rest).min(most);
            if is_passed_on {
                buffer.put_slice(&self.read[..count]);
            }
            self.read.drain(..count);
            self.in_frame.0 -= count as u64;
        }
        buffer.filled().len() > filled
    }

    /// Reads the head of a frame. Returns whether it is there.
    fn begin_frame(&mut self) -> bool {
        let mut place = Cursor::new(&self.read);
        let (is_passed_on, length) = match FrameHeader::parse(&mut place) {
            Ok(None) => return false,
            Ok(Some((head, length))) => {
                let is_compressed = match head.opcode {
                    OpCode::Control(_) => false,
                    OpCode::Data(Data::Continue) => self.is_compressed,
                    OpCode::Data(_) => {
                        self.is_compressed = head.rsv1 && self.may_compress;
                        self.is_compressed
                    }
                };
                (!is_compressed, length)
            }
            // It is the reader's to refuse.
            Err(_) => (true, u64::MAX),
        };
        self.in_frame = (length.saturating_add(place.position()), is_passed_on);
        true
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inbound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        while !self.pass_on(buffer) {
            let mut piece = [0; READ_BYTES];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut self.connection).poll_read(context, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.read.extend_from_slice(piece.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inbound<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const PING: &[u8] = &[0x89, 0x81, 0, 0, 0, 0, b'p'];
    const TEXT: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
    const MORE: &[u8] = &[0x80, 0x81, 0, 0, 0, 0, b'm'];
    /// A compressed message, its first part, and a text's first part.
    const COMPRESSED: &[u8] = &[0xc1, 0x82, 0, 0, 0, 0, 1, 2];
    const COMPRESSED_PART: &[u8] = &[0x41, 0x82, 0, 0, 0, 0, 3, 4];
    const PART: &[u8] = &[0x01, 0x81, 0, 0, 0, 0, b'a'];

    type Frames<'a> = &'a [&'a [u8]];

    async fn passed_on(sent: Frames<'_>, may_compress: bool, at_once: usize) -> Vec<u8> {
        let (mut client, server) = duplex(1 << 20);
        for piece in sent.concat().chunks(at_once) {
            client.write_all(piece).await.expect("room");
        }
        drop(client);
        let (mut inbound, mut read) = (Inbound::new(server, may_compress), Vec::new());
        let mut piece = [0; 3];
        while let Ok(count @ 1..) = inbound.read(&mut piece).await {
            read.extend_from_slice(&piece[..count]);
        }
        read
    }

    #[tokio::test]
    async fn the_reader_sees_all_frames_but_those_of_compressed_messages() {
        let long = [&[0xc1, 0xfe, 0x20, 0x00, 0, 0, 0, 0][..], &[7; 0x2000]].concat();
        let cases: [(Frames<'_>, Frames<'_>); 6] = [
            (&[TEXT, PING], &[TEXT, PING]),
            (&[COMPRESSED, PING, COMPRESSED, TEXT], &[PING, TEXT]),
            (&[COMPRESSED_PART, PING, MORE, MORE], &[PING]),
            (
                &[COMPRESSED_PART, MORE, PART, PING, MORE],
                &[PART, PING, MORE],
            ),
            (&[&long, PING], &[PING]),
            // Not WebSocket at all, which is for the reader to refuse.
            (&[&[0xff; 40]], &[&[0xff; 40]]),
        ];
        for (sent, expected) in cases {
            for at_once in [1, 7, 4096] {
                assert_eq!(passed_on(sent, true, at_once).await, expected.concat());
            }
            assert_eq!(passed_on(sent, false, 5).await, sent.concat());
        }
    }
}
