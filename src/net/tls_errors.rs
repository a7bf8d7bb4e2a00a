//! Explains TLS errors, and what to do about them.
//!
//! Never repeats a library's type names.

use chrono::{DateTime, SecondsFormat, Utc};
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::tls;

/// How a certificate is trusted, as messages say it.
const TRUST: &str =
    "name its file as ca_file in the section [fetch], or in SSL_CERT_FILE: `gannet help network`";
/// Most names of a certificate that a message lists.
const MAX_NAMES: usize = 3;

/// Explains why TLS with `host` failed.
pub(super) fn tls_problem(error: &Error, host: &str) -> String {
    match error {
        Error::InvalidCertificate(_) if tls::is_authority(error) => format!(
            "the certificate of {host} is not trusted: it is an authority's own certificate (to trust it, {TRUST})"
        ),
        Error::InvalidCertificate(reason) => {
            format!(
                "the certificate of {host} is not trusted: {}",
                certificate_problem(reason)
            )
        }
        other => format!("the TLS handshake with {host} failed: {}", handshake(other)),
    }
}

fn certificate_problem(reason: &CertificateError) -> String {
    use CertificateError as E;
    let plain = match reason {
        E::ExpiredContext { not_after, .. } => {
            return format!("it expired on {}", time_text(*not_after));
        }
        E::NotValidYetContext { not_before, .. } => {
            return format!(
                "it is valid from {} on (is the clock of this machine right?)",
                time_text(*not_before)
            );
        }
        E::NotValidForNameContext { presented, .. } => return names_instead(presented),
        E::UnknownIssuer => return format!("unknown issuer (to trust the CA, {TRUST})"),
        E::Expired => "it has expired",
        E::NotValidYet => "it is not valid yet (is the clock of this machine right?)",
        E::NotValidForName => "it is for other names",
        E::BadEncoding => "it is malformed",
        E::BadSignature => {
            "a signature in it is wrong: the CA that is trusted here has the same name, and another key"
        }
        E::Revoked => "it was revoked",
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "it is not meant for a server",
        E::UnhandledCriticalExtension => "it has a critical extension that is not known here",
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is not supported here, such as SHA-1"
        }
        other => return spaced(&format!("{other:?}")),
    };
    plain.to_owned()
}

/// Lists the names of a certificate. `presented` holds them as the library prints them: `DnsName("example.org")`,
/// `IpAddress(10.0.0.1)`.
fn names_instead(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name.split_once('(').map_or(&**name, |(_, inner)| inner);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let shown: Vec<String> = presented.iter().take(MAX_NAMES).map(bare).collect();
    let names = shown.join(", ");
    match presented.len() {
        0 => "it names no host (a common name alone does not count: it needs a subjectAltName)"
            .to_owned(),
        count if count > MAX_NAMES => {
            format!("it is for {names} and {} more", count - MAX_NAMES)
        }
        _ => format!("it is for {names}"),
    }
}

fn handshake(error: &Error) -> String {
    let plain = match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what came back is not TLS (does that port speak plain http?)"
        }
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "what came back is malformed (does that port speak TLS?)"
        }
        Error::InappropriateHandshakeMessage { .. } | Error::PeerMisbehaved(_) => {
            "the server broke the rules of TLS"
        }
        Error::PeerIncompatible(_) => {
            "the server offers nothing that is supported here: TLS 1.2 or 1.3 with current ciphers"
        }
        Error::AlertReceived(alert) => return alert_words(*alert),
        Error::NoCertificatesPresented => "the server has no certificate",
        Error::DecryptError => "a record could not be decrypted",
        Error::NoApplicationProtocol => "the server speaks neither HTTP/2 nor HTTP/1.1",
        Error::PeerSentOversizedRecord => "the server sent a record that is too large",
        other => return spaced(&other.to_string()),
    };
    plain.to_owned()
}

