//! Plots for pages, as inline SVG without script and without inline style: [`bars`] of fetches by the hour, a [`line`] of
//! latency or size over time, and a [`strip`] of outcomes.
//!
//! Each is one picture for screen readers (`role="img"`): its title and its description say in words what it shows. A
//! colour never says a thing alone. A picture scales with its width, from 360 pixels; many points are thinned, extremes
//! and failures kept. The style sheet gives the colours, to these classes:
//!
//! | class | on | needs |
//! | --- | --- | --- |
//! | `plot` | the whole picture | a width, at most 36rem or so |
//! | `plot-label` | texts of axes and legends | `fill`: a text colour |
//! | `plot-grid` | lines of the grid | `stroke`: a faint line |
//! | `plot-axis` | the base line | `stroke`: a line |
//! | `plot-good` | what went well in bars | `fill` |
//! | `plot-failed` | failures in bars, cells and the legend | `fill` |
//! | `plot-mark` | crosses for failures beside a line | `stroke`: the colour of failures |
//! | `plot-line` | the line of values | `stroke` |
//! | `plot-point` | a single value | `fill` |
//! | `plot-new`, `plot-unchanged` | cells of the strip | `fill` |
//! | `plot-glyph` | signs on cells | `fill`: readable on the cells' colours |
//!
//! Never reads a clock or the store.

mod bars;
mod frame;
mod line;
mod scale;
mod strip;
#[cfg(test)]
mod tests;
mod time_scale;

pub(crate) use bars::{Hour, bars};
pub(crate) use line::{Point, Series, line};
pub(crate) use scale::Unit;
pub(crate) use strip::{Cell, strip};
