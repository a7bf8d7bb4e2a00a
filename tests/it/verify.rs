//! Verifiers with real programs: shell scripts that pass, fail, hang, flood, hide and leave things behind.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gannet::config::{
    Builtin, CsvRule, FreshRule, ImageRule, JsonRule, Schema, Sha256Rule, SizeRule, VerifierKind,
};
use gannet::domain::{Content, Digest, Judgement, VerdictOutcome};
use gannet::verify::RuleContext;

use crate::rig::verifiers::{
    Bench, CONTENT, PATIENCE, command, content, content_file, facts, kind, verifier,
};

fn schema(text: &str) -> Schema {
    Schema::compile(text.as_bytes(), false).expect("a schema")
}

/// Tells whether there is a process of this number, a zombie included.
fn exists(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

/// Reads `pid NUMBER` lines.
fn pids(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("pid "))
        .map(str::to_owned)
        .collect()
}

/// Runs a script that hangs until it was up long enough to tell `count` process numbers, and checks that all are gone.
async fn assert_times_out_clean(body: &str, count: usize) -> Judgement {
    let bench = Bench::new();
    let script = bench.script(body);
    for timeout_ms in [300, 2_000, 10_000, 60_000] {
        let verifier = command(&[&script], Duration::from_millis(timeout_ms));
        let judgement = bench.judge(&verifier, &content()).await;
        assert_eq!(judgement.outcome, VerdictOutcome::Error, "{judgement:?}");
        assert!(
            judgement.detail.contains("timed out after"),
            "{judgement:?}"
        );
        let pids = pids(&judgement.output);
        let alive: Vec<_> = pids.iter().filter(|pid| exists(pid)).collect();
        assert!(alive.is_empty(), "still there: {alive:?} of {pids:?}");
        // A machine under load may not have come that far.
        if pids.len() == count {
            return judgement;
        }
    }
    panic!("the script never told {count} process numbers");
}

#[tokio::test]
async fn exit_codes_decide() {
    let bench = Bench::new();
    let passed = bench.run("echo fine; echo; exit 0").await;
    assert_eq!(
        (passed.outcome, passed.exit_code),
        (VerdictOutcome::Passed, Some(0))
    );
    assert_eq!(
        (passed.detail.as_str(), passed.output.as_str()),
        ("fine", "fine\n\n")
    );

    let failed = bench
        .run("echo out; echo 'line 3: bad price' >&2; exit 1")
        .await;
    assert_eq!(
        (failed.outcome, failed.exit_code),
        (VerdictOutcome::Failed, Some(1))
    );
    assert_eq!(failed.detail, "line 3: bad price (+1 line)");
    assert_eq!(
        failed.output,
        "--- stdout ---\nout\n--- stderr ---\nline 3: bad price\n"
    );

    let silent = bench.run("exit 1").await;
    assert_eq!(
        (silent.outcome, silent.detail.as_str()),
        (VerdictOutcome::Failed, "exit code 1")
    );

    let other = bench.run("echo oops; exit 2").await;
    assert_eq!(
        (other.outcome, other.exit_code),
        (VerdictOutcome::Error, Some(2))
    );
    assert_eq!(other.detail, "could not judge: exit code 2: oops");

    let killed = bench.run("kill -9 $$").await;
    assert_eq!(
        (killed.outcome, killed.exit_code),
        (VerdictOutcome::Error, None)
    );
    assert_eq!(killed.detail, "could not judge: killed by signal 9");

    let listed = verifier(kind(&[&bench.script("exit 77")], false, &[2, 77]), PATIENCE);
    assert_eq!(
        bench.judge(&listed, &content()).await.outcome,
        VerdictOutcome::Failed
    );
}

