//! The provenance of an attempt: which addresses were requested, and which server answered each request.
//!
//! Never holds a secret: addresses are masked as in messages.

use serde::{Deserialize, Serialize};

use super::Digest;

/// The requests of the last try that a server answered, else of the last try. Equal for attempts that went the same
/// way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The requests that were answered with a redirect, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<Redirect>,
    /// The request without a redirect. Its response has the attempt's status.
    #[serde(flatten)]
    pub last: Request,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The requested address: the source's own as the source has it, any other with secrets by name or left out.
    pub address: String,
    /// The peer that answered; `None` without a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
}

/// A request that was answered with a redirect to the address of the next request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The HTTP status of the response, such as 302.
    pub status: u16,
    /// The request.
    #[serde(flatten)]
    pub request: Request,
}

/// The other end of the connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// IP address and port of the server, or of the proxy in between.
    pub address: String,
    /// Host and port of the proxy, as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The version of TLS with the server, such as `1.3`; `None` for plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// The SHA-256 digest of the server's own certificate (DER, RFC 5280 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Digest>,
}

impl Provenance {
    /// Returns the first requested address.
    pub fn asked(&self) -> &str {
        let first = self.redirects.first().map(|one| &one.request);
        &first.unwrap_or(&self.last).address
    }

    /// Returns the status of each redirect with its target.
    pub fn led_to(&self) -> impl Iterator<Item = (u16, &str)> {
        let redirects = self.redirects.iter();
        let after = redirects.clone().skip(1).map(|one| &one.request);
        let targets = after.chain([&self.last]).map(|one| one.address.as_str());
        redirects.map(|one| one.status).zip(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_kept_as_short_json() {
        let request = |address: &str, peer| Request {
            address: address.to_owned(),
            peer,
        };
        let peer = |tls: Option<&str>| Peer {
            address: "192.0.2.7:443".to_owned(),
            proxy: None,
            tls: tls.map(str::to_owned),
            certificate: tls.map(|_| Digest::of(b"certificate")),
        };
        let plain = Provenance {
            redirects: Vec::new(),
            last: request("http://h/", Some(peer(None))),
        };
        let chain = Provenance {
            redirects: vec![
                Redirect {
                    status: 302,
                    request: request("https://h/a", Some(peer(Some("1.3")))),
                },
                Redirect {
                    status: 307,
                    request: request("https://i/b", Some(peer(Some("1.2")))),
                },
            ],
            last: request("https://i/c", None),
        };
        for (one, asked, led_to) in [
            (&plain, "http://h/", vec![]),
            (
                &chain,
                "https://h/a",
                vec![(302, "https://i/b"), (307, "https://i/c")],
            ),
        ] {
            let json = serde_json::to_string(one).expect("JSON");
            let back: Provenance = serde_json::from_str(&json).expect("the same");
            assert_eq!(&back, one);
            assert_eq!(one.asked(), asked);
            assert_eq!(one.led_to().collect::<Vec<_>>(), led_to);
        }
        let json = serde_json::to_string(&plain).expect("JSON");
        assert_eq!(
            json,
            r#"{"address":"http://h/","peer":{"address":"192.0.2.7:443"}}"#
        );
    }
}
