//! A worker that is killed: the programs that it started end with it, or at the next pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::rig::{Gannet, Home, Origin, Reply, until};

/// Tells whether a process lives: one that has ended and waits to be reaped does not.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

fn pids(folder: &Path) -> Vec<String> {
    let names = ["leader", "member", "escaped", "bare"];
    let read = names.map(|name| fs::read_to_string(folder.join(name)).unwrap_or_default());
    read.map(|text| text.trim().to_owned()).to_vec()
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_worker_left_ends() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("content")]);
    let (pids_in, go) = (gannet.path("pids"), gannet.path("go"));
    fs::create_dir(&pids_in).expect("a folder");
    // One in the group, one that left it, one that has no environment either.
    let script = format!(
        "[ -e {go} ] && exit 0; cd {pids}; sleep 1000 & echo $! >member
         setsid sh -c 'echo $$ >escaped; exec sleep 1000' &
         setsid env -i /bin/sh -c 'echo $$ >bare; exec sleep 1000' &
         echo $$ >leader; sleep 1000",
        go = go.display(),
        pids = pids_in.display(),
    );
    let ca_file = origin.ca_file().display().to_string();
    gannet.configure(&format!(
        "[fetch]\nca_file = {ca_file:?}\n[[verifier]]\nname = \"slow\"\nsources = [\"*\"]\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\n"
    ));
    gannet.ok(&["add", &origin.url("/a"), "1h", "--allow-private"]);
    let mut worker = gannet.start(&["--worker-only"]);
    let all_run = || {
        pids(&pids_in)
            .iter()
            .all(|pid| !pid.is_empty() && lives(pid))
    };
    until("the programs run", all_run);
    worker.kill().expect("it is killed");
    worker.wait().expect("it is gone");
    let pids = pids(&pids_in);
    until("the program ends with its worker", || !lives(&pids[0]));
    fs::write(&go, "").expect("a file");
    gannet.ok(&["--worker-only"]);
    for pid in &pids {
        until("the next pass ends what is left", || !lives(pid));
    }
    assert_eq!(gannet.source("a")["verified"], "passed");
    let left = fs::read_dir(gannet.data().join("tmp")).expect("a folder");
    let runs = left
        .flatten()
        .filter(|one| one.file_name().to_string_lossy().starts_with("run-"));
    assert_eq!(runs.count(), 0);
}

/// Returns the files in which workers, dead or alive, note that versions are being judged.
fn notes(gannet: &Gannet) -> Vec<PathBuf> {
    let runs = fs::read_dir(gannet.data().join("tmp")).expect("a folder");
    let runs = runs
        .flatten()
        .filter_map(|run| fs::read_dir(run.path()).ok());
    let files = runs.flatten().flatten().map(|one| one.path());
    let is_note = |path: &PathBuf| {
        let noted = fs::read_to_string(path).unwrap_or_default();
        path.ends_with("judging") && !noted.trim().is_empty()
    };
    files.filter(is_note).collect()
}

#[test]
fn a_version_whose_judging_killed_the_process_twice_is_not_judged_in_passes() {
    let origin = Origin::start(true);
    // Long enough to be found while it is judged.
    let content = format!("[{}0]", "0,".repeat(1 << 20));
    origin.on("/a", [Reply::file(content)]);
    origin.on("/b", [Reply::file("[1]")]);
    let rule = |name, more| {
        format!(
            "[[verifier]]\nname = \"{name}\"\nsources = [\"*\"]\nbuiltin = \"{name}\"\n{more}\n"
        )
    };
    let deadly = rule("json", "");
    for (rules, spoken) in [
        (deadly.clone(), "pending"),
        // Harmless ones that have spoken before it.
        (rule("size", "min = \"1\"") + &deadly, "pending"),
        (deadly.clone() + &rule("size", "min = \"1\""), "pending"),
        (
            // One that cannot judge is asked in every pass, and ends each time before the advisory one begins.
            rule("sha256", "companion = \"SHA256SUMS\"") + &rule("json", "advisory = true"),
            "error",
        ),
    ] {
        let gannet = Gannet::trusting(origin.ca_file(), &rules);
        gannet.ok(&["add", &origin.url("/a"), "1h", "--allow-private"]);
        for death in 1..=2 {
            kill_while_it_judges(&gannet, "json");
            let verified = &gannet.source("a")["verified"];
            assert_eq!(*verified, spoken, "death {death}, {rules}");
        }
        is_given_up(&gannet, &origin, &rules);
    }
}

