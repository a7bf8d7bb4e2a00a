//! Guesses whether a text holds a literal secret: by the name of a parameter, by the token format of a known service,
//! or because it looks random.
//!
//! Only a guess: an operator may insist on an address; not on a header, whose value can always be a `${NAME}`.

/// Prefixes of the tokens of known services, each with the token's minimum length.
const PREFIXES: [(&str, usize); 22] = [
    ("AIza", 35),
    ("SG.", 40),
    ("dop_v1_", 40),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("gldt-", 16),
    ("glrt-", 16),
    ("hf_", 30),
    ("npm_", 36),
    ("pypi-AgE", 40),
    ("rk_live_", 20),
    ("sk_live_", 20),
    ("sk_test_", 20),
    ("shpat_", 30),
    ("whsec_", 20),
    ("xapp-", 15),
    ("ya29.", 30),
];

/// The least length at which a word may be taken for a secret because it looks random.
const LEAST_RANDOM: usize = 32;

/// Returns whether a parameter of this name usually carries a secret: `token`, `api_key`, `X-Amz-Signature`.
pub(super) fn is_secret_name(name: &str) -> bool {
    const ENDS: [&str; 15] = [
        "token",
        "key",
        "sig",
        "signature",
        "hmac",
        "jwt",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "sessionid",
        "auth",
        "authorization",
        "credential",
    ];
    const WHOLE: [&str; 4] = ["pass", "sid", "session", "credentials"];
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    ENDS.iter().any(|end| plain.ends_with(end)) || WHOLE.contains(&plain.as_str())
}

/// Returns whether a text looks like it holds a secret: a token in the format of a known service, a JSON Web Token, a
/// URL with user name and password, or a long random mix of letters and digits. Digests and UUIDs do not count.
pub(super) fn holds_credential(text: &str) -> bool {
    holds_user_info(text)
        || text
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .any(|word| is_token(word) || is_random(word))
}

/// Returns whether the value of a request header looks like it holds a secret. Here a word behind an authentication
/// scheme counts too, and so do long hexadecimal words: request headers carry no digests.
pub fn value_holds_credential(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let is_scheme = |word: &str| ["bearer", "basic"].contains(&word.to_ascii_lowercase().as_str());
    let is_sent = |word: &str| {
        let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
        // The caller, who knows the header's name, judges `${NAME}`.
        word.len() >= 6
            && !word.contains("${")
            && (has(char::is_ascii_digit) || has(|c| "=+/_".contains(*c)))
    };
    let is_key = |word: &str| {
        word.len() >= LEAST_RANDOM
            && word.bytes().all(|c| c.is_ascii_hexdigit())
            && word.bytes().any(|c| c.is_ascii_digit())
            && word.bytes().any(|c| c.is_ascii_alphabetic())
    };
    holds_credential(value)
        || words.next().is_some_and(is_scheme) && words.next().is_some_and(is_sent)
        || value
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(is_key)
}

/// Returns whether an address in the text has a user name and a password.
fn holds_user_info(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.is_some_and(|user| {
            user.split_once(':')
                .is_some_and(|(_, word)| !word.is_empty())
        })
    })
}

fn is_token(word: &str) -> bool {
    let word = word.trim_matches('.');
    let is_of_service = |(prefix, least): &(&str, usize)| {
        word.len() >= *least && word.starts_with(prefix) && has_digit(word)
    };
    PREFIXES.iter().any(is_of_service)
        || is_jwt(word)
        || is_aws(word)
        || is_slack(word)
        || is_sk(word)
}

/// A JSON Web Token (RFC 7519): three base64 parts, the first of which begins with `{"`.
fn is_jwt(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    parts.len() >= 3 && parts[0].starts_with("eyJ") && parts[..2].iter().all(|part| part.len() >= 8)
}

fn is_aws(word: &str) -> bool {
    let is_upper = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    word.split(['.', '-', '_']).any(|word| {
        let begins = word.starts_with("AKIA") || word.starts_with("ASIA");
        begins && word.len() == 20 && word.bytes().all(is_upper)
    })
}

/// `xoxb-` and the like, followed by a number: an ordinary name may begin with `xoxo-`.
fn is_slack(word: &str) -> bool {
    let rest = word.strip_prefix("xox").unwrap_or_default();
    let mut rest = rest.chars();
    word.len() >= 15
        && rest.next().is_some_and(|c| c.is_ascii_lowercase())
        && rest.next() == Some('-')
        && rest.next().is_some_and(|c| c.is_ascii_digit())
}

