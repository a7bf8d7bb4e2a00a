//! Finds the paths (`a::b::c`) in a parsed file, those of `use` groups spelled out, and what its modules are made of.
//!
//! Macros are read like other code. `super` and `self` are resolved by the file's place and the inline modules around them.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, ItemMod, UseTree};

/// A path that the source names, made absolute where it began with `crate`, `self` or `super`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// From 1.
    pub(super) line: usize,
    /// The module that names it: `["crate", "store"]`.
    pub(super) by: Vec<String>,
    /// Its parts: `["crate", "store", "Store"]`, `["std", "env", "var"]`. One part alone is a crate that is imported.
    pub(super) parts: Vec<String>,
    /// How many `super` it began with.
    pub(super) supers: usize,
}

impl Named {
    /// Tells whether the path is `prefix`, or leads into it.
    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        let mut parts = self.parts.iter();
        prefix
            .split("::")
            .all(|part| parts.next().is_some_and(|own| own == part))
    }
}

/// Calls `each` with every item of a module and of the inline modules in it, and with the module's path. Modules themselves
/// are left out, but for those in files of their own; so are tests, unless they are wanted.
pub(super) fn each_item(
    module: &[String],
    items: &[Item],
    with_tests: bool,
    each: &mut impl FnMut(&[String], &Item),
) {
    for item in items {
        if !with_tests && is_test(attributes(item)) {
            continue;
        }
        match item {
            Item::Mod(ItemMod {
                ident,
                content: Some((_, items)),
                ..
            }) => {
                let inner: Vec<_> = module.iter().cloned().chain([ident.to_string()]).collect();
                each_item(&inner, items, with_tests, each);
            }
            item => each(module, item),
        }
    }
}

/// Returns the paths in the source of the module `module` (`["crate", "store"]`).
pub(super) fn named_paths(module: &[String], items: &[Item], with_tests: bool) -> Vec<Named> {
    let mut named = Vec::new();
    each_item(module, items, with_tests, &mut |module, item| {
        let names_crate = match item {
            Item::Use(item) => matches!(item.tree, UseTree::Name(_) | UseTree::Rename(_)),
            item => matches!(item, Item::ExternCrate(_)),
        };
        let first = named.len();
        collect(item.to_token_stream(), &[], &mut named);
        let found = named.drain(first..).collect::<Vec<_>>();
        named.extend(
            found
                .into_iter()
                .filter(|named| names_crate || named.parts.len() > 1)
                .map(|named| resolved(module, named)),
        );
    });
    named
}

/// Returns the names that a `use` brings into its module, each with its path as written; `*` for all of a module.
pub(super) fn imports(tree: &UseTree) -> Vec<(String, Vec<String>)> {
    let (part, rest) = match tree {
        UseTree::Path(path) => (path.ident.to_string(), imports(&path.tree)),
        UseTree::Name(name) => return vec![(name.ident.to_string(), vec![name.ident.to_string()])],
        UseTree::Rename(name) => {
            return vec![(name.rename.to_string(), vec![name.ident.to_string()])];
        }
        UseTree::Glob(_) => return vec![("*".to_owned(), Vec::new())],
        UseTree::Group(group) => return group.items.iter().flat_map(imports).collect(),
    };
    let behind = |(name, path): (String, Vec<String>)| {
        let is_module = name == "self";
        let path = path.into_iter().filter(|part| part != "self");
        let name = if is_module { part.clone() } else { name };
        (name, std::iter::once(part.clone()).chain(path).collect())
    };
    rest.into_iter().map(behind).collect()
}

/// Makes a path that begins with `self` or `super` absolute, as seen from a module. Returns how many `super` it began with, too.
pub(super) fn absolute(module: &[String], parts: &[String]) -> (Vec<String>, usize) {
    let supers = parts.iter().take_while(|part| *part == "super").count();
    let is_relative = supers > 0 || parts.first().is_some_and(|first| first == "self");
    if !is_relative || parts.len() < 2 {
        return (parts.to_vec(), supers);
    }
    let place = &module[..module.len().saturating_sub(supers).max(1)];
    let rest = &parts[supers.max(1)..];
    (place.iter().chain(rest).cloned().collect(), supers)
}

