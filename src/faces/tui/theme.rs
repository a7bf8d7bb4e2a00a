//! The themes: the terminal's own sixteen colours, no background ever, and one theme without any colour.

use ratatui::style::{Color, Modifier, Style};

use crate::config::ThemeChoice;

/// Styles by meaning. Beside its colour, a state always has a word or a glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    pub(crate) text: Style,
    /// Less important text.
    pub(crate) dim: Style,
    /// Headings and keys.
    pub(crate) accent: Style,
    pub(crate) good: Style,
    pub(crate) warning: Style,
    pub(crate) bad: Style,
    pub(crate) border: Style,
    /// The border of the pane that has the focus.
    pub(crate) focus: Style,
    /// Added to the style of the selected row.
    pub(crate) selected: Style,
}

impl Theme {
    /// Returns the theme of a choice. `Auto` depends on the colours of the terminal, which are none under `NO_COLOR`.
    pub(crate) fn of(choice: ThemeChoice, has_colour: bool, has_bright: bool) -> Self {
        match choice {
            // `NO_COLOR`, which the user sets for every program, overrides the choice for gannet.
            _ if !has_colour => Self::mono(),
            ThemeChoice::Mono => Self::mono(),
            ThemeChoice::Auto if !has_bright => Self::plain(),
            ThemeChoice::Plain => Self::plain(),
            ThemeChoice::Light => Self::light(),
            ThemeChoice::Auto | ThemeChoice::Dark => Self::dark(),
        }
    }

    fn dark() -> Self {
        Self::coloured(
            Color::DarkGray,
            Color::LightCyan,
            [Color::LightGreen, Color::LightYellow, Color::LightRed],
        )
    }

    fn light() -> Self {
        Self::coloured(
            Color::DarkGray,
            Color::Blue,
            [Color::Green, Color::Magenta, Color::Red],
        )
    }

    fn plain() -> Self {
        let mut theme = Self::coloured(
            Color::Reset,
            Color::Cyan,
            [Color::Green, Color::Yellow, Color::Red],
        );
        theme.dim = Style::new();
        theme.border = Style::new();
        theme
    }

    fn coloured(dim: Color, accent: Color, [good, warning, bad]: [Color; 3]) -> Self {
        Self {
            text: Style::new(),
            dim: Style::new().fg(dim),
            accent: Style::new().fg(accent),
            good: Style::new().fg(good),
            warning: Style::new().fg(warning),
            bad: Style::new().fg(bad).add_modifier(Modifier::BOLD),
            border: Style::new().fg(dim),
            focus: Style::new().fg(accent),
            // One colour across the row instead of a patch for each coloured cell.
            selected: Style::new()
                .fg(Color::Reset)
                .add_modifier(Modifier::REVERSED),
        }
    }

    // No foreground and no background at all: under NO_COLOR a cell with a colour loses its reverse.
    fn mono() -> Self {
        Self {
            text: Style::new(),
            dim: Style::new(),
            accent: Style::new().add_modifier(Modifier::BOLD),
            good: Style::new(),
            warning: Style::new().add_modifier(Modifier::BOLD),
            bad: Style::new().add_modifier(Modifier::BOLD),
            border: Style::new(),
            focus: Style::new().add_modifier(Modifier::BOLD),
            selected: Style::new().add_modifier(Modifier::REVERSED),
        }
    }
}
