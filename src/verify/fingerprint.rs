//! The fingerprint of a verifier: a digest of its definition, of its program file and of the files that its command
//! names.
//!
//! Name, sources, time limit and resource limits are left out: they decide whether there is a verdict, not which.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::config::{Builtin, VerifierKind};
use crate::domain::{Digest, Fingerprint, masked};

/// Raised when a built-in rule changes its verdicts, or programs are run in another way.
const RULES_VERSION: u32 = 2;

/// Metadata that changes whenever a file's content does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Digests of the verifiers' files; a file is read again only when its metadata changed.
#[derive(Debug, Default)]
pub(super) struct FileDigests(Mutex<HashMap<String, (FileState, Digest)>>);

impl FileDigests {
    /// Returns the present digest of the file. Blocks.
    fn of(&self, path: &str) -> io::Result<Digest> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let state = FileState {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        // A panic cannot leave a digest half written, so a poisoned lock is as good as any.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known_state, digest)) = known.get(path)
            && *known_state == state
        {
            return Ok(*digest);
        }
        let digest = Digest::of_reader(&mut file)?;
        known.insert(path.to_owned(), (state, digest));
        Ok(digest)
    }
}

/// Returns the present fingerprint: the definition's text and its digest. Blocks.
pub(super) fn fingerprint(kind: &VerifierKind, known: &FileDigests) -> Fingerprint {
    Fingerprint::of(definition_text(kind, known))
}

/// Returns the kind of a verifier: `command`, `builtin json`, `http` or `external`.
pub(super) fn kind_name(kind: &VerifierKind) -> String {
    match kind {
        VerifierKind::Command { .. } => "command".to_owned(),
        VerifierKind::Builtin(_) => match definition(kind)["builtin"].as_str() {
            Some(rule) => format!("builtin {rule}"),
            None => "builtin".to_owned(),
        },
        VerifierKind::Http { .. } => "http".to_owned(),
        VerifierKind::External { .. } => "external".to_owned(),
    }
}

/// Returns the digest of the definition, without the files.
pub(super) fn definition_digest(kind: &VerifierKind) -> Digest {
    Digest::of(definition(kind).to_string().as_bytes())
}

/// Returns the definition and its files as JSON without spaces:
/// `{"rules":2,"definition":{"command":[…],"stdin":…,"failed":[…]},"files":{"/path":"sha256:…"}}`. Blocks.
///
/// The files are those that the command names; a file that cannot be read has the value `null`.
fn definition_text(kind: &VerifierKind, known: &FileDigests) -> String {
    let mut files = Map::new();
    for path in named_files(kind) {
        let digest = known.of(path).ok().map(|digest| digest.to_string());
        files.insert(path.to_owned(), json!(digest));
    }
    json!({"rules": RULES_VERSION, "definition": definition(kind), "files": files}).to_string()
}

/// Returns the program, and every argument that is the absolute path of a regular file, such as the script of an
/// interpreter.
fn named_files(kind: &VerifierKind) -> Vec<&str> {
    let argv = match kind {
        VerifierKind::Command { argv, .. } => argv.as_slice(),
        VerifierKind::Builtin(_) | VerifierKind::Http { .. } | VerifierKind::External { .. } => &[],
    };
    let is_file = |path: &Path| path.is_absolute() && path.is_file();
    let mut files = argv.iter().map(String::as_str);
    // A bare name was not found in PATH; a file of that name in the working folder is never run.
    let program = files.next().filter(|program| program.contains('/'));
    let scripts = files.filter(|argument| is_file(Path::new(argument)));
    program.into_iter().chain(scripts).collect()
}

fn definition(kind: &VerifierKind) -> Value {
    match kind {
        VerifierKind::Command {
            argv,
            stdin,
            failed,
            ..
        } => json!({"command": argv, "stdin": stdin, "failed": failed}),
        VerifierKind::Builtin(rule) => definition_of_rule(rule),
        VerifierKind::Http { url, .. } => {
            // Any part of an address but its host may hold a secret, which the store must never hold.
            let host = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            json!({"http": masked(&host), "address": Digest::of(url.as_bytes()).to_string()})
        }
        VerifierKind::External { .. } => json!({"external": true}),
    }
}

