//! Finds the paths (`a::b::c`) in Rust source, those of `use` groups spelled out.
//!
//! It is a tokeniser, not a parser: comments, strings and characters are skipped, `super` and `self` are resolved by the
//! file's place and the inline modules around them. Macros are read like other code.

/// A path that the source names, made absolute where it began with `crate`, `self` or `super`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// From 1.
    pub(super) line: usize,
    /// Its parts: `["crate", "store", "Store"]`, `["std", "env", "var"]`.
    pub(super) parts: Vec<String>,
}

impl Named {
    /// Tells whether the path is `prefix`, or leads into it.
    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        let mut parts = self.parts.iter();
        prefix
            .split("::")
            .all(|part| parts.next().is_some_and(|own| own == part))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    /// Any other character.
    Mark(char),
}

/// Returns the paths in `text`, the source of the module `module` (`["crate", "store"]`).
pub(super) fn named_paths(module: &[String], text: &str) -> Vec<Named> {
    let tokens = tokens(text);
    let mut walk = Walk {
        tokens: &tokens,
        at: 0,
        named: Vec::new(),
    };
    let mut modules = module.to_vec();
    // For each open brace: whether it opened an inline module.
    let mut braces = Vec::new();
    while let Some((token, _)) = walk.peek(0) {
        match token {
            // `use ::crate_name::…`: the keyword is no part of the path.
            Token::Word(word) if word == "use" => walk.at += 1,
            Token::Word(word) if word == "mod" => {
                walk.at += 1;
                if let (Some((Token::Word(name), _)), Some((Token::Mark('{'), _))) =
                    (walk.peek(0), walk.peek(1))
                {
                    modules.push(name.clone());
                    braces.push(true);
                    walk.at += 2;
                }
            }
            Token::Word(_) => {
                let first = walk.named.len();
                walk.path(&[]);
                for named in &mut walk.named[first..] {
                    resolve(&modules, &mut named.parts);
                }
            }
            Token::Mark('{') => {
                braces.push(false);
                walk.at += 1;
            }
            Token::Mark('}') => {
                if braces.pop() == Some(true) {
                    modules.pop();
                }
                walk.at += 1;
            }
            Token::Colons | Token::Mark(_) => walk.at += 1,
        }
    }
    walk.named.retain(|named| named.parts.len() > 1);
    walk.named
}

/// Returns the words of `text` (identifiers, keywords, numbers) with their lines.
pub(super) fn words(text: &str) -> Vec<(String, usize)> {
    let word = |(token, line)| match token {
        Token::Word(word) => Some((word, line)),
        Token::Colons | Token::Mark(_) => None,
    };
    tokens(text).into_iter().filter_map(word).collect()
}

struct Walk<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
    named: Vec<Named>,
}

impl Walk<'_> {
    fn peek(&self, ahead: usize) -> Option<&(Token, usize)> {
        self.tokens.get(self.at + ahead)
    }

    /// Reads the path that begins here, or each path of the group that does.
    fn path(&mut self, prefix: &[String]) {
        let mut parts = prefix.to_vec();
        let line = self.peek(0).map_or(0, |(_, line)| *line);
        while let Some((token, _)) = self.peek(0) {
            match token {
                Token::Word(word) => parts.push(word.clone()),
                Token::Mark('*') => parts.push("*".to_owned()),
                Token::Mark('{') => return self.group(&parts),
                Token::Colons | Token::Mark(_) => break,
            }
            self.at += 1;
            match self.peek(0) {
                Some((Token::Colons, _)) => self.at += 1,
                _ => break,
            }
        }
        self.named.push(Named { line, parts });
    }

    fn group(&mut self, prefix: &[String]) {
        self.at += 1;
        while let Some((token, _)) = self.peek(0) {
            match token {
                Token::Mark('}') => {
                    self.at += 1;
                    return;
                }
                // `a as b`: the new name is no path.
                Token::Word(word) if word == "as" => self.at += 2,
                Token::Word(_) | Token::Mark('*' | '{') => self.path(prefix),
                Token::Colons | Token::Mark(_) => self.at += 1,
            }
        }
    }
}

/// Makes a path that begins with `self` or `super` absolute; `self` at the end of a group names the group itself.
fn resolve(module: &[String], parts: &mut Vec<String>) {
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "self") {
        parts.pop();
    }
    let mut place = module.to_vec();
    let ups = parts.iter().take_while(|part| *part == "super").count();
    let relative = ups > 0 || parts.first().is_some_and(|first| first == "self");
    if relative && parts.len() > 1 {
        place.truncate(place.len().saturating_sub(ups).max(1));
        parts.splice(..ups.max(1), place);
    }
}

