//! The keymap: one table of context, key and action. Dispatch, help, hints, palette and documentation all use it.

use std::fmt::Write as _;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyModifiers};

use super::user_action::UserAction;
use crate::config::KeySetting;

/// A part of the screen with its own meaning of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Context {
    /// Everywhere, in inputs too.
    Anywhere,
    /// Wherever no input, question or menu is open.
    Main,
    /// The table of sources.
    Sources,
    /// The log.
    Log,
    /// The content of a version.
    Content,
    /// The view of messages.
    Messages,
    /// A question.
    Question,
    /// A form.
    Form,
    /// A line of text that filters as it is typed.
    Line,
    /// A menu.
    Menu,
}

impl Context {
    /// Every context, with its title in the help.
    pub(crate) const ALL: [(Self, &'static str); 10] = [
        (Self::Main, "In every view"),
        (Self::Sources, "In the table of sources"),
        (Self::Log, "In the log"),
        (Self::Content, "In a version's content"),
        (Self::Messages, "In the view of messages"),
        (Self::Question, "At a question"),
        (Self::Form, "In a form"),
        (Self::Line, "While typing a filter"),
        (Self::Menu, "In a menu"),
        (Self::Anywhere, "Everywhere"),
    ];

    /// The groups of contexts that can be in force at once: within a group a key has one meaning.
    const TOGETHER: [&'static [Self]; 8] = [
        &[Self::Sources, Self::Main, Self::Anywhere],
        &[Self::Log, Self::Main, Self::Anywhere],
        &[Self::Content, Self::Main, Self::Anywhere],
        &[Self::Messages, Self::Main, Self::Anywhere],
        &[Self::Question, Self::Anywhere],
        &[Self::Form, Self::Anywhere],
        &[Self::Line, Self::Anywhere],
        &[Self::Menu, Self::Anywhere],
    ];
}

/// The default bindings: context, action, its keys, and whether the footer shows them.
const DEFAULT_BINDINGS: &[(Context, UserAction, &[&str], bool)] = &[
    (Context::Main, UserAction::Sources, &["1"], false),
    (Context::Main, UserAction::Messages, &["4"], false),
    (Context::Main, UserAction::Add, &["a"], true),
    (Context::Main, UserAction::Interval, &["e"], true),
    (Context::Main, UserAction::Edit, &["shift-e"], false),
    (Context::Main, UserAction::Toggle, &["space"], true),
    (Context::Main, UserAction::Fetch, &["f"], true),
    (Context::Main, UserAction::Verify, &["v"], true),
    (Context::Main, UserAction::Open, &["enter"], true),
    (Context::Main, UserAction::Diff, &["d"], true),
    (Context::Main, UserAction::Filter, &["/"], true),
    (Context::Main, UserAction::Remove, &["shift-d"], false),
    (Context::Main, UserAction::Undo, &["z"], true),
    (Context::Main, UserAction::Redo, &["shift-z"], false),
    (Context::Main, UserAction::Mark, &["m"], true),
    (Context::Main, UserAction::Unmark, &["shift-m"], false),
    (Context::Main, UserAction::Copy, &["y"], false),
    (Context::Main, UserAction::Freeze, &["shift-f"], false),
    (Context::Main, UserAction::NextPane, &["tab"], true),
    (Context::Main, UserAction::PreviousPane, &["backtab"], false),
    (Context::Main, UserAction::Down, &["j", "down"], false),
    (Context::Main, UserAction::Up, &["k", "up"], false),
    (Context::Main, UserAction::Right, &["l", "right"], false),
    (Context::Main, UserAction::Left, &["h", "left"], false),
    (Context::Main, UserAction::PageDown, &["pagedown"], false),
    (Context::Main, UserAction::PageUp, &["pageup"], false),
    (Context::Main, UserAction::HalfDown, &["ctrl-d"], false),
    (Context::Main, UserAction::HalfUp, &["ctrl-u"], false),
    (Context::Main, UserAction::Top, &["g", "home"], false),
    (
        Context::Main,
        UserAction::Bottom,
        &["shift-g", "end"],
        false,
    ),
    (Context::Main, UserAction::Palette, &[":"], true),
    (Context::Sources, UserAction::Sort, &["s"], true),
    (Context::Sources, UserAction::Reverse, &["shift-s"], false),
    (Context::Log, UserAction::Level, &["w"], true),
    (Context::Log, UserAction::OnlySource, &["o"], true),
    (Context::Content, UserAction::Hex, &["x"], true),
    (Context::Messages, UserAction::Retry, &["r"], false),
    (Context::Messages, UserAction::Drop, &["x"], false),
    (Context::Main, UserAction::Help, &["?"], true),
    (Context::Main, UserAction::Close, &["esc"], false),
    (Context::Main, UserAction::Quit, &["q"], true),
    (Context::Question, UserAction::Accept, &["y"], true),
    (
        Context::Question,
        UserAction::Refuse,
        &["n", "esc", "enter", "q"],
        true,
    ),
    (Context::Form, UserAction::Accept, &["enter"], true),
    (Context::Form, UserAction::NextField, &["tab", "down"], true),
    (
        Context::Form,
        UserAction::PreviousField,
        &["backtab", "up"],
        false,
    ),
    (Context::Form, UserAction::Close, &["esc"], true),
    (Context::Line, UserAction::Accept, &["enter"], true),
    (Context::Line, UserAction::Close, &["esc"], true),
    (Context::Menu, UserAction::Accept, &["enter"], true),
    (Context::Menu, UserAction::NextItem, &["down", "tab"], true),
    (
        Context::Menu,
        UserAction::PreviousItem,
        &["up", "backtab"],
        false,
    ),
    (Context::Menu, UserAction::Close, &["esc"], true),
    (Context::Anywhere, UserAction::Suspend, &["ctrl-z"], false),
    (Context::Anywhere, UserAction::QuitNow, &["ctrl-c"], false),
];

/// The keys of one action in one context.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) context: Context,
    pub(crate) action: UserAction,
    pub(crate) keys: Vec<KeyCombination>,
    /// Whether the footer shows the binding.
    pub(crate) in_footer: bool,
    /// The line of the configuration that set the keys; none for the defaults.
    line: Option<usize>,
}

