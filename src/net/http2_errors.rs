//! Explains why an HTTP/2 stream or connection was ended (RFC 9113 §7).
//!
//! Never repeats the debug text that a server may send.

use h2::Reason;

/// Explains why the stream or connection was ended; `server` names the peer. `None` when the connection itself broke.
pub(super) fn http2_problem(error: &h2::Error, server: &str) -> Option<String> {
    let reason = error.reason()?;
    let name = format!("{reason:?}");
    Some(if error.is_remote() {
        let what = if error.is_reset() {
            "the request"
        } else {
            "the connection"
        };
        let why = servers_reason(reason);
        format!("{server} ended {what} with the HTTP/2 error {name}: {why}")
    } else {
        let why = mistake(reason);
        format!("{server} broke the rules of HTTP/2 ({name}): {why}")
    })
}

/// Explains a server's error code, and what may help.
fn servers_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::NO_ERROR => "it gives no reason",
        Reason::INTERNAL_ERROR => "something failed on its side",
        Reason::REFUSED_STREAM => "it did not begin with the request",
        Reason::CANCEL => "it gave the request up",
        Reason::CONNECT_ERROR => "its connection to another server broke",
        Reason::ENHANCE_YOUR_CALM => {
            "it finds the requests too many; fetch less often, or fewer at once"
        }
        Reason::INADEQUATE_SECURITY => "it finds the TLS connection too weak",
        Reason::HTTP_1_1_REQUIRED => "it answers over HTTP/1.1 only",
        Reason::SETTINGS_TIMEOUT => "it waited too long for a confirmation of its settings",
        _ => "it takes what it received for malformed",
    }
}

/// Describes a protocol error of the server.
fn mistake(reason: Reason) -> &'static str {
    match reason {
        Reason::FRAME_SIZE_ERROR => "a frame has a wrong length",
        Reason::FLOW_CONTROL_ERROR => "it sent more than it was allowed to",
        Reason::STREAM_CLOSED => "a frame came after the end of its stream",
        Reason::ENHANCE_YOUR_CALM => "it sent too many frames that lead to nothing",
        _ => "a frame is malformed, or comes where none may",
    }
}
