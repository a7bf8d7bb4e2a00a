//! HTTP/2 frame by frame: bodies that only seem to end, and a server that wants HTTP/1.1.

use gannet::domain::FailureKind;
use gannet::net::FetchReport;

use crate::rig::{Client, RawOrigin, failure, fetched, frame};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const NO_ERROR: [u8; 4] = [0, 0, 0, 0];
const CANCEL: [u8; 4] = [0, 0, 0, 8];
const HTTP_1_1_REQUIRED: [u8; 4] = [0, 0, 0, 13];

/// `:status: 200`, in the static table of HPACK (RFC 7541 appendix A).
const STATUS_200: &[u8] = &[0x88];

fn head(length: Option<&str>) -> Vec<u8> {
    let mut block = STATUS_200.to_vec();
    if let Some(length) = length {
        // A field without indexing, its name at 28 of the static table: `content-length`.
        block.extend([
            0x0f,
            0x0d,
            u8::try_from(length.len()).expect("a short number"),
        ]);
        block.extend(length.as_bytes());
    }
    frame(HEADERS, END_HEADERS, &block)
}

async fn fetch(frames: &[Vec<u8>], http1: &str) -> FetchReport {
    let origin = RawOrigin::start_http2(frames.concat(), http1.replace('\n', "\r\n").into_bytes());
    let mut rig = Client::new(&origin.url("/x"), origin.ca_file());
    rig.config.max_tries = 1;
    rig.fetch().await
}

#[tokio::test]
async fn a_stream_that_was_reset_is_no_whole_body() {
    let body = frame(DATA, 0, &[b'a'; 100]);
    let reset = |code: &[u8]| frame(RST_STREAM, 0, code);
    let farewell = frame(GOAWAY, 0, &[[0, 0, 0, 0], NO_ERROR].concat());
    for (what, frames, words) in [
        (
            "short of its length",
            vec![head(Some("520")), body.clone(), reset(&NO_ERROR)],
            "after 100 of 520 bytes",
        ),
        (
            "without a length",
            vec![head(None), body.clone(), reset(&NO_ERROR)],
            "after 100 bytes: the server reset the stream",
        ),
        (
            "without a byte",
            vec![head(None), reset(&NO_ERROR)],
            "after 0 bytes",
        ),
        (
            "cancelled",
            vec![head(None), body.clone(), reset(&CANCEL)],
            "after 100 bytes",
        ),
        (
            "an end that comes too early",
            vec![head(Some("520")), frame(DATA, END_STREAM, &[b'a'; 100])],
            "",
        ),
        (
            "the connection says farewell",
            vec![head(None), body.clone(), farewell],
            "after 100 bytes",
        ),
    ] {
        let detail = failure(fetch(&frames, "").await, FailureKind::Protocol);
        assert!(detail.contains(words), "{what}: {detail}");
    }
}

#[tokio::test]
async fn a_body_that_the_server_ended_is_whole() {
    let whole = [b'a'; 100];
    let end = frame(DATA, END_STREAM, &whole);
    let reset = frame(RST_STREAM, 0, &NO_ERROR);
    // A trailer of its own: `x: y`, not indexed.
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, b"\x00\x01x\x01y");
    for frames in [
        vec![head(None), end.clone()],
        vec![head(Some("100")), end.clone()],
        // A server may reset a stream after its answer, so that the client sends no more (RFC 9113 §8.1).
        vec![head(None), end, reset.clone()],
        vec![head(Some("100")), frame(DATA, 0, &whole), reset],
        vec![
            head(None),
            frame(DATA, 0, &whole),
            frame(DATA, END_STREAM, b""),
        ],
        vec![head(None), frame(DATA, 0, &whole), trailers],
    ] {
        assert_eq!(fetched(fetch(&frames, "").await).0, whole);
    }
}

#[tokio::test]
async fn trailers_that_are_a_second_head_are_refused() {
    let body = frame(DATA, 0, b"abc");
    let second = frame(HEADERS, END_HEADERS | END_STREAM, STATUS_200);
    let report = fetch(
        &[head(None), body, second]
            .concat()
            .chunks(1 << 20)
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>(),
        "",
    )
    .await;
    let detail = failure(report, FailureKind::Protocol);
    assert!(detail.contains("trailers"), "{detail}");
}

#[tokio::test]
async fn a_server_that_wants_http_1_1_gets_it() {
    let farewell = frame(GOAWAY, 0, &[[0, 0, 0, 0], HTTP_1_1_REQUIRED].concat());
    let reset = frame(RST_STREAM, 0, &HTTP_1_1_REQUIRED);
    for frames in [
        vec![reset.clone()],
        vec![farewell],
        vec![head(None), frame(DATA, 0, b"ab"), reset],
    ] {
        let report = fetch(&frames, "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc").await;
        assert_eq!(report.tries, 2);
        assert_eq!(fetched(report).0, b"abc");
    }
}

/// The error is named as RFC 9113 §7 has it, with what that means; never with what the server sends along.
#[tokio::test]
async fn what_ended_a_stream_is_said_in_words() {
    let code = |code: u8| [0, 0, 0, code];
    let reset = |reason: u8| frame(RST_STREAM, 0, &code(reason));
    let farewell = |reason: u8| {
        let payload = [&code(0)[..], &code(reason), b"\x1b[2Jhunter2"].concat();
        frame(GOAWAY, 0, &payload)
    };
    let body = frame(DATA, 0, &[b'a'; 100]);
    for (frames, words) in [
        (
            vec![reset(7)],
            "ended the request with the HTTP/2 error REFUSED_STREAM: it did not begin with the request",
        ),
        (
            vec![reset(2)],
            "HTTP/2 error INTERNAL_ERROR: something failed on its side",
        ),
        (
            vec![reset(8)],
            "HTTP/2 error CANCEL: it gave the request up",
        ),
        (vec![reset(99)], "it takes what it received for malformed"),
        (
            vec![farewell(11)],
            "ended the connection with the HTTP/2 error ENHANCE_YOUR_CALM: it finds the requests too many; fetch less often",
        ),
        (
            vec![farewell(1)],
            "HTTP/2 error PROTOCOL_ERROR: it takes what it received for malformed",
        ),
        (
            vec![frame(DATA, 0, &[0; 17_000])],
            "broke the rules of HTTP/2 (FRAME_SIZE_ERROR): a frame has a wrong length",
        ),
        (
            vec![frame(HEADERS, END_HEADERS, &[0xff; 9])],
            "broke the rules of HTTP/2 (PROTOCOL_ERROR): a frame is malformed, or comes where none may",
        ),
        (
            vec![head(Some("520")), body.clone(), reset(8)],
            "the body broke off after 100 of 520 bytes: the server ended the request with the HTTP/2 error CANCEL",
        ),
        (
            vec![head(None), body.clone(), farewell(2)],
            "the body broke off after 100 bytes: the server ended the connection with the HTTP/2 error INTERNAL_ERROR",
        ),
    ] {
        let detail = failure(fetch(&frames, "").await, FailureKind::Protocol);
        assert!(detail.contains(words), "{words}: {detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
    }
}