/// The bindings in force.
#[derive(Clone, Debug)]
pub(crate) struct Keymap(Vec<Binding>);

impl Default for Keymap {
    fn default() -> Self {
        let bindings = DEFAULT_BINDINGS
            .iter()
            .map(|(context, action, keys, in_footer)| Binding {
                context: *context,
                action: *action,
                keys: keys
                    .iter()
                    .map(|key| parse(key).expect("the table's keys are well-formed"))
                    .collect(),
                in_footer: *in_footer,
                line: None,
            });
        Self(bindings.collect())
    }
}

impl Keymap {
    /// Returns the defaults, replaced by the configuration's keys where it has any; or all problems of these keys, one
    /// line each.
    pub(crate) fn with(settings: &[KeySetting]) -> Result<Self, Vec<String>> {
        let mut keymap = Self::default();
        let mut problems = Vec::new();
        for setting in settings {
            let line = setting.line;
            let Some(action) = UserAction::from_name(&setting.action) else {
                problems.push(format!(
                    "line {line}: no action `{}`: `gannet config keys` prints all",
                    setting.action
                ));
                continue;
            };
            let keys: Result<Vec<_>, _> = setting.keys.iter().map(|key| parse(key)).collect();
            match keys {
                Ok(keys) => {
                    for binding in keymap.0.iter_mut().filter(|b| b.action == action) {
                        binding.keys.clone_from(&keys);
                        binding.line = Some(line);
                    }
                }
                Err(problem) => problems.push(format!("line {line}: {problem}")),
            }
        }
        problems.extend(keymap.clashes());
        if problems.is_empty() {
            Ok(keymap)
        } else {
            Err(problems)
        }
    }

