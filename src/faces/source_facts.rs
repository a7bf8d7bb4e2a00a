//! The facts of a source in the words of every face: its settings, and what its last attempt asked and who answered.

use crate::domain::{Provenance, Request, SourceSettings, format_size};

/// Facts under their names.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// Returns the settings of a source; those at their defaults only where people look for them.
pub(crate) fn settings_facts(settings: &SourceSettings) -> Facts {
    // Each by its name: the compiler asks for a new one here.
    let SourceSettings {
        name: _,
        address,
        interval,
        enabled: _,
        tags,
        allow_private,
        allow_http,
        allow_empty,
        publish,
        rates,
        max_size_bytes,
        user,
        headers,
    } = settings;
    let mut facts = vec![
        ("address", address.to_string()),
        ("interval", interval.to_string()),
        ("tags", list_text(tags)),
        ("publish", publish.to_string()),
    ];
    facts.extend(rates.map(|provider| ("rates", provider.to_string())));
    let headers = headers.iter();
    facts.extend(headers.map(|(name, value)| ("header", format!("{name}: {value}"))));
    let allowed = [
        (allow_private, "private addresses"),
        (allow_http, "plain http"),
        (allow_empty, "empty files"),
    ];
    let allowed = allowed.into_iter().filter(|(allowed, _)| **allowed);
    let allowed: Vec<_> = allowed.map(|(_, what)| what).collect();
    if !allowed.is_empty() {
        facts.push(("allowed", allowed.join(", ")));
    }
    facts.extend(max_size_bytes.map(|bytes| ("max size", format_size(bytes))));
    facts.extend(user.clone().map(|user| ("user", user)));
    facts
}

/// Returns which addresses an attempt requested, and who answered.
pub(crate) fn provenance_facts(provenance: &Provenance) -> Facts {
    let mut facts = vec![("asked", provenance.asked().to_owned())];
    let led_to = provenance.led_to();
    facts.extend(led_to.map(|(status, to)| ("redirected", format!("{status} to {to}"))));
    facts.push(("answered by", answered_by(&provenance.last)));
    facts
}

/// Returns the peer of a request in words: `192.0.2.7:443 over TLS 1.3, certificate 770e607624d6`.
fn answered_by(request: &Request) -> String {
    let Some(peer) = &request.peer else {
        return "nobody".to_owned();
    };
    let at = match &peer.proxy {
        Some(proxy) => format!("the proxy {proxy} at {}", peer.address),
        None => peer.address.clone(),
    };
    let tls = peer.tls.as_ref().map(|tls| format!(" over TLS {tls}"));
    let certificate = peer.certificate.as_ref();
    let certificate = certificate.map(|one| format!(", certificate {}", &one.to_hex()[..12]));
    at + &tls.unwrap_or_default() + &certificate.unwrap_or_default()
}

/// Returns words in one line; a dash for none.
pub(crate) fn list_text(words: &[String]) -> String {
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join(", ")
    }
}