fn alert_words(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let plain = match alert {
        A::HandshakeFailure | A::InsufficientSecurity => {
            "the server refused: it and gannet have no cipher in common"
        }
        A::ProtocolVersion => "the server refused: it supports neither TLS 1.2 nor 1.3",
        A::UnrecognisedName => "the server does not know this host name",
        A::CertificateRequired | A::AccessDenied => "the server wants a certificate of the client",
        A::InternalError => "the server had an internal error",
        A::NoApplicationProtocol => "the server speaks neither HTTP/2 nor HTTP/1.1",
        A::CloseNotify => "the server closed the connection",
        other => {
            let name = spaced(&format!("{other:?}"));
            return format!("the server ended it: {name}");
        }
    };
    plain.to_owned()
}

fn time_text(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    DateTime::<Utc>::from_timestamp(seconds, 0).map_or_else(
        || "an impossible date".to_owned(),
        |time| time.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

/// Separates the words of a name such as `EndEntityUsedAsCa`, or of a text with such names.
fn spaced(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 8);
    let mut last_lower = false;
    for c in text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
    {
        if last_lower && c.is_ascii_uppercase() {
            words.push(' ');
        }
        last_lower = c.is_ascii_lowercase();
        words.push(c.to_ascii_lowercase());
    }
    words
        .replace("other(other error(", "")
        .trim_end_matches(')')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::{PeerIncompatible, PeerMisbehaved};
    use std::time::Duration;

    #[test]
    fn says_what_is_wrong_with_a_certificate() {
        let second = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expected = ServerName::try_from("h.example").expect("a name");
        let names = |names: &[&str]| CertificateError::NotValidForNameContext {
            expected: expected.clone(),
            presented: names
                .iter()
                .map(|name| format!("DnsName(\"{name}\")"))
                .collect(),
        };
        for (reason, words) in [
            (
                CertificateError::UnknownIssuer,
                "ca_file in the section [fetch], or in SSL_CERT_FILE",
            ),
            (CertificateError::BadSignature, "signature in it is wrong"),
            (
                CertificateError::ExpiredContext {
                    time: second(1),
                    not_after: second(1_700_000_000),
                },
                "it expired on 2023-11-14T22:13:20Z",
            ),
            (
                CertificateError::NotValidYetContext {
                    time: second(1),
                    not_before: second(1_700_000_000),
                },
                "valid from 2023-11-14T22:13:20Z",
            ),
            (names(&["a", "b"]), "it is for a, b"),
            (
                names(&["a", "b", "c", "d", "e"]),
                "it is for a, b, c and 2 more",
            ),
            (names(&[]), "subjectAltName"),
            (
                CertificateError::UnknownRevocationStatus,
                "unknown revocation status",
            ),
        ] {
            let text = tls_problem(&Error::InvalidCertificate(reason), "h.example");
            assert!(text.starts_with("the certificate of h.example is not trusted: "));
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_handshake() {
        use AlertDescription::{BadRecordMac, HandshakeFailure, UnrecognisedName};
        use InvalidMessage::{InvalidContentType, MessageTooLarge};
        let alert = Error::AlertReceived;
        let incompatible = PeerIncompatible::NoCipherSuitesInCommon;
        let misbehaved = PeerMisbehaved::TooManyEmptyFragments;
        let plain = "does that port speak plain http?";
        for (error, words) in [
            (InvalidContentType.into(), plain),
            (MessageTooLarge.into(), "does that port speak TLS?"),
            (alert(HandshakeFailure), "no cipher in common"),
            (alert(UnrecognisedName), "does not know this host name"),
            (alert(BadRecordMac), "the server ended it: bad record mac"),
            (incompatible.into(), "nothing that is supported here"),
            (misbehaved.into(), "broke the rules of TLS"),
        ] {
            let text = tls_problem(&error, "h.example");
            assert!(text.starts_with("the TLS handshake with h.example failed: "));
            assert!(text.contains(words), "{text}");
        }
    }
}