/// `sk-` tokens; an ordinary name may begin like one, such as `sk-learn-guide-for-2024`.
fn is_sk(word: &str) -> bool {
    let rest = word.strip_prefix("sk-").unwrap_or_default();
    let rest = rest.split('.').next().unwrap_or_default();
    // An ordinary name has its digits in one place.
    let numbers = rest.split(|c: char| !c.is_ascii_digit());
    rest.len() >= 20
        && numbers.filter(|number| !number.is_empty()).count() >= 3
        && rest.bytes().any(|c| c.is_ascii_uppercase())
        && rest.bytes().any(|c| c.is_ascii_lowercase())
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|c| c.is_ascii_digit())
}

/// Returns whether a word mixes small letters, capital letters and digits like a random token. Names change between
/// the three seldom; hexadecimal digits and UUIDs have letters of one case.
fn is_random(word: &str) -> bool {
    let kind = |c: u8| match c {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    // A dot separates names, or a name and its extension.
    word.split('.').any(|word| {
        let kinds: Vec<_> = word.bytes().filter_map(kind).collect();
        let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
        kinds.len() >= LEAST_RANDOM
            && (0..3).all(|kind| kinds.iter().filter(|one| **one == kind).count() >= 3)
            && changes * 5 >= kinds.len() * 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The tokens are assembled here, so that no secret scanner reports this file.
    fn tokens() -> Vec<String> {
        let body = "16C7e42F292c6912E7710c838347Ae178B4a";
        [
            ["ghp", "_", body].concat(),
            ["github", "_pat_", body].concat(),
            ["gl", "pat-", "x1y2z3x4y5z6x7y8z9"].concat(),
            ["xox", "b-", "123456789012-abcdefghij"].concat(),
            ["AK", "IA", "IOSFODNN7EXAMPLE"].concat(),
            ["sk", "-", "proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn7"].concat(),
            ["sk", "_live_", "4eC39HqLyjWDarjtT1zdp7dc"].concat(),
            ["ey", "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123-_"].concat(),
            "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms".to_owned(),
            "q7Zr9XwT2pLm4VbN8sKd3GhJ6yFc1RtY".to_owned(),
        ]
        .to_vec()
    }

    #[test]
    fn tokens_are_known_wherever_they_stand() {
        for token in tokens() {
            for text in [
                token.clone(),
                format!("a/{token}/b.csv"),
                format!("x={token}&y"),
                format!("{token}.json"),
                format!(" {token}-"),
            ] {
                assert!(holds_credential(&text), "{text}");
                assert!(value_holds_credential(&text), "{text}");
            }
        }
        assert!(holds_credential("https://joe:pw@h/x"));
        for value in [
            "Bearer hunter2",
            "basic dXNlcjpwdw==",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert!(value_holds_credential(value), "{value}");
        }
    }

    #[test]
    fn what_ordinary_downloads_are_called_is_no_secret() {
        for digest in [
            "d41d8cd98f00b204e9800998ecf8427e",
            "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(!holds_credential(digest), "{digest}");
        }
        for text in [
            "123e4567-e89b-12d3-a456-426614174000",
            "linux-image-6.1.0-13-amd64-unsigned_6.1.55-1_amd64.deb",
            "InternationalMonetaryFundReport2023AnnualEditionV2.pdf",
            "Firefox_Setup_120.0esr_x64_en_US_2023_Q4_Release.exe",
            "sk-learn-guide-for-the-year-2024.html",
            "sk-SK_translations-2024-long-name.json",
            "xoxo-greetings-2024",
            "ghp_readme",
            "npm_install_notes_2024",
            "zjq8p2n4k1v5w3x7y9b6c0d2f4g8h1l3",
            "20240131T120000Z-20240201T120000Z-PT1H-MWh-DE-AT-LU",
            "https://example.org/@scope/package/-/package-1.2.3.tgz",
            "https://example.org:8443/~joe@home",
            "text/csv, application/json;q=0.9, */*;q=0.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
            "Basic research",
            "Bearer bonds",
        ] {
            assert!(!holds_credential(text), "{text}");
            assert!(!value_holds_credential(text), "{text}");
        }
    }
}