/// A program that ends gannet, as one does for which the memory of both is not enough.
#[test]
fn a_version_of_which_a_program_ended_the_process_twice_holds_up_no_other() {
    let origin = Origin::start(true);
    let killer = "[[verifier]]\nname = \"killer\"\nsources = [\"a\"]\n
        command = [\"/bin/sh\", \"-c\", \"kill -9 $PPID; sleep 1\"]\n";
    let gannet = Gannet::trusting(origin.ca_file(), killer);
    for name in ["a", "b", "c"] {
        origin.on(&format!("/{name}"), [Reply::file(name.to_owned())]);
        let url = origin.url(&format!("/{name}"));
        gannet.ok(&["add", &url, "1h", "--allow-private"]);
    }
    for _ in 0..2 {
        let said = gannet.run(&["fetch", "a"]);
        let said = if said.code.is_none() {
            said
        } else {
            gannet.run(&["--worker-only"])
        };
        assert_eq!(said.code, None, "it is killed: {said:#?}");
    }
    let said = gannet.run(&["--worker-only"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(gannet.source("a")["verified"], "error");
    let verdicts = gannet.json(&["verdicts", "a", "--json"]);
    let detail = verdicts[0]["detail"].as_str().expect("why");
    assert!(detail.contains("killed 2 times"), "{detail}");
    for name in ["b", "c"] {
        assert_eq!(gannet.ok(&["cat", name]), name);
    }
    // What it says is the same from then on, until somebody asks again.
    gannet.run(&["--worker-only"]);
    assert_eq!(gannet.json(&["verdicts", "a", "--json"]), verdicts);
}

/// Starts a pass, and kills it while a rule is at work.
fn kill_while_it_judges(gannet: &Gannet, rule: &str) {
    let earlier = notes(gannet);
    let mut worker = gannet.start(&["--worker-only"]);
    let is_at_work = |note: &PathBuf| {
        let noted = fs::read_to_string(note).unwrap_or_default();
        let mut rules = noted.lines().filter_map(|line| line.split(' ').nth(1));
        !earlier.contains(note) && rules.any(|one| one == rule)
    };
    until("it judges", || notes(gannet).iter().any(is_at_work));
    worker.kill().expect("it is killed");
    worker.wait().expect("it is gone");
}

fn is_given_up(gannet: &Gannet, origin: &Origin, rules: &str) {
    // It holds up nothing else, and is said once.
    gannet.ok(&["add", &origin.url("/b"), "1h", "--allow-private"]);
    for _ in 0..2 {
        gannet.run(&["--worker-only"]);
    }
    let of_json = |source| {
        let verdicts = gannet.json(&["verdicts", source, "--json"]);
        let verdicts = verdicts.as_array().expect("verdicts");
        let is_its = |verdict: &&serde_json::Value| verdict["verifier"] == "json";
        verdicts.iter().filter(is_its).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of_json("b")[0]["outcome"], "passed", "{rules}");
    assert_eq!(gannet.source("a")["verified"], "error");
    let verdicts = of_json("a");
    assert_eq!(verdicts.len(), 1, "{rules}: {verdicts:?}");
    let detail = verdicts[0]["detail"].as_str().expect("why");
    assert!(detail.contains("killed 2 times"), "{detail}");
    gannet.run(&["verify", "v1"]);
    assert!(
        of_json("a").iter().any(|one| one["outcome"] == "passed"),
        "{rules}"
    );
}

/// Returns the files with content below a folder.
fn content_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(what) = entry.metadata() else { continue };
        if what.is_dir() {
            found.extend(content_below(&entry.path()));
        } else if what.len() > 0 {
            found.push(entry.path());
        }
    }
    found
}

/// A source with a version so large that whoever reads it makes a plain copy of it; temporary files lie in `tmp`.
fn with_a_large_version() -> Home {
    let mut gannet = Home::new("");
    let line = "SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET\n";
    gannet
        .origin
        .on("/large.txt", [Reply::file(line.repeat(LARGE / line.len()))]);
    let tmp = gannet.path("tmp");
    fs::create_dir(&tmp).expect("a folder");
    gannet.set("TMPDIR", tmp.to_str().expect("a plain name"));
    gannet.ok(&["add", &gannet.origin.url("/large.txt"), "--allow-private"]);
    gannet.ok(&["fetch", "large.txt"]);
    gannet
}

const LARGE: usize = 24 << 20;

/// Starts a command that reads the large version, and returns it while its plain copy lies there: nobody reads what it writes.
fn start_reading(gannet: &Gannet) -> std::process::Child {
    let cat = gannet.command(&["cat", "large.txt"]);
    // Where the tests run in the background, signals are ignored, and would be by the program.
    let child = Command::new("env")
        .arg("--default-signal=INT,TERM,HUP,QUIT")
        .arg(cat.get_program())
        .args(cat.get_args())
        .env_clear()
        .envs(
            cat.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("gannet starts");
    until("a plain copy lies there", || {
        let copies = content_below(&gannet.path("tmp"));
        let whole = |path: &PathBuf| fs::metadata(path).is_ok_and(|one| one.len() > 20 << 20);
        copies.iter().any(whole)
    });
    child
}

#[test]
fn a_signal_that_ends_a_reading_command_leaves_no_plain_copy() {
    use std::os::unix::process::ExitStatusExt as _;

    let gannet = with_a_large_version();
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        let mut child = start_reading(&gannet);
        let pid = rustix::process::Pid::from_child(&child);
        let sent = rustix::process::Signal::from_named_raw(number).expect("a signal");
        rustix::process::kill_process(pid, sent).expect("sent");
        let status = child.wait().expect("it ended");
        assert_eq!(status.signal(), Some(number), "{signal}");
        let left: Vec<_> = fs::read_dir(gannet.path("tmp"))
            .expect("a folder")
            .collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}

#[test]
fn what_a_killed_reader_left_goes_with_the_next_command_that_needs_such_a_place_or_writes() {
    let gannet = with_a_large_version();
    for next in [
        &["cat", "large.txt"][..],
        &["fetch", "large.txt"],
        &["remove", "large.txt", "--purge", "--yes"],
    ] {
        let mut child = start_reading(&gannet);
        child.kill().expect("killed");
        child.wait().expect("it ended");
        assert_eq!(content_below(&gannet.path("tmp")).len(), 1);
        gannet.ok(next);
        let left = content_below(&gannet.path("tmp"));
        assert!(left.is_empty(), "{next:?}: {left:?}");
    }
}

#[test]
fn a_purge_leaves_nothing_of_what_a_killed_worker_was_judging() {
    let origin = Origin::start(true);
    for (path, content) in [
        ("/a", b"TOPSECRET".to_vec()),
        ("/large", b"TOPSECRET".repeat(1 << 20)),
    ] {
        origin.on(path, [Reply::file(content)]);
        let gannet = Gannet::new();
        let begun = gannet.path("begun");
        let script = format!("touch {}; sleep 1000", begun.display());
        let ca_file = origin.ca_file().display().to_string();
        gannet.configure(&format!(
            "[fetch]\nca_file = {ca_file:?}\n[[verifier]]\nname = \"slow\"\nsources = [\"*\"]\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\n"
        ));
        gannet.ok(&[
            "add",
            &origin.url(path),
            "1h",
            "--allow-private",
            "--name",
            "x",
        ]);
        let mut worker = gannet.start(&["--worker-only"]);
        until("the program runs", || begun.exists());
        worker.kill().expect("it is killed");
        worker.wait().expect("it is gone");
        let tmp = gannet.data().join("tmp");
        let holds = || {
            let mut files = content_below(&tmp);
            files.retain(|path| {
                let bytes = fs::read(path).unwrap_or_default();
                bytes.starts_with(b"TOPSECRET")
            });
            files
        };
        assert!(!holds().is_empty(), "{path}");
        gannet.ok(&["remove", "x", "--purge", "--yes"]);
        assert_eq!(holds(), Vec::<PathBuf>::new(), "{path}");
        // What is known of the dead worker is there still, for the next pass to end its programs.
        gannet.ok(&["--worker-only"]);
    }
}
