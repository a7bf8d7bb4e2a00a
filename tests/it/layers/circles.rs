//! Finds files that need each other: whoever reads one of a circle has to know them all first.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;

use super::paths::{absolute, each_item, imports, is_test, named_paths};
use super::rules::module_of;

/// What a module holds by name.
#[derive(Default)]
struct Module {
    /// The file that it stands in.
    file: usize,
    /// What is defined here.
    items: BTreeSet<String>,
    /// What is imported, or exported again, and from where.
    imports: BTreeMap<String, Vec<String>>,
    /// Modules of which everything is imported.
    globs: Vec<Vec<String>>,
}

type Modules = BTreeMap<Vec<String>, Module>;

/// Files that need each other, and for each need the path that names it.
pub(super) struct Circle {
    pub(super) files: Vec<String>,
    /// From which file, to which, by what.
    pub(super) needs: Vec<(String, String, String)>,
}

/// Returns the circles among files, tests left out.
pub(super) fn circles(files: &[(String, syn::File)]) -> Vec<Circle> {
    let modules = modules(files);
    let is_of_tests = of_tests(files);
    let mut needs = vec![BTreeMap::new(); files.len()];
    for (at, (name, file)) in files.iter().enumerate() {
        let module = module_of(name);
        if is_of_tests.iter().any(|tests| module.starts_with(tests)) {
            continue;
        }
        for named in named_paths(&module, &file.items, false) {
            if let Some(found) = find(&modules, &named.by, &named.parts, 0).filter(|it| *it != at) {
                needs[at]
                    .entry(found)
                    .or_insert_with(|| named.parts.join("::"));
            }
        }
    }
    let reach: Vec<_> = (0..files.len())
        .map(|from| reachable(&needs, from))
        .collect();
    let mut circles = BTreeSet::new();
    for (at, from_here) in reach.iter().enumerate() {
        let circle = from_here
            .iter()
            .filter(|other| reach[**other].contains(&at));
        let circle: Vec<_> = circle.copied().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let name = |at: &usize| files[*at].0.clone();
    let circles = circles.into_iter().map(|circle| Circle {
        files: circle.iter().map(name).collect(),
        needs: circle
            .iter()
            .flat_map(|from| {
                let inside = needs[*from].iter().filter(|(to, _)| circle.contains(to));
                inside.map(move |(to, path)| (name(from), name(to), path.clone()))
            })
            .collect(),
    });
    circles.collect()
}

fn reachable(needs: &[BTreeMap<usize, String>], from: usize) -> BTreeSet<usize> {
    let (mut found, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        next.extend(needs[at].keys().filter(|other| found.insert(**other)));
    }
    found
}

/// Returns the modules in files of their own that are declared for tests only.
fn of_tests(files: &[(String, syn::File)]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (name, file) in files {
        each_item(&module_of(name), &file.items, true, &mut |module, item| {
            if let Item::Mod(item) = item
                && is_test(&item.attrs)
            {
                let inner = module.iter().cloned().chain([item.ident.to_string()]);
                found.push(inner.collect());
            }
        });
    }
    found
}

fn modules(files: &[(String, syn::File)]) -> Modules {
    let mut modules = Modules::new();
    for (at, (name, file)) in files.iter().enumerate() {
        let module = module_of(name);
        modules.entry(module.clone()).or_default().file = at;
        each_item(&module, &file.items, false, &mut |module, item| {
            let known = modules.entry(module.to_vec()).or_default();
            known.file = at;
            if let Item::Use(item) = item {
                for (name, path) in imports(&item.tree) {
                    if name == "*" {
                        known.globs.push(path);
                    } else {
                        known.imports.insert(name, path);
                    }
                }
            } else if let Some(name) = name_of(item) {
                known.items.insert(name);
            }
        });
    }
    modules
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Returns the file that defines what a path names as seen from a module; nothing where that is a module, or of another crate.
fn find(modules: &Modules, from: &[String], path: &[String], depth: usize) -> Option<usize> {
    // An import that leads to itself is no Rust.
    if depth > 16 {
        return None;
    }
    let (path, _) = absolute(from, path);
    let is_whole = path.first().is_some_and(|first| first == "crate");
    let (mut place, rest) = if is_whole {
        (vec!["crate".to_owned()], &path[1..])
    } else {
        (from.to_vec(), &path[..])
    };
    for (at, part) in rest.iter().enumerate() {
        let inner: Vec<_> = place.iter().cloned().chain([part.clone()]).collect();
        if modules.contains_key(&inner) {
            place = inner;
            continue;
        }
        let module = modules.get(&place)?;
        if module.items.contains(part) {
            return Some(module.file);
        }
        let behind = |path: &[String], rest: &[String]| {
            let path: Vec<_> = path.iter().chain(rest).cloned().collect();
            // A name that is imported under itself from another crate.
            (path != rest).then(|| find(modules, &place, &path, depth + 1))?
        };
        if let Some(path) = module.imports.get(part) {
            return behind(path, &rest[at + 1..]);
        }
        let mut globs = module.globs.iter();
        return globs.find_map(|glob| behind(glob, &rest[at..]));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::circles;

    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let parsed = files.iter().map(|(name, text)| {
            let file = syn::parse_file(text).expect("Rust");
            ((*name).to_owned(), file)
        });
        let circles = circles(&parsed.collect::<Vec<_>>());
        circles.into_iter().map(|circle| circle.files).collect()
    }

    #[test]
    fn circles_are_seen_through_what_is_exported_again() {
        let root = ("lib.rs", "pub mod a;");
        let page = (
            "a/mod.rs",
            "mod b; mod c; pub use b::B; pub use self::c::run;",
        );
        for (b, c, expected) in [
            ("pub struct B;", "use super::B; pub fn run(_: B) {}", 0),
            (
                "pub struct B; fn f() { super::run() }",
                "use crate::a::B; pub fn run(_: B) {}",
                1,
            ),
            (
                "use super::c; pub struct B; fn f() { c::run() }",
                "pub fn run(_: super::B) {}",
                1,
            ),
            (
                "use crate::a::*; pub struct B; fn f() { run() }",
                "pub fn run() {}",
                0,
            ),
            // Tests may look at anything.
            (
                "pub struct B; #[cfg(test)] mod tests { use crate::a::run; }",
                "use super::B; pub fn run(_: B) {}",
                0,
            ),
        ] {
            let files = [root, page, ("a/b.rs", b), ("a/c.rs", c)];
            assert_eq!(found(&files).len(), expected, "{b} {c}");
        }
        let files = [
            root,
            ("a/mod.rs", "mod b; pub use b::B;"),
            ("a/b.rs", "mod deep; pub struct B; fn f() { deep::g() }"),
            ("a/b/deep.rs", "pub fn g() -> super::B { super::B }"),
        ];
        assert_eq!(found(&files), [["a/b.rs", "a/b/deep.rs"]]);
    }
}