/// Returns `{"builtin":RULE}`, with the rule's parameters added.
fn definition_of_rule(rule: &Builtin) -> Value {
    match serde_json::to_value(rule).expect("texts, numbers and lists are all JSON") {
        Value::Object(rule) => {
            let mut definition = Map::new();
            for (name, parameters) in rule {
                definition.insert("builtin".to_owned(), name.into());
                if let Value::Object(parameters) = parameters {
                    definition.extend(parameters);
                }
            }
            Value::Object(definition)
        }
        name => json!({"builtin": name}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        CsvRule, FreshRule, ImageRule, JsonRule, Percent, RatesRule, Schema, Sha256Rule, SizeRule,
    };
    use crate::domain::{ImageFormat, Provider};

    fn command(argv: &[&str]) -> VerifierKind {
        VerifierKind::Command {
            argv: argv.iter().map(|&argument| argument.to_owned()).collect(),
            stdin: false,
            failed: vec![1],
            limits: crate::config::ResourceLimits::default(),
        }
    }

    #[test]
    fn the_text_names_definition_and_files() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("check.py");
        std::fs::write(&file, "x").expect("room");
        let (file, folder) = (file.display().to_string(), folder.path().display());
        let known = FileDigests::default();
        let digest = Digest::of(b"x");
        let kind = command(&[
            "/no/program",
            &file,
            "{path}",
            "check.py",
            &folder.to_string(),
        ]);
        assert_eq!(
            definition_text(&kind, &known),
            format!(
                r#"{{"rules":2,"definition":{{"command":["/no/program","{file}","{{path}}","check.py","{folder}"],"stdin":false,"failed":[1]}},"files":{{"/no/program":null,"{file}":"{digest}"}}}}"#
            )
        );
        assert_eq!(
            definition_text(&VerifierKind::Builtin(Builtin::Utf8), &known),
            r#"{"rules":2,"definition":{"builtin":"utf8"},"files":{}}"#
        );
    }

    /// A definition spelled in another way makes every verdict of its rule stale.
    #[test]
    fn the_definitions_of_rules_stay_as_they_are() {
        let share = |text: &str| Some(text.parse::<Percent>().expect("a share"));
        let schema = |formats| Schema::compile(b"{}", formats).expect("a schema");
        let csv = CsvRule {
            delimiter: b';',
            header: Some(vec!["a".to_owned(), "b".to_owned()]),
            columns: Some(2),
            min_rows: Some(1),
            max_rows: Some(9),
            min_rows_of_last: share("90%"),
        };
        let image = ImageRule {
            formats: vec![ImageFormat::Jpeg, ImageFormat::WebP],
            max_pixels: 1000,
        };
        let size = SizeRule {
            min: Some(1),
            ..SizeRule::default()
        };
        let rates = Builtin::Rates(RatesRule {
            provider: Provider::Ecb,
        });
        let strict = JsonRule {
            schema: Some(schema(true)),
            unique_keys: true,
        };
        let shares = SizeRule {
            min_of_last: share("50%"),
            ..size.clone()
        };
        for (rule, definition) in [
            (Builtin::Utf8, r#"{"builtin":"utf8"}"#),
            (Builtin::Xml, r#"{"builtin":"xml"}"#),
            (Builtin::NotHtml, r#"{"builtin":"not-html"}"#),
            (rates, r#"{"builtin":"rates","provider":"ecb"}"#),
            (Builtin::Json(JsonRule::default()), r#"{"builtin":"json"}"#),
            (
                Builtin::Json(schema(false).into()),
                r#"{"builtin":"json","schema":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#,
            ),
            (
                Builtin::Json(strict),
                r#"{"builtin":"json","schema":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","format":true,"duplicates":"refuse"}"#,
            ),
            (
                Builtin::Csv(CsvRule::default()),
                r#"{"builtin":"csv","delimiter":44,"header":null,"columns":null,"min_rows":null,"max_rows":null,"min_rows_of_last":null}"#,
            ),
            (
                Builtin::Csv(csv),
                r#"{"builtin":"csv","delimiter":59,"header":["a","b"],"columns":2,"min_rows":1,"max_rows":9,"min_rows_of_last":"90%"}"#,
            ),
            (
                Builtin::Image(ImageRule::default()),
                r#"{"builtin":"image","formats":["bmp","gif","ico","jpeg","png","tiff","webp"],"max_pixels":100000000}"#,
            ),
            (
                Builtin::Image(image),
                r#"{"builtin":"image","formats":["jpeg","webp"],"max_pixels":1000}"#,
            ),
            (
                Builtin::Size(size),
                r#"{"builtin":"size","min":1,"max":null}"#,
            ),
            (
                Builtin::Size(shares),
                r#"{"builtin":"size","min":1,"max":null,"min_of_last":"50%","max_of_last":null}"#,
            ),
            (
                Builtin::Sha256(Sha256Rule::Digest(Digest::of(b""))),
                r#"{"builtin":"sha256","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#,
            ),
            (
                Builtin::Sha256(Sha256Rule::Companion("SHA256SUMS".to_owned())),
                r#"{"builtin":"sha256","companion":"SHA256SUMS"}"#,
            ),
            (
                Builtin::Fresh(FreshRule {
                    max_age: std::time::Duration::from_hours(72),
                }),
                r#"{"builtin":"fresh","max_age_s":259200}"#,
            ),
        ] {
            let text = definition_text(&VerifierKind::Builtin(rule), &FileDigests::default());
            let expected = format!(r#"{{"rules":2,"definition":{definition},"files":{{}}}}"#);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn only_people_and_external_verifiers_refuse_bytes() {
        use crate::domain::{Judgement, NewVerdict, VerdictOutcome};
        let failed_by = |fingerprint| NewVerdict {
            verifier: "eyes".to_owned(),
            fingerprint,
            judgement: Judgement {
                outcome: VerdictOutcome::Failed,
                ..Judgement::error("")
            },
            started_at: chrono::DateTime::UNIX_EPOCH,
            duration: std::time::Duration::ZERO,
        };
        let known = FileDigests::default();
        let external = VerifierKind::External {
            deadline: std::time::Duration::ZERO,
        };
        let external = fingerprint(&external, &known);
        let evil = r#""definition":{"external":true}"#;
        for (judge, expected) in [
            (Fingerprint::overruled(), true),
            (external.clone(), true),
            (fingerprint(&command(&["check", evil]), &known), false),
            (
                fingerprint(&VerifierKind::Builtin(Builtin::Utf8), &known),
                false,
            ),
        ] {
            let verdict = failed_by(judge.clone());
            assert_eq!(verdict.is_refusal(), expected, "{judge:?}");
        }
        let mut passed = failed_by(external);
        passed.judgement.outcome = VerdictOutcome::Passed;
        assert!(!passed.is_refusal());
    }
}