#[tokio::test]
async fn a_program_gets_a_copy_facts_and_nothing_else() {
    let bench = Bench::new();
    let judgement = bench
        .run("env; echo \"cwd $(pwd)\"; echo \"arg $1\"; stat -c 'mode %a' -- \"$1\"; cat -- \"$1\"; cat; ls -A")
        .await;
    assert_eq!(judgement.outcome, VerdictOutcome::Passed, "{judgement:?}");
    let lines: Vec<_> = judgement.output.lines().collect();
    let value = |name: &str| {
        lines
            .iter()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_else(|| panic!("no {name} in {lines:?}"))
    };
    for (name, expected) in [
        ("GANNET_SOURCE_ID=", "7"),
        ("GANNET_SOURCE_NAME=", "prices"),
        ("GANNET_ADDRESS=", "https://example.org/p.json?key=${KEY}"),
        ("GANNET_VERSION_ID=", "42"),
        ("GANNET_DIGEST=", &Digest::of(CONTENT).to_string()),
        ("GANNET_SIZE_BYTES=", "13"),
        ("GANNET_FILE_NAME=", "-p.json"),
        ("GANNET_MEDIA_TYPE=", "application/json"),
        ("GANNET_FETCHED_AT=", "2026-01-31T12:00:00Z"),
        ("LANG=", "C.UTF-8"),
        ("mode ", "400"),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
    let cwd = value("cwd ");
    assert!(Path::new(cwd).starts_with(bench.work_dir()));
    assert_eq!((value("HOME="), value("TMPDIR=")), (cwd, cwd));
    assert_eq!(
        (value("arg "), value("GANNET_PATH=")),
        (&*format!("{cwd}/-p.json"), value("arg "))
    );
    assert!(
        lines.contains(&"{\"price\": 1}") && lines.contains(&"-p.json"),
        "{lines:?}"
    );
    let allowed = [
        "GANNET_", "LANG=", "HOME=", "TMPDIR=", "PATH=", "PWD=", "OLDPWD=", "SHLVL=", "_=",
    ];
    for line in lines.iter().take_while(|line| !line.starts_with("cwd ")) {
        assert!(
            allowed.iter().any(|name| line.starts_with(name)),
            "leaked: {line}"
        );
    }
    // The test's own environment has more than that, or this would prove nothing.
    let own = |name: &str| {
        allowed
            .iter()
            .any(|allowed| format!("{name}=").starts_with(allowed))
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "about the test's own environment"
    )]
    let mut own_variables = std::env::vars();
    assert!(own_variables.any(|(name, _)| !own(&name)));
}

#[tokio::test]
async fn content_is_on_stdin_when_asked_for() {
    let bench = Bench::new();
    let large = vec![b'x'; 3 << 20];
    for (content, digest) in [
        (content(), Digest::of(CONTENT)),
        (content_file(&large), Digest::of(&large)),
        (Content::Memory(large.clone().into()), Digest::of(&large)),
    ] {
        let reader = verifier(kind(&[&bench.script("sha256sum")], true, &[1]), PATIENCE);
        let judgement = bench.judge(&reader, &content).await;
        assert_eq!(judgement.output.split(' ').next(), Some(&*digest.to_hex()));
        // One that wants none of it passes too.
        let closer = verifier(
            kind(&[&bench.script("exec <&-; exit 0")], true, &[1]),
            PATIENCE,
        );
        let judgement = bench.judge(&closer, &content).await;
        assert_eq!(judgement.outcome, VerdictOutcome::Passed, "{judgement:?}");
    }
}

#[tokio::test]
async fn the_content_is_out_of_reach() {
    let bench = Bench::new();
    let original = content_file(CONTENT);
    let body =
        "chmod 600 -- \"$1\" && echo evil > \"$1\" && rm -- \"$1\" && mkdir -p a/b && chmod 0 a";
    let verifier = command(&[&bench.script(body), "{path}"], PATIENCE);
    let judgement = bench.judge(&verifier, &original).await;
    assert_eq!(judgement.outcome, VerdictOutcome::Passed, "{judgement:?}");
    assert_eq!(
        fs::read(original.as_file().expect("a file")).expect("content"),
        CONTENT
    );
}

#[tokio::test]
async fn at_a_time_out_the_whole_group_ends() {
    assert_times_out_clean(
        "sleep 1000 & echo pid $!; sleep 1000 & echo pid $!; echo pid $$; wait",
        3,
    )
    .await;
}