fn tokens(text: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let rest = &chars[at..];
        let length = match rest {
            ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
            ['/', '*', ..] => block_comment(rest),
            ['r' | 'b' | 'c' | '"', ..] if string(rest).is_some() => string(rest).unwrap_or(1),
            ['\'', ..] => character(rest),
            [':', ':', ..] => {
                tokens.push((Token::Colons, line));
                2
            }
            [c, ..] if c.is_alphanumeric() || *c == '_' => {
                let word: String = rest
                    .iter()
                    .take_while(|c| c.is_alphanumeric() || **c == '_')
                    .collect();
                let length = word.chars().count();
                tokens.push((Token::Word(word), line));
                length
            }
            [c, ..] => {
                if !c.is_whitespace() {
                    tokens.push((Token::Mark(*c), line));
                }
                1
            }
            [] => break,
        };
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    tokens
}

/// Returns the length of the block comment, which may hold others.
fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the length of the string literal of any kind that begins here.
fn string(rest: &[char]) -> Option<usize> {
    let prefix = rest
        .iter()
        .take_while(|c| matches!(c, 'r' | 'b' | 'c'))
        .take(2)
        .count();
    let raw = rest[..prefix].contains(&'r');
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    if rest.get(prefix + hashes) != Some(&'"') || (hashes > 0 && !raw) {
        return None;
    }
    let mut at = prefix + hashes + 1;
    while at < rest.len() {
        match rest[at] {
            '\\' if !raw => at += 2,
            '"' if rest[at + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes =>
            {
                return Some(at + 1 + hashes);
            }
            _ => at += 1,
        }
    }
    Some(rest.len())
}

/// Returns the length of the character literal that begins here, or of the quote of a lifetime.
fn character(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', _, tail @ ..] => 3 + tail.iter().take_while(|c| **c != '\'').count() + 1,
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
    .min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::named_paths;

    fn paths(module: &str, text: &str) -> Vec<String> {
        let module: Vec<_> = module.split("::").map(str::to_owned).collect();
        named_paths(&module, text)
            .into_iter()
            .map(|named| format!("{}:{}", named.line, named.parts.join("::")))
            .collect()
    }

    #[test]
    fn finds_paths_in_every_form() {
        for (text, found) in [
            ("use crate::store::Store;", vec!["1:crate::store::Store"]),
            (
                "use crate::{\n  net,\n  store::{self, Store as S, sql::*},\n};",
                vec![
                    "2:crate::net",
                    "3:crate::store",
                    "3:crate::store::Store",
                    "3:crate::store::sql::*",
                ],
            ),
            (
                "pub use {crate::a, std::env as e};",
                vec!["1:crate::a", "1:std::env"],
            ),
            (
                "fn f() { let x = crate::a::b::<T>(std::env::var(k)); }",
                vec!["1:crate::a::b", "1:std::env::var"],
            ),
            (
                "fn f<'a>(x: &'a str) -> crate::a::B<'a> {}",
                vec!["1:crate::a::B"],
            ),
            ("use ::reqwest::Client;", vec!["1:reqwest::Client"]),
            (
                "macro_rules! m { () => { $crate::a::b() } }",
                vec!["1:crate::a::b"],
            ),
        ] {
            assert_eq!(paths("crate::app", text), found, "{text}");
        }
    }

    #[test]
    fn skips_comments_strings_and_characters() {
        for text in [
            "// crate::store::Store",
            "//! crate::store::Store",
            "/* a /* b */ crate::store::Store */",
            r#"let s = "crate::store \" crate::net";"#,
            r###"let s = r#"crate::store " crate::net"#; let t = b"a::b"; let u = br##"a::b"##;"###,
            "let q = '\\''; let d = '\\u{22}'; let s = \"a::b\"; let e = '\"'; let t = \"c::d\";",
        ] {
            assert_eq!(paths("crate::app", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn resolves_self_and_super() {
        let text = "use super::Store;\nuse self::b::C;\nmod tests {\n use super::*;\n use super::super::net::X;\n}\nuse super::d::E;";
        assert_eq!(
            paths("crate::store::sources", text),
            [
                "1:crate::store::Store",
                "2:crate::store::sources::b::C",
                "4:crate::store::sources::*",
                "5:crate::store::net::X",
                "7:crate::store::d::E",
            ]
        );
        assert_eq!(
            paths("crate::verify", "use super::store::Store;"),
            ["1:crate::store::Store"]
        );
    }
}
