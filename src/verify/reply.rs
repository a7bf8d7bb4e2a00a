//! Turns the HTTP response of a verifier into a judgement.
//!
//! Pure: sends no request. Only a body with a valid verdict passes or fails the content; any other response is an error
//! or a promise.

use hyper::StatusCode;
use serde_json::Value;

use super::output::printable;
use crate::domain::{Judgement, VerdictOutcome, shortened};

/// Bytes of a response body that a judgement stores.
const KEPT_BYTES: usize = 4 << 10;

const MAX_DETAIL_CHARS: usize = 200;

/// The meaning of a verifier's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifierReply {
    /// A verdict, or an error where the response has none.
    Verdict(Judgement),
    /// Status 202: the verifier promises a verdict for later.
    Later,
}

/// The JSON body of a verdict; other members are ignored.
#[derive(serde::Deserialize)]
struct Body {
    verdict: Option<Value>,
    detail: Option<Value>,
}

impl VerifierReply {
    /// Reads a response by its status, its `Content-Type` and its body.
    ///
    /// 200 with `{"verdict": "passed" | "failed", "detail": "…"}` is a verdict; `detail` may be missing or null. 202
    /// promises one. Every other response is an *error* judgement whose detail describes the response. The media type
    /// only explains a body that is not JSON.
    pub fn read(status: u16, media_type: Option<&str>, body: &[u8]) -> Self {
        let judged = match status {
            200 => verdict(media_type, body),
            202 => return Self::Later,
            _ => Err(format!("answered {}", status_line(status))),
        };
        let output = kept(body);
        Self::Verdict(match judged {
            Ok((outcome, detail)) => Judgement {
                outcome,
                detail,
                exit_code: None,
                output,
            },
            Err(why) => Judgement {
                output,
                ..Judgement::error(&line(&why))
            },
        })
    }
}

/// Returns the outcome and its detail, or the reason why the body holds no verdict.
fn verdict(media_type: Option<&str>, body: &[u8]) -> Result<(VerdictOutcome, String), String> {
    if body.is_empty() {
        return Err("the answer is empty".to_owned());
    }
    let read = parse(media_type, body)?;
    let outcome = match read.verdict {
        Some(Value::String(word)) if word == "passed" => VerdictOutcome::Passed,
        Some(Value::String(word)) if word == "failed" => VerdictOutcome::Failed,
        Some(other) => {
            return Err(format!(
                "the verdict is {other}: expected \"passed\" or \"failed\""
            ));
        }
        None => return Err("the answer has no `verdict`".to_owned()),
    };
    let detail = match read.detail {
        None => String::new(),
        Some(Value::String(text)) => line(&text),
        Some(_) => return Err("the `detail` of the answer is not a string".to_owned()),
    };
    if detail.is_empty() {
        return Ok((outcome, format!("answered {outcome}")));
    }
    Ok((outcome, detail))
}

/// Reads a JSON object. A duplicate member is refused: readers differ in which of the two counts.
fn parse(media_type: Option<&str>, body: &[u8]) -> Result<Body, String> {
    // Serde would accept an array of as many elements as an object.
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    match serde_json::from_slice(body) {
        Ok(read) if is_object => Ok(read),
        Err(error) if !error.is_data() => {
            let media_type = media_type.map_or_else(String::new, |it| format!(" but {it}"));
            Err(format!("the answer is not JSON{media_type}: {error}"))
        }
        Err(error) if is_object => Err(format!("the answer is malformed: {error}")),
        _ => Err("the answer is JSON, but not an object".to_owned()),
    }
}

fn status_line(status: u16) -> String {
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    let redirect = match status {
        301 | 302 | 303 | 307 | 308 => ", and redirects are not followed",
        _ => "",
    };
    match reason {
        Some(reason) => format!("{status} {reason}{redirect}"),
        None => status.to_string(),
    }
}

/// Returns a text as one short line, safe to show.
fn line(text: &str) -> String {
    let text = printable(text.as_bytes());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&text, MAX_DETAIL_CHARS)
}

