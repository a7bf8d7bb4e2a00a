//! What the dashboard costs with many sources: the real program on a pseudo-terminal of 200 columns and 50 lines, from its
//! start to its first whole frame, from a key to its frame, beside a busy worker, and while nothing happens.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gannet::store::AttemptResult;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::catalogue::fill;
use super::recorder::Recorder;
use super::{median, milliseconds};

const SOURCES: usize = 100_000;
/// Each source has as many attempts.
const ATTEMPTS: usize = 10;
const KEYS: usize = 200;
/// What ends every frame.
const FRAME_END: &[u8] = b"\x1b[?2026l";
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures the dashboard over 100,000 sources with 1,000,000 attempts.
pub(crate) fn dashboard(folder: &Path) {
    let mut recorder = made(folder);
    let (first, all) = (0..7).map(|_| Screen::open(folder).1).unzip();
    println!(
        "dashboard, 100,000 sources: first frame with sources {:.0} ms after the start, with all counted {:.0} ms",
        milliseconds(median(first)),
        milliseconds(median(all))
    );
    pages(folder);
    let (mut screen, _) = Screen::open(folder);
    screen.quiet(Duration::from_millis(500));
    report("key to frame", (0..KEYS).map(|_| screen.key()).collect());
    screen.press(b"/");
    let typed = b"f999".iter().map(|letter| screen.press(&[*letter]));
    report("letter of a filter to frame", typed.collect());
    screen.press(b"\x1b");
    let sorts = (0..12).map(|_| screen.press(b"s"));
    report("sorting to frame", sorts.collect());
    screen.while_recording(&mut recorder);
    screen.idle();
}

/// Makes the catalogue.
pub(crate) fn made(folder: &Path) -> Recorder {
    fill(folder, SOURCES);
    let mut recorder = Recorder::open(folder);
    for _ in 1..ATTEMPTS {
        recorder.pass_days(1);
        let claims = recorder.claim_due(SOURCES);
        recorder.record_all(&claims, 256, |_| AttemptResult::Unchanged);
    }
    recorder
}

/// Draws every line of the table anew, over and over, and prints what the program's log says of its frames.
fn pages(folder: &Path) {
    const PAGE_DOWN: &[u8] = b"\x1b[6~";
    let (mut screen, _) = Screen::open(folder);
    screen.quiet(Duration::from_millis(500));
    for _ in 0..KEYS {
        screen.press(PAGE_DOWN);
    }
    screen.writer.write_all(b"q").expect("the program reads");
    screen.child.wait().expect("it ends");
    let logs = std::fs::read_dir(folder.join("log")).expect("a log");
    let logs = logs.map(|file| std::fs::read_to_string(file.expect("a file").path()));
    let lines: String = logs.map(|text| text.expect("text")).collect();
    let left = lines.lines().filter(|line| line.contains("median_us"));
    // Those that were only opened wrote such lines too.
    let longest = left.max_by_key(|line| number(line, "frames"));
    let line = longest.expect("a line of the dashboard that was left");
    let time = |name| milliseconds(Duration::from_micros(number(line, name)));
    println!(
        "draw: {} frames, median {:.2} ms, p99 {:.2} ms, worst {:.2} ms",
        number(line, "frames"),
        time("median_us"),
        time("p99_us"),
        time("worst_us"),
    );
}

fn number(line: &str, name: &str) -> u64 {
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    line[name].as_u64().expect("a whole number")
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| milliseconds(times[(times.len() - 1) * share / 100]);
    println!(
        "{what}: median {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        at(50),
        at(99),
        at(100)
    );
}

/// The program on its terminal.
struct Screen {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn std::io::Write + Send>,
    output: Receiver<Vec<u8>>,
    _master: Box<dyn MasterPty + Send>,
    /// Up and down in turn by many, so that the selection always moves.
    pressed: usize,
}