#[tokio::test]
async fn who_ignores_the_polite_signal_is_killed() {
    let body = "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & echo pid $!; echo pid $$; while :; do sleep 1000; done";
    assert_times_out_clean(body, 2).await;
}

#[tokio::test]
async fn who_left_the_group_is_swept() {
    let escape =
        "setsid sh -c 'echo pid $$; setsid sh -c \"echo pid \\$\\$; sleep 1000\" & sleep 1000' & ";
    assert_times_out_clean(&format!("{escape} sleep 1000"), 2).await;
    // The same after a good end, which the escapees outlive: they hold no pipe.
    let bench = Bench::new();
    for forgetful in ["", "env -i"] {
        let body = format!(
            "mkfifo ready; setsid {forgetful} sh -c 'echo pid $$; echo >ready; exec sleep 1000 >/dev/null 2>&1' & read x <ready; exit 0"
        );
        let judgement = bench.run(&body).await;
        assert_eq!(judgement.outcome, VerdictOutcome::Passed, "{judgement:?}");
        let pids = pids(&judgement.output);
        assert!(pids.len() == 1 && !exists(&pids[0]), "{pids:?}");
    }
}

#[tokio::test]
async fn stragglers_that_hold_the_pipes_end_with_the_leader() {
    let bench = Bench::new();
    // The second clears its environment: only the group tells whose it is.
    let body = "mkfifo ready; sleep 1000 & echo pid $!; \
        env -i sh -c 'echo >ready; exec sleep 1000' & echo pid $!; read x <ready; \
        setsid sleep 1000 & echo pid $!; exit 1";
    let judgement = bench.run(body).await;
    assert_eq!(judgement.outcome, VerdictOutcome::Failed, "{judgement:?}");
    let pids = pids(&judgement.output);
    assert!(
        pids.len() == 3 && !pids.iter().any(|pid| exists(pid)),
        "{pids:?}"
    );
}

#[tokio::test]
async fn a_flood_on_both_pipes_is_drained_and_capped() {
    let bench = Bench::new();
    let body = "echo begin; (yes out | head -c 50000000) & (yes err | head -c 50000000) >&2; wait; echo end";
    let judgement = bench.run(body).await;
    assert_eq!(
        judgement.outcome,
        VerdictOutcome::Passed,
        "{}",
        judgement.detail
    );
    assert!(
        judgement.output.len() < 140_000,
        "{} bytes",
        judgement.output.len()
    );
    assert!(judgement.output.contains("begin\n") && judgement.output.contains("end\n"));
    // 50,000,010 and 50,000,000 bytes, less the 65,536 of each that are kept.
    for omitted in [49_934_474, 49_934_464] {
        assert!(
            judgement
                .output
                .contains(&format!("[… {omitted} bytes omitted …]")),
            "{omitted}"
        );
    }
}

#[tokio::test]
async fn a_program_that_cannot_start_does_not_judge() {
    let bench = Bench::new();
    let script = bench.script("exit 0");
    let verifier = command(&[&script], PATIENCE);
    fs::remove_file(&script).expect("a removal");
    let judgement = bench.judge(&verifier, &content()).await;
    assert_eq!(judgement.outcome, VerdictOutcome::Error);
    assert!(
        judgement.detail.starts_with(&format!(
            "could not judge: cannot start {script}: No such file"
        )),
        "{judgement:?}"
    );
    let judgement = verifier
        .judge(&content(), &facts(), &bench.path("nowhere"))
        .await;
    assert!(
        judgement.detail.contains("cannot make a working folder in"),
        "{judgement:?}"
    );
}

#[tokio::test]
async fn a_program_that_is_replaced_during_its_run_does_not_judge() {
    let bench = Bench::new();
    let judgement = bench
        .run("cp -- \"$0\" \"$0.new\"; echo >>\"$0.new\"; mv -- \"$0.new\" \"$0\"; exit 0")
        .await;
    assert_eq!(judgement.outcome, VerdictOutcome::Error);
    assert!(
        judgement.detail.contains("replaced during its run"),
        "{judgement:?}"
    );
}

