//! The provenance of an attempt: which addresses were asked, and which server answered at each.
//!
//! Never holds a secret: addresses stand in it as messages show them.

use serde::{Deserialize, Serialize};

use super::Digest;

/// The requests of the try that was answered last; of the last try when no server answered at all. Equal for two attempts that
/// went the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The requests that were answered with a redirect, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<Redirect>,
    /// The request that no redirect followed. The status of its answer is the attempt's.
    #[serde(flatten)]
    pub last: Request,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The address that was asked, secrets by name or left out.
    pub address: String,
    /// Who answered; nothing when nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
}

/// A request that was answered with a redirect to the address of the one that follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The status of the answer, such as 302.
    pub status: u16,
    /// The request.
    #[serde(flatten)]
    pub request: Request,
}

/// The other end of the connection that an answer came over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// IP address and port: of the server, or of the proxy that stood between.
    pub address: String,
    /// Host and port of that proxy, as the configuration names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The version of TLS that was spoken with the server, such as `1.3`; nothing for plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// The SHA-256 digest of the certificate that the server showed for itself (DER, RFC 5280 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Digest>,
}

impl Provenance {
    /// Returns the address that was asked first.
    pub fn asked(&self) -> &str {
        let first = self.redirects.first().map(|one| &one.request);
        &first.unwrap_or(&self.last).address
    }

    /// Returns the status of each redirect with the address that it led to.
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
