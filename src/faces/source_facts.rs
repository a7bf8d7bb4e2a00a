//! The facts of a source in the words of every face: its settings, and what its last attempt asked and who answered.

use crate::domain::{DatedRules, Provenance, Request, SourceSettings, format_size};

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
        days: _,
        final_after: _,
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
    let allowed = allowed_words([*allow_private, *allow_http, *allow_empty]);
    facts.extend(allowed.map(|all| ("allowed", all)));
    facts.extend(max_size_bytes.map(|bytes| ("max size", format_size(bytes))));
    facts.extend(window_words(settings).map(|words| ("days", words)));
    facts.extend(user.clone().map(|user| ("user", user)));
    facts
}

/// Returns what is allowed of private addresses, plain HTTP and empty files.
fn allowed_words(allowed: [bool; 3]) -> Option<String> {
    let words = ["private addresses", "plain http", "empty files"];
    let words = words.into_iter().zip(allowed);
    let words = words.filter(|(_, allowed)| *allowed);
    let words = words.map(|(word, _)| word.to_owned());
    words.reduce(|all, word| format!("{all}, {word}"))
}

/// Returns which days a dated source asks for.
fn window_words(settings: &SourceSettings) -> Option<String> {
    let DatedRules { days, final_after } = settings.dated_rules();
    let words = || format!("the last {days}; a day is final {final_after} days after it begins");
    settings.address.is_dated().then(words)
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
