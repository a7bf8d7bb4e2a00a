//! What looks like a secret that stands in a text as it is: by the name it goes under, by a form that a service gives its
//! tokens, or because nothing but chance writes so.
//!
//! Never sure: whoever asks leaves a way to insist.

/// How the tokens of a service begin, and how long one is at least.
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

/// From so many characters on, a word may be a secret by its looks alone.
const LEAST_RANDOM: usize = 32;

/// Returns whether a parameter of this name carries a secret as a rule: `token`, `api_key`, `X-Amz-Signature`.
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

/// Returns whether a text holds what looks like a secret: a token in the form of a known service, a JSON Web Token, the user
/// name and password of an address, or many letters and digits that no language and no digest mixes so. A digest in
/// hexadecimal digits and a UUID are none.
pub(super) fn holds_credential(text: &str) -> bool {
    holds_user_info(text)
        || text
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .any(|word| is_token(word) || is_random(word))
}

/// Returns whether a header's value holds one. What a scheme of authentication stands before is one, and so are many
/// hexadecimal digits: no request says a digest.
pub fn value_holds_credential(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let is_scheme = |word: &str| ["bearer", "basic"].contains(&word.to_ascii_lowercase().as_str());
    let is_sent = |word: &str| {
        let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
        // What stands there by name is looked at by whoever knows which header this is.
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

/// RFC 7519: three parts in base64, of which the first begins with `{"`.
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

/// `xoxb-` and its like, with a number behind it: `xoxo-` may begin a name.
fn is_slack(word: &str) -> bool {
    let rest = word.strip_prefix("xox").unwrap_or_default();
    let mut rest = rest.chars();
    word.len() >= 15
        && rest.next().is_some_and(|c| c.is_ascii_lowercase())
        && rest.next() == Some('-')
        && rest.next().is_some_and(|c| c.is_ascii_digit())
}

/// `sk-` may begin a name too, such as `sk-learn-guide-for-2024`.
fn is_sk(word: &str) -> bool {
    let rest = word.strip_prefix("sk-").unwrap_or_default();
    let rest = rest.split('.').next().unwrap_or_default();
    // A name has its digits together.
    let numbers = rest.split(|c: char| !c.is_ascii_digit());
    rest.len() >= 20
        && numbers.filter(|number| !number.is_empty()).count() >= 3
        && rest.bytes().any(|c| c.is_ascii_uppercase())
        && rest.bytes().any(|c| c.is_ascii_lowercase())
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|c| c.is_ascii_digit())
}

/// Returns whether a word mixes small and capital letters and digits as chance does: names change from one to the other
/// seldom, hexadecimal digits and UUIDs have letters of one case.
fn is_random(word: &str) -> bool {
    let kind = |c: u8| match c {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    // An extension, or several names, come after a dot.
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

    // Put together here, so that no scanner takes them for lost ones.
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
