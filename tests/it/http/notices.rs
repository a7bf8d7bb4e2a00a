//! What is wrong with the service itself: said on every page, on stderr and by a number, until it is mended.

use super::visitor::Visitor;
use crate::rig::{Home, until};

/// Returns the notices of a page.
fn notices(page: &str) -> String {
    let (_, rest) = page.split_once("<div id=\"notices\">").expect("a place");
    rest.split("</div>").next().unwrap_or_default().to_owned()
}

#[test]
fn a_rejected_configuration_is_on_every_page_until_it_is_mended() {
    for arguments in [&["--no-worker"][..], &[]] {
        let home = Home::new("").with_source("a.txt", ["a"]);
        let visitor = Visitor::of(&home, arguments);
        assert_eq!(notices(&visitor.shown("/")), "");
        home.configure("[fetch]\nmax_tries = \"many\"\n");
        visitor.service.hang_up();
        let shown = || notices(&visitor.shown("/"));
        until("the notice", || !shown().is_empty());
        for page in ["/", "/sources", "/log", "/sources/1", "/nowhere"] {
            let notice = notices(&visitor.get(page).text());
            for word in ["max_tries", "config.toml", "stays in force"] {
                assert!(notice.contains(word), "{page}: {notice}");
            }
        }
        // Others learn no path.
        let fields = [("Accept", "text/html")];
        let page = visitor.service.ask("GET", "/", &fields, "").text();
        let notice = notices(&page);
        assert!(
            notice.contains("an operator sees why") && !page.contains("config.toml"),
            "{notice}"
        );
        let rejected = |number: u8| format!("gannet_config_rejected {number}\n");
        let metrics = || visitor.service.get("/metrics").text();
        assert!(metrics().contains(&rejected(1)), "{}", metrics());
        home.configure("");
        visitor.service.hang_up();
        until("the end of the notice", || shown().is_empty());
        assert!(metrics().contains(&rejected(0)), "{}", metrics());
        let (_, said) = visitor.service.end();
        assert_eq!(said.matches("max_tries").count(), 1, "{said}");
    }
}

#[test]
fn a_configuration_that_judges_nothing_is_on_every_page() {
    let home = Home::new("[[verifier]]\nname = \"ok\"\nsources = [\"*\"]\ncommand = [\"true\"]\n")
        .with_source("a.txt", ["a"]);
    home.run(&["fetch", "a.txt"]);
    let visitor = Visitor::of(&home, &[]);
    home.configure("");
    visitor.service.hang_up();
    let shown = || notices(&visitor.shown("/sources"));
    until("the notice", || {
        shown().contains("has no verifier any more")
    });
    home.run(&["config", "adopt"]);
    visitor.service.hang_up();
    until("the end of the notice", || shown().is_empty());
}
