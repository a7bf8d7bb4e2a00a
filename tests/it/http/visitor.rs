//! Somebody with a browser who signed in: reads pages and sends forms, without script.

use crate::rig::{Answer, Gannet, Home, PASSWORD, Service};

/// An operator with a session.
pub(super) struct Visitor {
    pub(super) service: Service,
    cookie: String,
}

impl Visitor {
    /// Starts the service with these arguments, and signs an operator in.
    pub(super) fn of(gannet: &Gannet, arguments: &[&str]) -> Self {
        gannet.add_person("anna", "operator");
        let service = Service::start(gannet, arguments);
        let cookie = service.sign_in("anna", PASSWORD).cookie();
        Self { service, cookie }
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        let fields = [("Accept", "text/html"), ("Cookie", self.cookie.as_str())];
        self.service.ask("GET", path, &fields, "")
    }

    /// Returns a page.
    pub(super) fn shown(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.text()
    }

    pub(super) fn post(&self, path: &str, form: &str) -> Answer {
        self.post_from("Sec-Fetch-Site", "same-origin", path, form)
    }

    /// Sends a form with this field of the head, which says from where it comes.
    pub(super) fn post_from(&self, field: &str, from: &str, path: &str, form: &str) -> Answer {
        let fields = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "text/html"),
            ("Cookie", self.cookie.as_str()),
            (field, from),
        ];
        self.service.ask("POST", path, &fields, form)
    }

    /// Sends a form, and returns the page to which the browser is sent.
    pub(super) fn followed(&self, path: &str, form: &str) -> String {
        let answer = self.post(path, form);
        assert_eq!(answer.status, 303, "{path}: {answer:?}");
        self.shown(answer.header("location").expect("a place"))
    }

    /// Has a source fetched by the API, or joins the fetch that is under way, and waits for the end.
    pub(super) fn fetch(&self, id: i64) -> Answer {
        let fields = [
            ("Cookie", self.cookie.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
            ("Prefer", "wait=50"),
        ];
        let path = format!("/api/v1/sources/{id}/fetch");
        let fetched = self.service.ask("POST", &path, &fields, "");
        assert_eq!(fetched.status, 200, "{fetched:?}");
        fetched
    }
}

/// Returns the id of a source.
pub(super) fn id_of(home: &Home, name: &str) -> i64 {
    home.source(name)["id"].as_i64().expect("an id")
}
