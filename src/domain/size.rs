//! Sizes in bytes as people write them.

use super::parse_number;

const UNITS: [(&str, u64); 10] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Parses `256MiB`, `10 MB`, `512B` or a plain number of bytes; a whole number, at least 1.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let bad = || {
        format!(
            "`{text}` is not a size: give a whole number of B, KiB, MiB, GiB, kB, MB or GB, such as 256MiB"
        )
    };
    let trimmed = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| {
            trimmed
                .strip_suffix(suffix)
                .map(|number| (number.trim_end(), *unit))
        })
        .unwrap_or((trimmed, 1));
    parse_number::<u64>(number)
        .and_then(|count| count.checked_mul(unit))
        .filter(|bytes| (1..=i64::MAX.unsigned_abs()).contains(bytes))
        .ok_or_else(bad)
}

/// Prints a size exactly, in the largest binary unit that divides it; [`parse_size`] parses the result.
pub fn exact_size(bytes: u64) -> String {
    [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .into_iter()
        .find(|(_, shift)| bytes.is_multiple_of(1 << shift))
        .map_or_else(
            || format!("{bytes}B"),
            |(unit, shift)| format!("{}{unit}", bytes >> shift),
        )
}

/// Prints a size for people, with at most one decimal: `1442 B`, `4.0 KiB`, `95.4 MiB`.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn format_size(bytes: u64) -> String {
    const STEPS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 4096 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut step = 0;
    while value >= 1024.0 && step + 1 < STEPS.len() {
        value /= 1024.0;
        step += 1;
    }
    format!("{value:.1} {}", STEPS[step])
}

/// Prints a size in bytes, followed by the rounded size when it is large.
pub fn size_to_the_byte(bytes: u64) -> String {
    let short = format_size(bytes);
    if short.ends_with(" B") {
        short
    } else {
        format!("{bytes} B ({short})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, bytes) in [
            ("256MiB", 256 << 20),
            ("10 MB", 10_000_000),
            ("512B", 512),
            ("77", 77),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "1.5MiB",
            "MiB",
            "10 XB",
            "99999999999999999999",
            "9999999TiB",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(format_size(1442), "1442 B");
        assert_eq!(format_size(100_000_000), "95.4 MiB");
    }
}