impl Screen {
    /// Starts the program; returns how long it took until sources were on the screen, and until all were counted there.
    fn open(folder: &Path) -> (Self, (Duration, Duration)) {
        let size = PtySize {
            rows: 50,
            cols: 200,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_gannet"));
        command.args(["--no-worker", "--data-dir"]);
        command.arg(folder);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let start = Instant::now();
        let child = pair.slave.spawn_command(command).expect("gannet starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = vec![0; 64 << 10];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = Self {
            child,
            writer: pair.master.take_writer().expect("a writer"),
            output,
            _master: pair.master,
            pressed: 0,
        };
        screen.until(b"f0.csv");
        screen.until(FRAME_END);
        let first = start.elapsed();
        // Only what changes is written: not the title before the number.
        screen.until(b"100,000");
        screen.until(FRAME_END);
        (screen, (first, start.elapsed()))
    }

    /// Reads until these bytes came.
    fn until(&self, wanted: &[u8]) {
        let mut seen = Vec::new();
        while !seen.windows(wanted.len()).any(|window| window == wanted) {
            let Ok(bytes) = self.output.recv_timeout(PATIENCE) else {
                panic!("no more output: {}", String::from_utf8_lossy(&seen));
            };
            seen.extend(bytes);
        }
    }

    /// Reads for so long; returns how many frames came.
    fn quiet(&self, time: Duration) -> u32 {
        let end = Instant::now() + time;
        let mut seen = Vec::new();
        while let Ok(bytes) = self
            .output
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            seen.extend(bytes);
        }
        let ends = seen.windows(FRAME_END.len());
        let count = ends.filter(|window| *window == FRAME_END).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Moves the selection; returns how long its frame took.
    fn key(&mut self) -> Duration {
        let key: &[u8] = if self.pressed % 100 < 60 { b"j" } else { b"k" };
        self.pressed += 1;
        self.press(key)
    }

    /// Presses a key; returns how long its frame took. Then lets what it asked for come.
    fn press(&mut self, key: &[u8]) -> Duration {
        let start = Instant::now();
        self.writer.write_all(key).expect("the program reads");
        self.until(FRAME_END);
        let time = start.elapsed();
        self.quiet(Duration::from_millis(30));
        time
    }

    /// Counts frames and times keys while new versions are recorded as fast as it goes, by this process.
    fn while_recording(&mut self, recorder: &mut Recorder) {
        const RECORDED: u32 = 50_000;
        recorder.pass_days(1);
        let claims = recorder.claim_due(RECORDED as usize);
        let at = recorder.now();
        let recorder = &*recorder;
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let start = Instant::now();
                recorder.record_all(&claims, 256, |claim| {
                    let line = format!("source {} on another day\n", claim.source.id);
                    Recorder::new_version(super::catalogue::raw(line.as_bytes()), at)
                });
                start.elapsed()
            });
            let (mut times, mut frames, start) = (Vec::new(), 0_u32, Instant::now());
            while !worker.is_finished() {
                times.push(self.key());
                frames += 1 + self.quiet(Duration::from_millis(70));
            }
            let rate = f64::from(frames) / start.elapsed().as_secs_f64();
            let took = worker.join().expect("everything is recorded");
            println!(
                "beside {:.0} new versions a second: {rate:.0} frames a second",
                f64::from(RECORDED) / took.as_secs_f64()
            );
            report("key to frame meanwhile", times);
        });
        self.quiet(Duration::from_secs(3));
    }

    /// Counts frames and processor time in ten seconds in which nothing happens.
    fn idle(&self) {
        let before = self.ticks();
        let frames = self.quiet(Duration::from_secs(10));
        // A tick is a hundredth of a second.
        let share = f64::from(self.ticks() - before) / 10.0;
        println!("idle for 10 s: {frames} frames, {share:.1} % of a core");
    }

    /// Returns the processor time that the program has used, in ticks.
    fn ticks(&self) -> u32 {
        let id = self.child.process_id().expect("it lives");
        let text = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it lives");
        let (_, rest) = text.rsplit_once(") ").expect("a name in brackets");
        let fields = rest.split(' ').skip(11).take(2);
        fields
            .map(|field| field.parse::<u32>().expect("ticks"))
            .sum()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