/// Returns the head of a body, safe to show, with a line that counts the omitted bytes.
fn kept(body: &[u8]) -> String {
    if body.len() <= KEPT_BYTES {
        return printable(body);
    }
    // Cuts between characters: a continuation byte of UTF-8 begins with the bits 10.
    let is_start = |at: &usize| body[*at] & 0xC0 != 0x80;
    let end = (KEPT_BYTES - 3..=KEPT_BYTES).rfind(is_start);
    let (head, rest) = body.split_at(end.unwrap_or(KEPT_BYTES));
    format!("{}\n[… {} bytes omitted …]", printable(head), rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, media_type: Option<&str>, body: &[u8]) -> Judgement {
        match VerifierReply::read(status, media_type, body) {
            VerifierReply::Verdict(judgement) => judgement,
            VerifierReply::Later => panic!("{status} promises a verdict"),
        }
    }

    #[test]
    fn verdicts_are_taken_word_for_word() {
        use VerdictOutcome::{Failed, Passed};
        for (body, outcome, detail) in [
            (r#"{"verdict": "passed"}"#, Passed, "answered passed"),
            (r#"{"verdict":"failed"}"#, Failed, "answered failed"),
            (
                r#"{"verdict":"failed","detail":"12 rows, expected 40"}"#,
                Failed,
                "12 rows, expected 40",
            ),
            (
                r#"{"detail":null,"verdict":"passed","took_ms":3,"x":{"verdict":1}}"#,
                Passed,
                "answered passed",
            ),
            (
                r#"{"verdict":"failed","detail":" a\n\tb \u001b[31m\u202e "}"#,
                Failed,
                "a b \u{FFFD}[31m\u{FFFD}",
            ),
        ] {
            for media_type in [None, Some("application/json"), Some("text/plain")] {
                let judgement = read(200, media_type, body.as_bytes());
                assert_eq!(judgement.outcome, outcome, "{body}");
                assert_eq!(judgement.detail, detail, "{body}");
                assert_eq!(judgement.output, body);
                assert_eq!(judgement.exit_code, None);
            }
        }
    }

    #[test]
    fn all_else_could_not_judge_and_says_what_came() {
        let html = Some("text/html");
        let not_json = "the answer is not JSON but text/html: expected value at line 1 column 1";
        let passed = r#"{"verdict":"passed"}"#;
        let statuses = [
            (503, None, "", "answered 503 Service Unavailable"),
            (599, None, passed, "answered 599"),
            (204, None, "", "answered 204 No Content"),
            (201, None, passed, "answered 201 Created"),
            (404, html, "<html>", "answered 404 Not Found"),
            (
                302,
                None,
                "",
                "answered 302 Found, and redirects are not followed",
            ),
            (200, Some("application/json"), "", "the answer is empty"),
            (200, html, "<html>", not_json),
        ];
        let bodies = [
            (
                "passed",
                "the answer is not JSON: expected value at line 1 column 1",
            ),
            (
                r#"{"verdict":"passed""#,
                "the answer is not JSON: EOF while parsing an object at line 1 column 19",
            ),
            (
                r#"{"verdict":"passed"} {}"#,
                "the answer is not JSON: trailing characters at line 1 column 22",
            ),
            ("{}", "the answer has no `verdict`"),
            (r#"{"verdict":null}"#, "the answer has no `verdict`"),
            (
                r#"{"verdict":"PASSED"}"#,
                r#"the verdict is "PASSED": expected "passed" or "failed""#,
            ),
            (
                r#"{"verdict":"error"}"#,
                r#"the verdict is "error": expected "passed" or "failed""#,
            ),
            (
                r#"{"verdict":true}"#,
                r#"the verdict is true: expected "passed" or "failed""#,
            ),
            (
                r#"{"verdict":"passed","detail":[1]}"#,
                "the `detail` of the answer is not a string",
            ),
            (
                r#"{"verdict":"passed","verdict":"failed"}"#,
                "the answer is malformed: duplicate field `verdict` at line 1 column 29",
            ),
            (r#""passed""#, "the answer is JSON, but not an object"),
            (
                r#"["passed", null]"#,
                "the answer is JSON, but not an object",
            ),
        ];
        let bodies = bodies.map(|(body, expected)| (200, None, body, expected));
        for (status, media_type, body, expected) in statuses.into_iter().chain(bodies) {
            let judgement = read(status, media_type, body.as_bytes());
            assert_eq!(judgement.outcome, VerdictOutcome::Error, "{status} {body}");
            let expected = format!("could not judge: {expected}");
            assert_eq!(judgement.detail, expected, "{status} {body}");
            assert_eq!(judgement.output, body);
        }
    }

    #[test]
    fn a_verdict_may_come_later() {
        for body in [&b""[..], b"{\"verdict\":\"passed\"}", b"\xff"] {
            assert_eq!(VerifierReply::read(202, None, body), VerifierReply::Later);
        }
    }

    #[test]
    fn what_is_kept_is_short_and_safe_to_show() {
        let long = "é".repeat(300);
        let body = format!("{{\"verdict\":\"failed\",\"detail\":\"{long}\"}}");
        let detail = read(200, None, body.as_bytes()).detail;
        assert_eq!(detail.chars().count(), MAX_DETAIL_CHARS + 1);
        assert_eq!(detail, format!("{}…", "é".repeat(MAX_DETAIL_CHARS)));
        let exact = "é".repeat(MAX_DETAIL_CHARS);
        assert_eq!(line(&exact), exact);

        assert_eq!(
            read(500, None, b"a\x1b[0m\xff").output,
            "a\u{FFFD}[0m\u{FFFD}"
        );
        let text = format!("x{}", "é".repeat(KEPT_BYTES));
        let output = read(500, None, text.as_bytes()).output;
        let head = format!("x{}", "é".repeat(KEPT_BYTES / 2 - 1));
        assert_eq!(
            output,
            format!("{head}\n[… {} bytes omitted …]", text.len() - head.len())
        );
        let binary = vec![0x80; KEPT_BYTES + 1];
        assert!(
            read(500, None, &binary)
                .output
                .ends_with("[… 1 bytes omitted …]")
        );
    }
}