#[tokio::test]
async fn a_script_that_an_interpreter_runs_is_part_of_the_judge() {
    let bench = Bench::new();
    // As in `["python3", "/usr/local/bin/check.py", "{path}"]`.
    let script = bench.script("exit 0");
    let by_sh = command(&["/bin/sh", &script, "{path}"], PATIENCE);
    let before = by_sh.fingerprint();
    bench.script("# A comment.\nexit 0");
    let after = by_sh.fingerprint();
    assert_ne!(before, after);
    fs::remove_file(&script).expect("a removal");
    assert_ne!(by_sh.fingerprint(), after);

    let replacing = "cp -- \"$0\" \"$0.new\"; echo >>\"$0.new\"; mv -- \"$0.new\" \"$0\"; exit 0";
    bench.script(replacing);
    let judgement = bench.judge(&by_sh, &content()).await;
    assert_eq!(judgement.outcome, VerdictOutcome::Error);
    assert!(
        judgement.detail.contains("replaced during its run"),
        "{judgement:?}"
    );
    // It counts from when the fingerprint was taken: that is the one that stands in the verdict.
    bench.script("exit 0");
    let known = by_sh.identify().await;
    let as_known = async || {
        let (content, facts, work_dir) = (content(), facts(), bench.work_dir());
        let judged = by_sh.judge_as(&known, &content, &facts, RuleContext::default(), &work_dir);
        judged.await.outcome
    };
    assert_eq!(as_known().await, VerdictOutcome::Passed);
    bench.script("exit 0 # another");
    assert_eq!(as_known().await, VerdictOutcome::Error);

    // What is no regular file is not read: this would wait for ever.
    let fifo = bench.path("fifo");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).expect("a fifo");
    let with_fifo = command(&["/bin/sh", fifo.to_str().expect("UTF-8")], PATIENCE);
    assert_eq!(with_fifo.fingerprint(), with_fifo.fingerprint());
}

#[tokio::test]
async fn dropping_the_judgement_ends_the_program() {
    let bench = Bench::new();
    let body = "setsid sh -c 'echo pid $$ >>\"$0\"; exec sleep 1000' \"$1\" & sleep 1000 & echo pid $! >>\"$1\"; echo pid $$ >>\"$1\"; echo ready >\"$2\"; wait";
    let (told, ready) = (bench.path("told"), bench.path("ready"));
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &ready,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
    )
    .expect("a fifo");
    let script = bench.script(body);
    let verifier = command(
        &[
            &script,
            told.to_str().expect("UTF-8"),
            ready.to_str().expect("UTF-8"),
        ],
        PATIENCE,
    );
    let (content, facts, work_dir) = (content(), facts(), bench.work_dir());
    tokio::select! {
        judgement = verifier.judge(&content, &facts, &work_dir) => panic!("ended: {judgement:?}"),
        line = tokio::fs::read_to_string(&ready) => assert_eq!(line.expect("a line"), "ready\n"),
    }
    // `select` has dropped the judgement by now.
    let pids = pids(&fs::read_to_string(&told).expect("process numbers"));
    assert!(
        pids.len() >= 2 && !pids.iter().any(|pid| exists(pid)),
        "{pids:?}"
    );
    bench.assert_nothing_left();
}

