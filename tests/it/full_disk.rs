//! What this machine lacks: no fault of any source, told once, in words that say where and what helps.

use serde_json::Value;

use crate::rig::{Gannet, Home, Origin, Reply, in_mount_namespace};

/// A source whose body is kept in a temporary file, and one that needs none.
fn home() -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let large: Vec<u8> = (0..1_000_000_u32)
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect();
    origin.on("/large.bin", [Reply::file(large)]);
    origin.on("/other.bin", [Reply::file("other".repeat(1 << 20))]);
    origin.on("/small.txt", [Reply::file("small")]);
    for name in ["large.bin", "other.bin", "small.txt"] {
        let url = origin.url(&format!("/{name}"));
        gannet.ok(&["add", &url, "1h", "--allow-private"]);
    }
    gannet
}

/// What a command printed with `--json`: a list, an object, or objects line by line.
fn json(gannet: &Gannet, name: &str) -> Vec<Value> {
    let all = std::fs::read_to_string(gannet.path(name)).expect("a file");
    match serde_json::from_str(&all) {
        Ok(Value::Array(list)) => list,
        Ok(one) => vec![one],
        Err(_) => {
            let lines = all.lines().map(serde_json::from_str);
            lines.map(|line| line.expect("JSON")).collect()
        }
    }
}

/// Checks that no source is said or recorded to fail.
fn none_fails(gannet: &Gannet, case: &str) {
    for source in json(gannet, "list.json") {
        assert_eq!(source["failures"], 0, "{case}: {source}");
        assert_ne!(source["state"], "down", "{case}: {source}");
    }
    for event in json(gannet, "log.json") {
        assert_ne!(event["action"], "source.failing", "{case}");
        assert_ne!(event["action"], "fetch.failed", "{case}");
    }
    for source in json(gannet, "after.json") {
        let has_come = source["version_id"].as_u64().is_some();
        assert!(has_come, "{case}: due as before: {source}");
    }
}

/// Tells the state of the sources, and after a pass with nothing in its way.
const END: &str = r#"
    "$gannet" list --json >"$HOME/list.json"; "$gannet" log --json --limit 1000 >"$HOME/log.json"
    "$gannet" --worker-only; "$gannet" list --json >"$HOME/after.json""#;

#[test]
fn what_cannot_be_kept_is_no_failure_of_its_source() {
    for size in ["64k", "2m"] {
        let gannet = home();
        let script = format!(
            "mkdir -p -m 700 \"$data/tmp\"; mount -t tmpfs -o size={size},mode=700 none \"$data/tmp\"
            code=0; \"$gannet\" --worker-only || code=$?; echo \"code $code\"
            \"$gannet\" --worker-only --json 2>/dev/null >\"$HOME/pass.json\" || true
            \"$gannet\" fetch large.bin 2>/dev/null || echo \"fetch $?\"; umount \"$data/tmp\" {END}"
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        for part in ["code 1\n", "fetch 1\n", "0 failed, 2 not kept; "] {
            assert!(said.out.contains(part), "{size} {part}: {said:#?}");
        }
        let words = format!(
            "gannet: not kept, by no fault of the source: large.bin, other.bin: cannot keep the body in {0}/tmp/run-",
            gannet.data().display()
        );
        let same = words.replace("large.bin, other.bin", "other.bin, large.bin");
        let is_told = said.err.contains(&words) || said.err.contains(&same);
        assert!(is_told, "{size}: {said:#?}");
        let place = format!(
            ": no room left on the file system at {}/tmp: make room there; the next pass tries again\n",
            gannet.data().display()
        );
        assert_eq!(said.err.matches(&place).count(), 1, "{size}: {said:#?}");
        assert!(!said.err.contains("os error"), "{size}: {said:#?}");
        let pass = json(&gannet, "pass.json").remove(0);
        assert_eq!(pass["failed"], 0, "{size}: {pass}");
        assert_eq!(pass["not_kept"], 2, "{size}: {pass}");
        none_fails(&gannet, size);
    }
}

/// However far a pass gets with so few, nothing is put down to a source.
#[test]
fn too_few_open_files_are_no_failure_of_a_source() {
    for limit in (12..32).step_by(2) {
        let gannet = home();
        let case = format!("{limit} files");
        let script = format!(
            "(ulimit -n {limit}; code=0; \"$gannet\" --worker-only >/dev/null || code=$?; echo \"code $code\") {END}"
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        // What SQLite cannot open, it says in its own words.
        let is_told = said.err.contains("has as many files open as it may")
            || said.err.contains("gannet.db: ")
            || said.err.contains("Too many open files");
        let is_done = said.out.starts_with("code 0\n");
        assert!(is_done || is_told, "{case}: {said:#?}");
        none_fails(&gannet, &case);
    }
}

#[test]
fn a_set_waits_for_a_member_that_could_not_be_kept() {
    let origin = Origin::start(true);
    let verifier = "[[verifier]]\nname = \"sums\"\nscope = \"set\"\nsources = [\"tag:pair\"]\ncommand = [\"true\"]\n";
    let gannet = Gannet::trusting(origin.ca_file(), verifier);
    origin.on(
        "/large.bin",
        [Reply::file("one"), Reply::file("two".repeat(1 << 20))],
    );
    origin.on("/small.txt", [Reply::file("one"), Reply::file("two")]);
    for name in ["large.bin", "small.txt"] {
        let url = origin.url(&format!("/{name}"));
        gannet.ok(&["add", &url, "1h", "--allow-private", "--tag", "pair"]);
    }
    gannet.ok(&["fetch", "*"]);
    let script = "mount -t tmpfs -o size=64k,mode=700 none \"$data/tmp\"
        \"$gannet\" fetch '*' >/dev/null || true; cat \"$data/sets/pair/small.txt\"; umount \"$data/tmp\"
        printf ', then '; \"$gannet\" --worker-only >/dev/null; cat \"$data/sets/pair/small.txt\"";
    let Some(said) = in_mount_namespace(&gannet, script) else {
        return;
    };
    assert!(
        said.err
            .contains("not kept, by no fault of the source: large.bin"),
        "{said:#?}"
    );
    assert_eq!(said.out, "one, then two", "{said:#?}");
}