/// Tells whether an item is there for tests only.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        text == "cfg (test)" || text == "test"
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn resolved(module: &[String], mut named: Named) -> Named {
    // `self` at the end of a group names the group itself.
    if named.parts.len() > 1 && named.parts.last().is_some_and(|last| last == "self") {
        named.parts.pop();
    }
    let (parts, supers) = absolute(module, &named.parts);
    Named {
        by: module.to_vec(),
        parts,
        supers,
        ..named
    }
}

/// Collects the paths of a stream; those of a group behind `prefix::` begin with it.
fn collect(stream: TokenStream, prefix: &[String], named: &mut Vec<Named>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let (mut parts, line) = match &tree {
            TokenTree::Group(group) => {
                collect(group.stream(), &[], named);
                continue;
            }
            TokenTree::Ident(word) if word == "use" => continue,
            // `a as b`: the new name is no path.
            TokenTree::Ident(word) if word == "as" && !prefix.is_empty() => {
                trees.next();
                continue;
            }
            TokenTree::Ident(word) => (vec![word.to_string()], word.span().start().line),
            TokenTree::Punct(star) if star.as_char() == '*' && !prefix.is_empty() => {
                (vec!["*".to_owned()], star.span().start().line)
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => continue,
        };
        parts.splice(..0, prefix.iter().cloned());
        let is_colon =
            |tree: &TokenTree| matches!(tree, TokenTree::Punct(one) if one.as_char() == ':');
        let mut is_whole = true;
        while trees.next_if(is_colon).is_some() {
            if trees.next_if(is_colon).is_none() {
                break;
            }
            match trees.next() {
                Some(TokenTree::Ident(word)) => parts.push(word.to_string()),
                Some(TokenTree::Group(group)) => {
                    collect(group.stream(), &parts, named);
                    is_whole = false;
                    break;
                }
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => parts.push("*".to_owned()),
                _ => break,
            }
        }
        if is_whole {
            named.push(Named {
                line,
                by: Vec::new(),
                parts,
                supers: 0,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::named_paths;

    fn paths(module: &str, text: &str) -> Vec<String> {
        let module: Vec<_> = module.split("::").map(str::to_owned).collect();
        let file = syn::parse_file(text).expect("Rust");
        named_paths(&module, &file.items, true)
            .into_iter()
            .map(|named| format!("{}:{}", named.line, named.parts.join("::")))
            .collect()
    }

    #[test]
    fn finds_paths_in_every_form() {
        for (text, found) in [
            ("use crate::store::Store;", vec!["1:crate::store::Store"]),
            (
                "use crate::{\n  net,\n  store::{self, Store as S, sql::*},\n};",
                vec![
                    "2:crate::net",
                    "3:crate::store",
                    "3:crate::store::Store",
                    "3:crate::store::sql::*",
                ],
            ),
            (
                "pub use {crate::a, std::env as e};",
                vec!["1:crate::a", "1:std::env"],
            ),
            (
                "fn f() { let x = crate::a::b::<T>(std::env::var(k)); }",
                vec!["1:crate::a::b", "1:std::env::var"],
            ),
            (
                "fn f<'a>(x: &'a str) -> crate::a::B<'a> {}",
                vec!["1:crate::a::B"],
            ),
            ("use ::reqwest::Client;", vec!["1:reqwest::Client"]),
            ("use reqwest;", vec!["1:reqwest"]),
            (
                "macro_rules! m { () => { $crate::a::b() } }",
                vec!["1:crate::a::b"],
            ),
            (
                "// crate::store::Store\n/* a /* b */ c::d */\nconst S: &str = \"crate::store\";",
                vec![],
            ),
        ] {
            assert_eq!(paths("crate::app", text), found, "{text}");
        }
    }

    #[test]
    fn resolves_self_and_super() {
        let text = "use super::Store;\nuse self::b::C;\nmod tests {\n use super::*;\n use super::super::net::X;\n}\nuse super::d::E;";
        assert_eq!(
            paths("crate::store::sources", text),
            [
                "1:crate::store::Store",
                "2:crate::store::sources::b::C",
                "4:crate::store::sources::*",
                "5:crate::store::net::X",
                "7:crate::store::d::E",
            ]
        );
        assert_eq!(
            paths("crate::verify", "use super::store::Store;"),
            ["1:crate::store::Store"]
        );
    }
}
