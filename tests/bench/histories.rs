//! Histories of files that change little by little, as sources do: the same bytes in every run and on every machine.
//!
//! Each is an iterator, so that a history of gigabytes costs the memory of one version.

use std::fmt::Write as _;

/// All versions of one file, oldest first.
pub(crate) struct History {
    /// What the tables call it.
    pub(crate) name: &'static str,
    /// The versions.
    pub(crate) versions: Box<dyn Iterator<Item = Vec<u8>>>,
}

/// Returns the four histories that the bars are stated for.
pub(crate) fn all() -> Vec<History> {
    vec![csv(), json(), html(), log()]
}

/// 500 versions of a 1 MB CSV: 0 to 12 rows appended and 0 to 20 edited each time.
pub(crate) fn csv() -> History {
    let mut random = Random(1);
    let words = words(&mut random);
    let mut rows: Vec<String> = (0..14_500)
        .map(|number| csv_row(number, &words, &mut random))
        .collect();
    let versions = (0..500).map(move |version| {
        if version > 0 {
            for _ in 0..random.below(21) {
                let place = random.below(rows.len());
                rows[place] = csv_row(place, &words, &mut random);
            }
            for _ in 0..random.below(13) {
                rows.push(csv_row(rows.len(), &words, &mut random));
            }
        }
        let mut text = "id,time,name,price,stock,currency\n".to_owned();
        text.extend(rows.iter().map(String::as_str));
        text.into_bytes()
    });
    History {
        name: "csv",
        versions: Box::new(versions),
    }
}

/// 500 versions of a 295 KB JSON array: 60 % of its time-stamps change each time.
pub(crate) fn json() -> History {
    let mut random = Random(2);
    let words = words(&mut random);
    let fixed: Vec<String> = (0..1_900)
        .map(|id| {
            let name = phrase(&words, 3, &mut random);
            let value = random.below(1_000_000);
            format!("\"id\": {id}, \"name\": \"{name}\", \"value\": {value}, \"unit\": \"kWh\"")
        })
        .collect();
    let mut times: Vec<usize> = fixed.iter().map(|_| random.below(3_600)).collect();
    let versions = (0..500).map(move |version| {
        for time in &mut times {
            if random.below(10) < 6 {
                *time = version * 3_600 + random.below(3_600);
            }
        }
        let mut text = "[\n".to_owned();
        for (fixed, time) in fixed.iter().zip(&times) {
            let _ = writeln!(
                text,
                "  {{{fixed}, \"updated_at\": \"{}\", \"ok\": true}},",
                timestamp(*time)
            );
        }
        text.push_str("  {}\n]\n");
        text.into_bytes()
    });
    History {
        name: "json",
        versions: Box::new(versions),
    }
}

/// 500 versions of a 75 KB page: a few articles enter at the top and leave at the end, counters and a nonce change.
pub(crate) fn html() -> History {
    let mut random = Random(3);
    let words = words(&mut random);
    let mut number = 0;
    let mut article = move |random: &mut Random| {
        number += 1;
        let (title, body) = (phrase(&words, 6, random), phrase(&words, 45, random));
        format!(
            "<article id=\"a{number}\"><h2>{title}</h2><p class=\"lead\">{body}.</p></article>\n"
        )
    };
    let mut articles: Vec<(String, usize)> = (0..150)
        .map(|_| (article(&mut random), random.below(1_000)))
        .collect();
    let versions = (0..500).map(move |_| {
        for _ in 0..random.below(3) {
            articles.insert(0, (article(&mut random), 0));
            articles.pop();
        }
        for _ in 0..25 {
            let place = random.below(articles.len());
            articles[place].1 += 1 + random.below(9);
        }
        let mut text = format!(
            "<!doctype html><html><head><meta name=\"nonce\" content=\"{:016x}\"></head><body>\n",
            random.next()
        );
        for (article, views) in &articles {
            let _ = writeln!(text, "{article}<footer><span>{views} views</span></footer>");
        }
        text.push_str("</body></html>\n");
        text.into_bytes()
    });
    History {
        name: "html",
        versions: Box::new(versions),
    }
}

/// 50 versions of a 10 MB log that grows by about 64 KB each time.
pub(crate) fn log() -> History {
    let mut random = Random(4);
    let words = words(&mut random);
    let mut text = String::new();
    let mut lines = 0;
    let versions = (0..50).map(move |version| {
        let goal = 10_000_000 + version * 64_000;
        while text.len() < goal {
            lines += 1 + random.below(3);
            let address = random.next();
            let (place, bytes) = (phrase(&words, 2, &mut random), random.below(90_000));
            let _ = writeln!(
                text,
                "{} host-{} GET /{}/{:08x} 200 {bytes}",
                timestamp(lines),
                address % 40,
                place.replace(' ', "/"),
                address >> 32,
            );
        }
        text.clone().into_bytes()
    });
    History {
        name: "log",
        versions: Box::new(versions),
    }
}

/// 87,600 versions of a status page of 2 KB: ten years of hours in which a few of its 40 lines change each time.
pub(crate) fn small() -> impl Iterator<Item = Vec<u8>> {
    let mut random = Random(6);
    let words = words(&mut random);
    let names: Vec<String> = (0..40).map(|_| phrase(&words, 2, &mut random)).collect();
    let mut loads = vec![0; names.len()];
    (0..87_600).map(move |hour| {
        for _ in 0..=random.below(5) {
            loads[random.below(names.len())] = random.below(100_000);
        }
        let mut text = format!("status at {}\n", timestamp(hour * 3_600));
        for (name, load) in names.iter().zip(&loads) {
            let _ = writeln!(text, "{name:30} load {load:7} state ok");
        }
        text.into_bytes()
    })
}

/// Returns `count` bytes that no coder makes smaller.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes: Vec<u8> = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// A generator of pseudo-random numbers: `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Returns the next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("less than a usize")
    }
}

fn csv_row(number: usize, words: &[String], random: &mut Random) -> String {
    let time = timestamp(random.below(40_000_000));
    let name = phrase(words, 2, random);
    let (whole, cents, stock) = (random.below(900), random.below(100), random.below(5_000));
    format!("{number:06},{time},{name},{whole}.{cents:02},{stock},EUR\n")
}

fn words(random: &mut Random) -> Vec<String> {
    const SYLLABLES: [&str; 16] = [
        "ka", "re", "ton", "mi", "lo", "ver", "sta", "ni", "gu", "pol", "ar", "den", "fi", "shu",
        "ex", "or",
    ];
    (0..1_500)
        .map(|_| {
            (0..2 + random.below(3))
                .map(|_| SYLLABLES[random.below(SYLLABLES.len())])
                .collect()
        })
        .collect()
}

/// Returns `count` words, the early ones of the list much more often than the late ones.
fn phrase(words: &[String], count: usize, random: &mut Random) -> String {
    let picked: Vec<&str> = (0..count)
        .map(|_| {
            let reach = 1 + random.below(words.len());
            words[random.below(reach)].as_str()
        })
        .collect();
    picked.join(" ")
}

/// Formats seconds as a time in a calendar whose months have 28 days.
fn timestamp(seconds: usize) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!(
        "{}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        2024 + days / 336,
        days / 28 % 12 + 1,
        days % 28 + 1,
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}