    /// Returns the action of a key in the first of these contexts that binds it.
    pub(crate) fn action(&self, contexts: &[Context], key: KeyCombination) -> Option<UserAction> {
        let key = canonical(key);
        contexts.iter().find_map(|context| {
            let mut bindings = self.0.iter().filter(|b| b.context == *context);
            bindings
                .find(|binding| binding.keys.contains(&key))
                .map(|binding| binding.action)
        })
    }

    /// Returns the bindings of a context.
    pub(crate) fn bindings_in(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.0.iter().filter(move |b| b.context == context)
    }

    /// Returns the first key of an action in a context, as text.
    pub(crate) fn key_in(&self, context: Context, action: UserAction) -> Option<String> {
        let mut bindings = self.bindings_in(context).filter(|b| b.action == action);
        bindings.find_map(|b| b.keys.first().map(|key| show(*key)))
    }

    fn clashes(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for group in Context::TOGETHER {
            let bindings: Vec<_> = self
                .0
                .iter()
                .filter(|b| group.contains(&b.context))
                .collect();
            for (at, one) in bindings.iter().enumerate() {
                for other in &bindings[at + 1..] {
                    let Some(key) = one.keys.iter().find(|key| other.keys.contains(key)) else {
                        continue;
                    };
                    let whose = |b: &Binding| match b.line {
                        Some(line) => format!("`{}` (line {line})", b.action.name()),
                        None => format!("`{}` (by default)", b.action.name()),
                    };
                    let problem = format!(
                        "the key {} is of both {} and {}",
                        show(*key),
                        whose(one),
                        whose(other)
                    );
                    if one.action != other.action && !found.contains(&problem) {
                        found.push(problem);
                    }
                }
            }
        }
        found
    }

    /// Returns the bindings as a page of documentation in Markdown.
    pub(crate) fn page(&self) -> String {
        let mut page =
            "# Keys of the dashboard\n\nMade by `gannet config keys`. Each line's name is what \
             `[dashboard.keys]` in the configuration calls the action.\n"
                .to_owned();
        for (context, title) in Context::ALL {
            let _ = write!(
                page,
                "\n## {title}\n\n| keys | action | what it does |\n| --- | --- | --- |\n"
            );
            for binding in self.bindings_in(context) {
                let keys: Vec<_> = binding
                    .keys
                    .iter()
                    .map(|key| format!("`{}`", show(*key)))
                    .collect();
                let _ = writeln!(
                    page,
                    "| {} | `{}` | {} |",
                    keys.join(" "),
                    binding.action.name(),
                    binding.action.about()
                );
            }
        }
        page
    }
}

impl Binding {
    /// Returns the keys as text.
    pub(crate) fn shown(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(|key| show(*key)).collect();
        keys.join(" ")
    }
}

/// Reads a key: `a`, `A`, `ctrl-d`, `space`, `?`.
fn parse(text: &str) -> Result<KeyCombination, String> {
    let one = text.chars().next().filter(|_| text.chars().count() == 1);
    if let Some(character) = one {
        let code = KeyCode::Char(character);
        return Ok(canonical(KeyCombination::one_key(code, KeyModifiers::NONE)));
    }
    crokey::parse(text).map(canonical).map_err(|_| {
        format!("`{text}` is not a key: expected one such as a, A, ctrl-d, space, f5 or pagedown")
    })
}

/// Returns the canonical form of a key, since terminals differ: a capital letter has no shift.
fn canonical(key: KeyCombination) -> KeyCombination {
    let crokey::OneToThree::One(code) = key.codes else {
        return key;
    };
    let (code, modifiers) = match code {
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::SHIFT) => {
            let mut upper = c.to_uppercase();
            let c = upper.next().filter(|_| upper.next().is_none()).unwrap_or(c);
            (KeyCode::Char(c), key.modifiers - KeyModifiers::SHIFT)
        }
        KeyCode::BackTab => (KeyCode::BackTab, key.modifiers - KeyModifiers::SHIFT),
        other => (other, key.modifiers),
    };
    KeyCombination::one_key(code, modifiers)
}

