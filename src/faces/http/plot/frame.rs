//! What all plots share: the picture with its title and description, the area between the axes, and numbers as text.
//!
//! Never draws values.

use maud::{Markup, html};

use super::scale::Scale;
use crate::faces::text::clean;

/// The width of every picture, in its own units; one is about a pixel on a narrow screen.
pub(super) const WIDTH: f64 = 380.0;
/// The size of texts.
pub(super) const FONT_SIZE: f64 = 12.0;
/// The height of a plot with axes.
const HEIGHT: f64 = 160.0;
/// The width of a digit.
const DIGIT: f64 = 7.0;

/// The area between the axes. A place in it is a share of its width, or of its height from below.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Area {
    /// Returns the area beside the labels of the values, for which there is room for so many letters at least, below a legend
    /// and above the labels of the times.
    pub(super) fn beside(scale: &Scale, least_letters: usize) -> Self {
        let letters = scale.ticks.iter().map(|(_, label)| label.chars().count());
        let letters = letters.max().unwrap_or_default().max(least_letters);
        let width = f64::from(u16::try_from(letters).unwrap_or(u16::MAX)) * DIGIT;
        Self {
            left: width.min(WIDTH / 3.0) + 10.0,
            right: WIDTH - 10.0,
            top: 22.0,
            bottom: HEIGHT - 20.0,
        }
    }

    /// Returns the units across of a share of the width.
    pub(super) fn across(&self, share: f64) -> f64 {
        share * (self.right - self.left)
    }

    /// Returns the units upwards of a share of the height.
    pub(super) fn up(&self, share: f64) -> f64 {
        share * (self.bottom - self.top)
    }

    /// Returns the horizontal place of a share.
    pub(super) fn x(&self, share: f64) -> f64 {
        self.left + self.across(share)
    }

    /// Returns the vertical place of a share.
    pub(super) fn y(&self, share: f64) -> f64 {
        self.bottom - self.up(share)
    }

    /// Draws the grid, the base line, and the labels of both axes.
    pub(super) fn axes(&self, scale: &Scale, times: &[(f64, String)]) -> Markup {
        let line = |class: &str, y: f64| {
            html! {
                line class=(class) x1=(unit(self.left)) x2=(unit(self.right)) y1=(unit(y)) y2=(unit(y)) {}
            }
        };
        let (values, below) = (self.left - 6.0, self.bottom + FONT_SIZE + 3.0);
        html! {
            @for (share, label) in &scale.ticks {
                @let y = self.y(*share);
                (line(if *share > 0.0 { "plot-grid" } else { "plot-axis" }, y))
                (text_at(values, y + FONT_SIZE / 3.0, "end", label))
            }
            @for (share, label) in times {
                (text_at(self.x(*share), below, anchor(*share), label))
            }
        }
    }
}

/// Returns the anchor that keeps a label below the axis within the picture.
fn anchor(share: f64) -> &'static str {
    match share {
        0.0..0.05 => "start",
        0.0..0.95 => "middle",
        _ => "end",
    }
}

/// Returns a picture with axes.
pub(super) fn plot(title: &str, description: &str, content: &Markup) -> Markup {
    picture(HEIGHT, title, description, content)
}

/// Returns a picture that says that there is nothing to show.
pub(super) fn nothing(title: &str, words: &str) -> Markup {
    let height = 48.0;
    let content = text_at(WIDTH / 2.0, height / 2.0, "middle", words);
    picture(height, title, words, &content)
}

/// Returns a picture of this height.
pub(super) fn picture(height: f64, title: &str, description: &str, content: &Markup) -> Markup {
    html! {
        svg.plot role="img" viewBox={ "0 0 " (unit(WIDTH)) " " (unit(height)) } font-size=(unit(FONT_SIZE)) {
            title { (clean(title)) }
            desc { (clean(description)) }
            (content)
        }
    }
}

/// Returns a text that begins, ends or has its middle (`start`, `end`, `middle`) at this place.
pub(super) fn text_at(x: f64, y: f64, anchor: &str, text: &str) -> Markup {
    html! { text.plot-label x=(unit(x)) y=(unit(y)) text-anchor=(anchor) { (text) } }
}

/// Returns a rectangle.
pub(super) fn rectangle(class: &str, x: f64, y: f64, width: f64, height: f64) -> Markup {
    html! { rect class=(class) x=(unit(x)) y=(unit(y)) width=(unit(width)) height=(unit(height)) {} }
}

/// Prints a number of units, to a tenth.
pub(super) fn unit(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
