//! Compressed messages of the live feed (`permessage-deflate`, RFC 7692).

use std::io::Cursor;

use axum::http::{HeaderMap, header};
use flate2::{Compress, CompressError, Compression, FlushCompress};
use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, coding};

/// What is agreed on with a client that offers it. A message of the feed may refer to those before it, and one of the
/// client may not: nothing has to be kept of them.
pub(super) const AGREED: &str = "permessage-deflate; client_no_context_takeover";

/// What ends each flushed piece of a deflated stream, and is left out of a message (RFC 7692 §7.2.1).
const FLUSHED: &[u8] = &[0, 0, 0xff, 0xff];

/// Returns whether a client offers compression with a whole window that lasts from message to message (RFC 7692 §7.1).
pub(super) fn is_offered(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
    let offers = offers.filter_map(|offers| offers.to_str().ok());
    offers.flat_map(|offers| offers.split(',')).any(is_usable)
}

fn is_usable(offer: &str) -> bool {
    let mut parts = offer.split(';').map(str::trim);
    parts.next() == Some("permessage-deflate")
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match (name.trim(), value.trim().trim_matches('"')) {
                ("client_no_context_takeover", "") | ("server_max_window_bits", "15") => true,
                ("client_max_window_bits", bits) => {
                    bits.is_empty() || bits.parse().is_ok_and(|bits| (8..=15).contains(&bits))
                }
                _ => false,
            }
        })
}

/// Returns text frames with their texts compressed, each with the help of those before it: a client has to receive all of
/// them, in this order.
pub(super) fn deflated(frames: &[u8]) -> Result<Vec<u8>, CompressError> {
    let mut compress = Compress::new(Compression::fast(), false);
    let (mut deflated, mut place) = (Vec::new(), Cursor::new(frames));
    while let Ok(Some((_, length))) = FrameHeader::parse(&mut place) {
        let rest = &frames[usize::try_from(place.position()).unwrap_or(frames.len())..];
        let text =
            &rest[..usize::try_from(length).map_or(rest.len(), |length| length.min(rest.len()))];
        place.set_position(place.position() + length);
        add_frame(&mut deflated, &flushed(&mut compress, text)?);
    }
    Ok(deflated)
}

/// Returns a text, compressed and flushed.
fn flushed(compress: &mut Compress, text: &[u8]) -> Result<Vec<u8>, CompressError> {
    let (mut piece, mut rest) = (Vec::new(), text);
    loop {
        piece.reserve(text.len() + 2 * FLUSHED.len());
        let before = compress.total_in();
        compress.compress_vec(rest, &mut piece, FlushCompress::Sync)?;
        let taken = compress.total_in() - before;
        rest = &rest[usize::try_from(taken).unwrap_or(rest.len())..];
        if rest.is_empty() && piece.len() < piece.capacity() {
            break;
        }
    }
    piece.truncate(piece.strip_suffix(FLUSHED).map_or(piece.len(), <[u8]>::len));
    Ok(piece)
}

fn add_frame(frames: &mut Vec<u8>, deflated: &[u8]) {
    let head = FrameHeader {
        opcode: coding::OpCode::Data(coding::Data::Text),
        rsv1: true,
        ..FrameHeader::default()
    };
    // Writing to memory does not fail.
    let _ = head.format(deflated.len() as u64, frames);
    frames.extend_from_slice(deflated);
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use flate2::{Decompress, FlushDecompress};

    use super::*;
    use crate::faces::http::live::recent::add_text_frame;

    #[test]
    fn an_offer_is_taken_when_the_window_may_be_whole_and_last() {
        for (offered, is_taken) in [
            ("permessage-deflate; client_max_window_bits", true),
            ("permessage-deflate", true),
            (
                "permessage-deflate; client_no_context_takeover; server_max_window_bits=15",
                true,
            ),
            ("permessage-deflate; server_max_window_bits=\"15\"", true),
            (
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
                true,
            ),
            ("x-webkit-deflate-frame, permessage-deflate", true),
            ("permessage-deflate; server_no_context_takeover", false),
            ("permessage-deflate; server_max_window_bits=12", false),
            ("permessage-deflate; client_max_window_bits=16", false),
            ("permessage-deflate; mystery", false),
            ("permessage-bzip2", false),
            ("", false),
        ] {
            let headers = [(
                header::SEC_WEBSOCKET_EXTENSIONS,
                HeaderValue::from_static(offered),
            )];
            assert_eq!(
                is_offered(&headers.into_iter().collect()),
                is_taken,
                "{offered}"
            );
        }
        assert!(!is_offered(&HeaderMap::new()));
    }

    #[test]
    fn a_client_that_inflates_one_message_after_another_gets_the_texts() {
        let texts: Vec<_> = (0..300)
            .map(|number| {
                format!(
                    "{{\"id\": {number}, \"rest\": \"{}\"}}",
                    "ä".repeat(number * 7)
                )
            })
            .collect();
        let mut frames = Vec::new();
        for text in &texts {
            add_text_frame(&mut frames, text.as_bytes());
        }
        let deflated = deflated(&frames).expect("frames");
        assert!(deflated.len() * 10 < frames.len(), "{}", deflated.len());
        let (mut inflate, mut place) = (Decompress::new(false), Cursor::new(&deflated[..]));
        let mut read = Vec::new();
        while let Some((head, length)) = FrameHeader::parse(&mut place).expect("a head") {
            assert!(head.rsv1 && head.is_final && head.mask.is_none());
            let begin = usize::try_from(place.position()).expect("a place");
            let end = begin + usize::try_from(length).expect("a length");
            let piece = [&deflated[begin..end], FLUSHED].concat();
            let mut text = Vec::with_capacity(8 << 10);
            inflate
                .decompress_vec(&piece, &mut text, FlushDecompress::Sync)
                .expect("a piece");
            read.push(String::from_utf8(text).expect("a text"));
            place.set_position(end as u64);
        }
        assert_eq!(read, texts);
    }
}
