//! The scale of values: round ticks in the unit's own steps, from zero unless values other than times are far above it.
//!
//! Never places anything: a tick is a share of the height.

use crate::domain::format_size;

/// The unit of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// How many.
    Count,
    /// Thousandths of a second.
    Milliseconds,
    /// Bytes, in powers of 1024.
    Bytes,
}

/// There are at most so many steps between the least and the most, and one more where they lie between ticks.
const STEPS: f64 = 4.0;

/// Units of time, each with its milliseconds and the milliseconds from which on it is used.
const TIMES: [(&str, f64, f64); 5] = [
    ("d", 86_400_000.0, 172_800_000.0),
    ("h", 3_600_000.0, 7_200_000.0),
    ("min", 60_000.0, 120_000.0),
    ("s", 1000.0, 1000.0),
    ("ms", 1.0, 0.0),
];

/// Units of sizes, each with its power of two.
const SIZES: [(&str, f64); 7] = [
    ("EiB", 60.0),
    ("PiB", 50.0),
    ("TiB", 40.0),
    ("GiB", 30.0),
    ("MiB", 20.0),
    ("KiB", 10.0),
    ("B", 0.0),
];

/// A scale of values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    /// The ticks, from below: a share of the height, and a label.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Returns the scale for values from `least` to `most`.
    pub(super) fn new(unit: Unit, least: u64, most: u64) -> Self {
        let (least, most) = (real(least), real(most));
        // Close values far above zero would be a flat line: only then is the part from zero left out. Times are compared by
        // their lengths, which have to begin at zero.
        let is_close =
            unit != Unit::Milliseconds && least >= most * 0.75 && most - least >= most / 50.0;
        let base = if is_close { least } else { 0.0 };
        let (step, name, length) = unit.step(most - base, most);
        let low = (base / step).floor() * step;
        let high = ((most / step).ceil() * step).max(low + step);
        let values = (0_u16..8).map(|count| low + step * f64::from(count));
        let values = values.take_while(|value| *value <= high + step / 2.0);
        let ticks = values.map(|value| {
            let gap = if name.is_empty() { "" } else { " " };
            let share = (value - low) / (high - low);
            (share, format!("{}{gap}{name}", shortest(value / length)))
        });
        Self {
            low,
            high,
            ticks: ticks.collect(),
        }
    }

    /// Returns the share of the height at which a value stands.
    pub(super) fn share(&self, value: u64) -> f64 {
        ((real(value) - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

impl Unit {
    /// Prints a value for people.
    pub(crate) fn words(self, value: u64) -> String {
        match self {
            Self::Count => value.to_string(),
            Self::Bytes => format_size(value),
            Self::Milliseconds => {
                let (name, length) = time_unit(real(value));
                format!("{:.1} {name}", real(value) / length).replace(".0 ", " ")
            }
        }
    }

    /// Returns the step between ticks for a range, with the name and the length of the unit of the labels.
    fn step(self, range: f64, most: f64) -> (f64, &'static str, f64) {
        match self {
            Self::Count => (decimal(range / STEPS).max(1.0), "", 1.0),
            Self::Milliseconds => {
                let (name, length) = time_unit(most);
                let step = decimal(range / STEPS / length) * length;
                (step.max(1.0), name, length)
            }
            Self::Bytes => {
                let step = (range / STEPS).max(1.0).log2().ceil().exp2();
                let mut lengths = SIZES.iter().map(|(name, power)| (*name, power.exp2()));
                // Ticks have at most two decimals; small sizes are in bytes, as elsewhere.
                let is_small = most < 4096.0;
                let found = lengths.find(|(_, length)| !is_small && step >= length / 4.0);
                let (name, length) = found.unwrap_or(("B", 1.0));
                (step, name, length)
            }
        }
    }
}

fn time_unit(ms: f64) -> (&'static str, f64) {
    let found = TIMES.iter().find(|(_, _, from)| ms >= *from);
    found.map_or(("ms", 1.0), |(name, length, _)| (name, *length))
}

/// Returns the least number of 1, 2 or 5 and a power of ten that is no less than `value`.
fn decimal(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(0.001).log10().floor());
    let rounded = [1.0, 2.0, 5.0].map(|digit| digit * power);
    let found = rounded
        .into_iter()
        .find(|round| *round >= value * 0.999_999);
    found.unwrap_or(10.0 * power)
}

/// Prints a number with at most three decimals, and no more than it has.
fn shortest(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns a value as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn real(value: u64) -> f64 {
    value as f64
}