/// Returns a key as text that [`parse`] reads.
pub(crate) fn show(key: KeyCombination) -> String {
    let crokey::OneToThree::One(code) = key.codes else {
        return key.to_string().to_lowercase();
    };
    match code {
        KeyCode::Char(c) if key.modifiers.is_empty() && c != ' ' => c.to_string(),
        KeyCode::BackTab => "shift-tab".to_owned(),
        _ => key.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    fn setting(line: usize, action: &str, keys: &[&str]) -> KeySetting {
        KeySetting {
            action: action.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            line,
        }
    }

    #[test]
    fn the_table_has_no_clash_and_every_action_has_a_key() {
        let keymap = Keymap::with(&[]).expect("no clash");
        for action in UserAction::ALL {
            let has_key = Context::ALL
                .iter()
                .any(|(context, _)| keymap.key_in(*context, *action).is_some());
            assert!(has_key, "{}", action.name());
        }
    }

    #[test]
    fn nothing_needs_a_modifier_or_a_function_key() {
        let keymap = Keymap::default();
        for binding in &keymap.0 {
            let plain = |key: &KeyCombination| key.modifiers.is_empty();
            let by_palette = matches!(
                binding.action,
                UserAction::Suspend
                    | UserAction::QuitNow
                    | UserAction::HalfDown
                    | UserAction::HalfUp
            );
            assert!(
                by_palette || binding.keys.iter().any(plain),
                "{}",
                binding.action.name()
            );
        }
    }

    #[test]
    fn keys_are_known_as_terminals_send_them() {
        let keymap = Keymap::default();
        for (code, modifiers, expected) in [
            (KeyCode::Char('D'), KeyModifiers::SHIFT, UserAction::Remove),
            (KeyCode::Char('D'), KeyModifiers::NONE, UserAction::Remove),
            (KeyCode::Char('d'), KeyModifiers::NONE, UserAction::Diff),
            (
                KeyCode::Char('d'),
                KeyModifiers::CONTROL,
                UserAction::HalfDown,
            ),
            (
                KeyCode::BackTab,
                KeyModifiers::SHIFT,
                UserAction::PreviousPane,
            ),
            (KeyCode::Char(' '), KeyModifiers::NONE, UserAction::Toggle),
            (KeyCode::Char('?'), KeyModifiers::SHIFT, UserAction::Help),
        ] {
            let key = KeyCombination::from(KeyEvent::new(code, modifiers));
            assert_eq!(
                keymap.action(&[Context::Main], key),
                Some(expected),
                "{code:?} {modifiers:?}"
            );
        }
    }

    #[test]
    fn a_clash_names_both_lines() {
        let settings = [
            setting(3, "fetch", &["x"]),
            setting(4, "verify", &["x", "V"]),
        ];
        let problems = Keymap::with(&settings).expect_err("a clash");
        assert!(problems[0].contains("`fetch` (line 3)"), "{problems:?}");
        assert!(problems[0].contains("`verify` (line 4)"), "{problems:?}");
        let problems = Keymap::with(&[setting(7, "fetch", &["q"])]).expect_err("a clash");
        assert!(problems[0].contains("`quit` (by default)"), "{problems:?}");
    }

    #[test]
    fn what_is_no_action_or_key_is_told_with_its_line() {
        let settings = [
            setting(2, "fly", &["x"]),
            setting(5, "fetch", &["hyper-x-y-z"]),
        ];
        let problems = Keymap::with(&settings).expect_err("two problems");
        assert!(
            problems[0].starts_with("line 2: no action `fly`"),
            "{problems:?}"
        );
        assert!(
            problems[1].starts_with("line 5: `hyper-x-y-z` is not a key"),
            "{problems:?}"
        );
    }
}
