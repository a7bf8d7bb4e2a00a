//! The recipes in README and `assets/deploy`: their lines are taken from the files and run as they stand. Each file is tried with the
//! program that reads it, where this machine has it.

mod containers;
mod metrics;
mod sites;
mod units;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::Value;

use crate::rig::{Gannet, in_namespaces, left_out, said};

/// A root of its own: accounts, units, programs and data as on a machine that knows nothing of gannet. What only a booted
/// machine has (sudo, a service manager) is played.
const MACHINE: &str = "
    cp -a /etc \"$HOME/etc\"; mount --bind \"$HOME/etc\" /etc
    for folder in /usr/local /var/lib /var/log; do mount -t tmpfs none $folder; done
    mkdir -p /usr/local/bin; cd \"$HOME/delivered\"
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    printf '#!/bin/sh\\n[ \"$1\" = -u ] || exit 99\\nuser=$2; shift 2\\n%s\\n' \\
        'exec env -i PATH=$PATH setpriv --reuid $user --regid $user --clear-groups \"$@\"' >/usr/local/bin/sudo
    printf '#!/bin/sh\\necho systemctl \"$@\"\\n' >/usr/local/bin/systemctl
    chmod 755 /usr/local/bin/*
    unset GANNET_CONFIG GANNET_DATA_DIR
";

/// Returns the path of a file or folder of the project.
fn path_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn asset(name: &str) -> String {
    let path = path_of(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn deployed(name: &str) -> String {
    asset(&format!("assets/deploy/{name}"))
}

/// Returns the files in a folder with this ending.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(path_of(folder)).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder}: {end}");
    paths
}

/// Whether a program is there; says what is left out where it is not.
fn has(program: &str, argument: &str, what: &str) -> bool {
    let ran = Command::new(program).arg(argument).output();
    let is_there = ran.is_ok_and(|output| output.status.success());
    if !is_there {
        left_out(what, &format!("{program} is not there"));
    }
    is_there
}

/// Returns a YAML file as JSON, by Python's reader; nothing on a machine without it.
fn yaml(path: &Path) -> Option<Value> {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, default=str)";
    let read = Command::new("python3")
        .args(["-c", script])
        .arg(path)
        .output();
    let read = said(&read.ok()?);
    if read.err.contains("No module named") {
        return None;
    }
    assert_eq!(read.code, Some(0), "{}: {}", path.display(), read.err);
    Some(serde_json::from_str(&read.out).expect("JSON"))
}

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It ends what it started; it may have ended by itself.
        let id = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Returns the commands at the head of a unit.
fn steps(unit: &str) -> String {
    let text = asset(&format!("assets/deploy/{unit}"));
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    let steps: Vec<_> = lines.filter_map(|line| line.strip_prefix("#   ")).collect();
    assert!(!steps.is_empty(), "{unit}");
    steps.join("\n")
}

/// Returns what the service manager does before and at the start of a unit, as a script.
fn start_of(unit: &str) -> String {
    let text = asset(&format!("assets/deploy/{unit}"));
    let values = |key: &str| -> Vec<String> {
        let key = format!("{key}=");
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix(key.as_str()));
        lines.map(str::to_owned).collect()
    };
    let one = |key: &str| {
        values(key)
            .first()
            .unwrap_or_else(|| panic!("{unit}: {key}"))
            .clone()
    };
    let user = one("User");
    format!(
        "install -d -m {mode} -o {user} -g {user} /var/lib/{state}; install -d -m 755 -o {user} -g {user} /var/log/{logs}
         umask {umask}
         env -i PATH=$PATH {environment} setpriv --reuid {user} --regid {user} --clear-groups {program}",
        mode = one("StateDirectoryMode"),
        state = one("StateDirectory"),
        logs = one("LogsDirectory"),
        umask = one("UMask"),
        environment = values("Environment").join(" "),
        program = one("ExecStart"),
    )
}

/// Returns the command of the only line of a crontab, after this many fields.
fn cron_command(text: &str, fields: usize) -> String {
    let lines = text.lines().map(str::trim_start);
    let jobs: Vec<_> = lines
        .filter(|line| line.starts_with("7 * * * * "))
        .collect();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let command: Vec<_> = jobs[0].split(' ').skip(fields).collect();
    // Cron takes it for a line's end.
    assert!(!jobs[0].contains('%'), "{jobs:?}");
    command.join(" ")
}

/// A folder with what is delivered, on a machine where nothing is installed yet.
fn delivered() -> Option<Gannet> {
    if !rustix::process::getuid().is_root() {
        left_out("the steps of an installation", "only root can follow them");
        return None;
    }
    let gannet = Gannet::new();
    let folder = gannet.path("delivered");
    fs::create_dir(&folder).expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [
        "gannet.service",
        "gannet-pass.service",
        "gannet-pass.timer",
        "gannet-serve.service",
        "gannet-serve.socket",
    ];
    let deploy = files.map(|name| root.join("assets/deploy").join(name));
    let others = [
        root.join("assets/config.toml"),
        PathBuf::from(env!("CARGO_BIN_EXE_gannet")),
    ];
    for file in deploy.iter().chain(&others) {
        let name = file.file_name().expect("a file's name");
        symlink(file, folder.join(name)).expect("a link");
    }
    Some(gannet)
}

#[test]
fn the_steps_of_the_service_lead_to_one_that_works() {
    let Some(gannet) = delivered() else { return };
    // Nothing is reached from there: the fetch fails, is recorded, and the service goes on.
    let script = format!(
        "{MACHINE}\n{steps}
         test -s /usr/local/share/man/man1/gannet.1; stat -c '%U %a' /var/lib/gannet /var/lib/gannet/gannet.db
         if systemd-analyze --version >/dev/null 2>&1; then
             systemd-analyze verify --man=no /etc/systemd/system/gannet.service 2>&1 | grep -i gannet || true
         fi
         ({start} & echo $! >\"$HOME/pid\"; wait $!; echo \"ended $?\") &
         until grep -qs fetch.failed /var/log/gannet/gannet.*.log; do :; done
         kill -TERM $(cat \"$HOME/pid\"); wait",
        steps = steps("gannet.service"),
        start = start_of("gannet.service"),
    );
    let Some(said) = in_namespaces(&gannet, &["--mount", "--net"], &script) else {
        return;
    };
    for line in [
        "added prices.csv (1): https://example.org/prices.csv",
        "systemctl daemon-reload\nsystemctl enable --now gannet\n",
        "gannet 750\ngannet 600\n",
    ] {
        assert!(said.out.contains(line), "{line}: {said:#?}");
    }
    assert!(said.out.ends_with("ended 0\n"), "{said:#?}");
    assert!(
        !said.out.contains("gannet.service:"),
        "the units are right: {said:#?}"
    );
}

#[test]
fn the_timer_s_pass_and_the_crontab_work_after_the_same_steps() {
    let Some(gannet) = delivered() else { return };
    let text = asset("assets/deploy/crontab");
    let cron = cron_command(&text, 6);
    let script = format!(
        "{MACHINE}\n{steps}\n{timer}
         code=0; {start} >/dev/null 2>&1 || code=$?; echo \"pass $code\"
         code=0; setpriv --reuid gannet --regid gannet --clear-groups env -i HOME=/var/lib/gannet LOGNAME=gannet SHELL=/bin/sh \\
             PATH=/usr/bin:/bin sh -c '{cron}' || code=$?; echo \"cron $code\"
         sudo -u gannet gannet --config /etc/gannet/config.toml --data-dir /var/lib/gannet log",
        steps = steps("gannet.service"),
        timer = steps("gannet-pass.timer"),
        start = start_of("gannet-pass.service"),
    );
    let Some(said) = in_namespaces(&gannet, &["--mount", "--net"], &script) else {
        return;
    };
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(
        said.out
            .contains("systemctl enable --now gannet-pass.timer\n"),
        "{said:#?}"
    );
    // 1 says that a fetch failed, which the unit takes for success; an hour later it would be tried again.
    assert!(said.out.contains("pass 1\ncron 0\n"), "{said:#?}");
    assert_eq!(said.out.matches("fetch.failed").count(), 1, "{said:#?}");
    assert!(asset("assets/deploy/gannet-pass.service").contains("SuccessExitStatus=1"));
    assert_eq!(said.err, "", "{said:#?}");
}

#[test]
fn the_steps_of_the_http_service_follow_those_of_the_service() {
    let Some(gannet) = delivered() else { return };
    let before = steps("gannet.service");
    let (before, _) = before.rsplit_once('\n').expect("several steps");
    let script = format!(
        "{MACHINE}\n{before}\n{steps}\nstat -c '%a %n' /etc/systemd/system/gannet*
         ({start} >\"$HOME/done\" 2>\"$HOME/said\" & echo $! >\"$HOME/pid\"; wait $!; echo \"ended $?\") &
         until grep -qs 'serving .* at http://127.0.0.1:8080/' \"$HOME/said\"; do :; done
         kill -TERM $(cat \"$HOME/pid\"); wait",
        steps = steps("gannet-serve.service"),
        start = start_of("gannet-serve.service"),
    );
    let Some(said) = in_namespaces(&gannet, &["--mount", "--net"], &script) else {
        return;
    };
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:#?}");
    let end = "systemctl daemon-reload
systemctl enable --now gannet-serve.socket gannet-serve.service
644 /etc/systemd/system/gannet-serve.service
644 /etc/systemd/system/gannet-serve.socket
644 /etc/systemd/system/gannet.service
ended 0
";
    assert!(said.out.ends_with(end), "{said:#?}");
}

/// Returns the instructions of the last image in the Dockerfile, a line each.
fn instructions() -> Vec<String> {
    let text = asset("assets/deploy/Dockerfile").replace("\\\n", " ");
    let (_, last) = text.rsplit_once("\nFROM ").expect("an image");
    last.lines().map(str::to_owned).collect()
}

#[test]
fn the_steps_of_the_image_make_a_place_for_the_data() {
    let Some(gannet) = delivered() else { return };
    let instructions = instructions();
    let all = |word: &str| -> Vec<_> {
        let lines = instructions.iter();
        lines.filter_map(|line| line.strip_prefix(word)).collect()
    };
    assert_eq!(all("VOLUME "), ["/data"]);
    assert_eq!(all("USER "), ["gannet"]);
    let elsewhere = |text: String| text.replace("/data", "/var/lib/data");
    // Debian's packages are there, or not needed by what follows.
    let script = format!(
        "{MACHINE}
         printf '#!/bin/sh\\n' >/usr/local/bin/apt-get; chmod 755 /usr/local/bin/apt-get
         {run}
         install -m 755 gannet /usr/local/bin/; stat -c '%u %g %a' /var/lib/data
         in_image() {{ env -i PATH=$PATH {environment} setpriv --reuid gannet --regid gannet --clear-groups \"$@\"; }}
         in_image gannet add https://example.org/prices.csv 1h --disabled; in_image gannet list --json
         in_image gannet --worker-only; ls -A /var/lib/data",
        run = elsewhere(all("RUN ").join("\n")),
        environment = elsewhere(all("ENV ").join(" ")),
    );
    let Some(said) = in_namespaces(&gannet, &["--mount", "--net"], &script) else {
        return;
    };
    assert_eq!(said.code, Some(0), "{said:#?}");
    for part in [
        "10001 10001 750\n",
        "\"prices.csv\"",
        "gannet.db\n",
        "log\n",
    ] {
        assert!(said.out.contains(part), "{part}: {said:#?}");
    }
}

#[test]
fn the_line_for_cron_in_the_readme_finds_the_program() {
    let gannet = Gannet::new();
    fs::create_dir_all(gannet.path(".cargo/bin")).expect("a folder");
    symlink(
        env!("CARGO_BIN_EXE_gannet"),
        gannet.path(".cargo/bin/gannet"),
    )
    .expect("a link");
    let command = cron_command(&asset("README.md"), 5);
    // What cron gives a job, and nothing else.
    let job = |command: &str| {
        let mut job = Command::new("/bin/sh");
        job.args(["-c", command])
            .env_clear()
            .env("HOME", gannet.path(""))
            .env("LOGNAME", "tester")
            .env("SHELL", "/bin/sh")
            .env("PATH", "/usr/bin:/bin")
            .current_dir(gannet.path(""));
        said(&job.output().expect("a shell"))
    };
    let add = command.replace("--worker-only", "add https://example.org/x --disabled");
    assert_eq!(job(&add).code, Some(0), "{:#?}", job(&add));
    let said = job(&command);
    let nothing = (Some(0), String::new(), String::new());
    assert_eq!((said.code, said.out, said.err), nothing);
}