#[tokio::test]
async fn fingerprints_tell_definitions_and_programs_apart() {
    let bench = Bench::new();
    let script = bench.script("exit 0");
    let base = command(&[&script, "a"], PATIENCE).fingerprint();
    assert!(
        base.hex.len() == 64 && base.hex.bytes().all(|c| c.is_ascii_hexdigit()),
        "{base:?}"
    );
    assert_eq!(
        base,
        command(&[&script, "a"], Duration::from_secs(1)).fingerprint()
    );
    let others = [
        kind(&[&script, "b"], false, &[1]),
        kind(&[&script, "a"], true, &[1]),
        kind(&[&script, "a"], false, &[2]),
        VerifierKind::Builtin(Builtin::Json(JsonRule::default())),
        VerifierKind::Builtin(Builtin::Size(SizeRule {
            min: Some(1),
            ..SizeRule::default()
        })),
        VerifierKind::Builtin(Builtin::Size(SizeRule {
            max: Some(1),
            ..SizeRule::default()
        })),
        VerifierKind::Builtin(Builtin::Json(schema("{}").into())),
        VerifierKind::Builtin(Builtin::Json(schema("{\"type\": \"object\"}").into())),
        VerifierKind::Builtin(Builtin::Csv(CsvRule::default())),
        VerifierKind::Builtin(Builtin::Csv(CsvRule {
            header: Some(vec!["a".to_owned()]),
            ..CsvRule::default()
        })),
        VerifierKind::Builtin(Builtin::Image(ImageRule::default())),
        VerifierKind::Builtin(Builtin::Image(ImageRule {
            max_pixels: 1,
            ..ImageRule::default()
        })),
        VerifierKind::Builtin(Builtin::Sha256(Sha256Rule::Companion("a".to_owned()))),
        VerifierKind::Builtin(Builtin::Sha256(Sha256Rule::Companion("b".to_owned()))),
        VerifierKind::Builtin(Builtin::Fresh(FreshRule {
            max_age: Duration::from_secs(1),
        })),
        VerifierKind::Builtin(Builtin::Fresh(FreshRule {
            max_age: Duration::from_secs(2),
        })),
        VerifierKind::Builtin(Builtin::Sha256(Sha256Rule::Digest(Digest::of(b"a")))),
        VerifierKind::Builtin(Builtin::Sha256(Sha256Rule::Digest(Digest::of(b"b")))),
    ];
    let mut all: Vec<_> = others
        .into_iter()
        .map(|kind| verifier(kind, PATIENCE).fingerprint())
        .collect();
    let same = command(&[&script, "a"], PATIENCE);
    assert_eq!(same.fingerprint(), base);
    bench.script("exit 1");
    all.push(same.fingerprint());
    fs::remove_file(&script).expect("a removal");
    all.push(same.fingerprint());
    all.push(base);
    let count = all.len();
    all.sort_by(|one, other| one.hex.cmp(&other.hex));
    all.dedup();
    assert_eq!(all.len(), count);
}

#[tokio::test]
async fn rules_judge_large_content() {
    let bench = Bench::new();
    let mut text = b"[\"".to_vec();
    text.resize(20 << 20, b'x');
    let content = content_file(&[&text[..], b"\"]"].concat());
    let json = verifier(
        VerifierKind::Builtin(Builtin::Json(JsonRule::default())),
        PATIENCE,
    );
    assert_eq!(
        bench.judge(&json, &content).await.outcome,
        VerdictOutcome::Passed
    );
    let cut = bench.judge(&json, &content_file(&text)).await;
    assert_eq!(cut.outcome, VerdictOutcome::Failed);
    let hurried = verifier(
        VerifierKind::Builtin(Builtin::Json(JsonRule::default())),
        Duration::from_nanos(1),
    );
    let judgement = bench.judge(&hurried, &content).await;
    assert!(judgement.detail.contains("timed out"), "{judgement:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_do_not_disturb_each_other() {
    let bench = Arc::new(Bench::new());
    let script = bench.script("setsid sleep 1000 & sleep 1000 & [ \"$1\" = 1 ] && exit 1; exit 0");
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..24_u8 {
        let (bench, script) = (Arc::clone(&bench), script.clone());
        runs.spawn(async move {
            let odd = number % 2;
            let verifier = command(&[&script, &odd.to_string()], PATIENCE);
            let judgement = verifier
                .judge(&content(), &facts(), &bench.work_dir())
                .await;
            assert_eq!(judgement.exit_code, Some(i32::from(odd)), "{judgement:?}");
        });
    }
    while let Some(run) = runs.join_next().await {
        run.expect("a good run");
    }
    bench.assert_nothing_left();
}
