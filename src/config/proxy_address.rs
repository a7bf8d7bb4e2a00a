//! The proxy's address, which may hold secrets as `${NAME}`, such as a password.
//!
//! Never holds the value of such a secret. Is printed only masked: it may hold a literal password.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use url::Url;

use crate::domain::text_form::reads_text;
use crate::domain::{Template, masked};

const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// `[fetch] proxy`: a proxy's address, checked as far as possible without its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(String);

impl ProxyAddress {
    /// Returns the address as the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether an address, secrets filled in, is one of a proxy.
    pub fn is_usable(url: &Url) -> bool {
        SCHEMES.contains(&url.scheme()) && url.has_host()
    }
}

impl FromStr for ProxyAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The message leaves out the text, which may hold a password.
        let expected = "expected the address of an http, https, socks5 or socks5h proxy, such as http://proxy.example:3128, in which `${NAME}` stands for a secret";
        // A digit is valid in every part of an address.
        let is_usable = match Template::parse(text).map(|template| template.fill(|_| "1")) {
            // The whole address is a secret: it is checked when it is filled in.
            Some(filled) if filled == "1" => text != filled,
            Some(filled) => Url::parse(&filled).is_ok_and(|url| Self::is_usable(&url)),
            None => false,
        };
        if is_usable {
            Ok(Self(text.to_owned()))
        } else {
            Err(expected.to_owned())
        }
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyAddress(..)")
    }
}

reads_text!(ProxyAddress);

impl Serialize for ProxyAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&masked(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_hold_secrets_anywhere_behind_its_scheme() {
        for (text, is_good) in [
            ("http://proxy.example:3128", true),
            ("socks5h://[::1]:1080", true),
            ("https://joe:hunter2@proxy.example", true),
            ("http://joe:${PASSWORD}@proxy.example:3128", true),
            ("http://${USER}:${PASSWORD}@${HOST}:${PORT}", true),
            ("${PROXY}", true),
            ("ftp://proxy.example", false),
            ("proxy.example:3128", false),
            ("${SCHEME}://proxy.example", false),
            ("http://joe:${PASSWORD@proxy.example", false),
            ("http://joe:${}@proxy.example", false),
            ("http://joe:${a b}@proxy.example", false),
            ("", false),
            ("1", false),
        ] {
            let read = text.parse::<ProxyAddress>();
            assert_eq!(read.is_ok(), is_good, "{text}");
            let shown = format!("{read:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
