//! One page in a browser: where it goes, what it shows, what is clicked and typed, and what it complains of.

use std::path::{Path, PathBuf};
use std::sync::Once;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::chromium::{Chromium, program};
use super::keys::{Key, character, up};
use crate::rig::{left_out, seen, until};

/// A browser with one page. A test that fails leaves a picture of the page in `target/tmp`.
pub(crate) struct Browser {
    chromium: Chromium,
    /// The session with the page.
    session: String,
    /// Such as `http://127.0.0.1:4711`: nothing else may be asked.
    service: String,
    complaints: Vec<String>,
    clicks: u64,
    runs_scripts: bool,
}

impl Browser {
    /// Starts a browser for the service at this address; nothing on a machine without one.
    pub(crate) fn start(address: &str) -> Option<Self> {
        static SAID: Once = Once::new();
        let Some(program) = program() else {
            SAID.call_once(|| left_out("the pages in a browser", "Chromium is not there"));
            return None;
        };
        let mut chromium = Chromium::start(&program);
        let mut call = |method: &str, parameters: Value| {
            let answer = chromium.call(None, method, &parameters);
            answer.unwrap_or_else(|error| panic!("{}: {error}", program.display()))
        };
        let target = call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = call(
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        let mut browser = Self {
            chromium,
            session: attached["sessionId"]
                .as_str()
                .expect("a session")
                .to_owned(),
            service: format!("http://{address}"),
            complaints: Vec::new(),
            clicks: 0,
            runs_scripts: true,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser.look(1280, false);
        Some(browser)
    }

    fn try_call(&mut self, method: &str, parameters: &Value) -> Result<Value, String> {
        self.chromium.call(Some(&self.session), method, parameters)
    }

    #[track_caller]
    pub(super) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let answer = self.try_call(method, parameters);
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Gives the window this width, and the person this taste.
    pub(crate) fn look(&mut self, width: u32, is_dark: bool) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Keeps pages from running scripts, from the next one on.
    pub(crate) fn without_script(&mut self) {
        self.runs_scripts = false;
        self.call(
            "Emulation.setScriptExecutionDisabled",
            &json!({"value": true}),
        );
    }

    /// Goes to a page of the service, and waits until all of it is there.
    #[track_caller]
    pub(crate) fn goto(&mut self, path: &str) {
        let url = format!("{}{path}", self.service);
        let answer = self.call("Page.navigate", &json!({"url": url}));
        assert_eq!(answer["errorText"], Value::Null, "{url}: {answer}");
        self.wait_for("document.readyState === 'complete'");
    }

    /// Goes to a page whose script comes only after something has happened.
    #[track_caller]
    pub(crate) fn goto_while(&mut self, path: &str, happens: impl FnOnce()) {
        let scripts = json!({"patterns": [{"urlPattern": "*/assets/script-*"}]});
        self.call("Fetch.enable", &scripts);
        let url = format!("{}{path}", self.service);
        self.call("Page.navigate", &json!({"url": url}));
        let asked = seen("a request for the script", || {
            self.chromium.event("Fetch.requestPaused")
        });
        happens();
        let request = json!({"requestId": asked["requestId"]});
        self.call("Fetch.continueRequest", &request);
        self.call("Fetch.disable", &json!({}));
        self.wait_for("document.readyState === 'complete'");
    }

    /// Makes the browser forget who signed in.
    pub(crate) fn sign_out(&mut self) {
        self.call("Network.clearBrowserCookies", &json!({}));
    }

    /// Returns the value of an expression of the page's language.
    fn try_evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.try_call("Runtime.evaluate", &parameters)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(format!("{expression}: {details}")),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    /// Returns the value of an expression of the page's language.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let value = self.try_evaluate(expression);
        value.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits until a condition holds, on this page or the one that follows it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, condition: &str) {
        // A page that is just being replaced refuses: the next one is asked.
        until(condition, || {
            self.try_evaluate(condition)
                .is_ok_and(|value| value == true)
        });
    }

    /// Waits until the page shows this text.
    #[track_caller]
    pub(crate) fn wait_for_text(&mut self, text: &str) {
        self.wait_for(&format!(
            "document.body.innerText.includes({})",
            json!(text)
        ));
    }

    /// Waits until the page has this heading.
    #[track_caller]
    pub(crate) fn wait_for_page(&mut self, heading: &str) {
        self.wait_for(&format!(
            "document.readyState === 'complete' && document.querySelector('h1')?.innerText === {}",
            json!(heading)
        ));
    }

    /// Returns the first part of the page with this role and accessible name.
    fn find(&mut self, role: &str, name: &str) -> Option<Value> {
        let document = self
            .try_call("DOM.getDocument", &json!({"depth": 0}))
            .ok()?;
        let asked =
            json!({"nodeId": document["root"]["nodeId"], "role": role, "accessibleName": name});
        let found = self.try_call("Accessibility.queryAXTree", &asked).ok()?;
        let nodes = found["nodes"].as_array()?;
        let shown = nodes.iter().find(|node| node["ignored"] != true);
        shown.map(|node| node["backendDOMNodeId"].clone())
    }

    /// Waits for a part of the page, and clicks it.
    #[track_caller]
    pub(crate) fn click(&mut self, role: &str, name: &str) {
        until(&format!("{role} `{name}`, to be clicked"), || {
            self.try_click(role, name).is_some()
        });
    }

    /// Clicks a part of the page; nothing comes of it when it is not there, or was moved or replaced in that moment.
    fn try_click(&mut self, role: &str, name: &str) -> Option<()> {
        let node = self.find(role, name)?;
        let resolved = self.try_call("DOM.resolveNode", &json!({"backendNodeId": node}));
        let object = resolved.ok()?["object"]["objectId"].clone();
        self.clicks += 1;
        let prepare = json!({
            "objectId": object,
            "functionDeclaration": PREPARE_CLICK,
            "arguments": [{"value": self.clicks}],
            "returnByValue": true,
        });
        let place = self.try_call("Runtime.callFunctionOn", &prepare).ok()?;
        let place = &place["result"]["value"];
        let (x, y) = (place[0].as_f64()?, place[1].as_f64()?);
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": 1});
            self.try_call("Input.dispatchMouseEvent", &event).ok()?;
        }
        let ended = format!(
            "window.click?.number === {} ? window.click.hit : true",
            self.clicks
        );
        // Another page came in the place of the one that was clicked.
        let hit = self.try_evaluate(&ended).unwrap_or(true.into());
        // Without scripts nobody looks, and nothing moves.
        (hit == true || !self.runs_scripts).then_some(())
    }

    /// Replaces what a field of text holds by this text, key by key.
    #[track_caller]
    pub(crate) fn fill(&mut self, name: &str, text: &str) {
        self.fill_in("textbox", name, text);
    }

    /// Likewise, in a field of another role.
    #[track_caller]
    pub(crate) fn fill_in(&mut self, role: &str, name: &str, text: &str) {
        self.click(role, name);
        self.press(Key::SelectAll);
        self.press(Key::Delete);
        self.type_text(text);
        let typed = self.evaluate("document.activeElement.value");
        assert_eq!(typed, text, "typed into `{name}`");
    }

    /// Presses the keys of these characters.
    #[track_caller]
    pub(crate) fn type_text(&mut self, text: &str) {
        for one in text.chars() {
            self.strike(character(one));
        }
    }

    #[track_caller]
    pub(crate) fn press(&mut self, key: Key) {
        self.strike(key.down());
    }

    #[track_caller]
    fn strike(&mut self, down: Value) {
        self.call("Input.dispatchKeyEvent", &down);
        self.call("Input.dispatchKeyEvent", &up(down));
    }

    /// Writes a picture of the whole page, or of its beginning.
    pub(crate) fn picture(&mut self, path: &Path, height: Option<f64>) -> Result<(), String> {
        let sizes = self.try_call("Page.getLayoutMetrics", &json!({}))?;
        let mut clip = sizes["cssContentSize"].clone();
        clip["scale"] = 1.into();
        if let Some(height) = height {
            clip["height"] = height.into();
        }
        let asked = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.try_call("Page.captureScreenshot", &asked)?;
        let picture = STANDARD.decode(picture["data"].as_str().unwrap_or_default());
        let picture = picture.map_err(|error| error.to_string())?;
        std::fs::write(path, picture).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Returns what browsers hold against the pages since the last call: errors, violations of the policy, requests to others.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        for event in self.chromium.take_events() {
            self.complaints.extend(complaint(&event, &self.service));
        }
        std::mem::take(&mut self.complaints)
    }
}

/// Brings an element into view, and returns where to click it. Should something else have come there by the time of the click, the
/// click is undone.
const PREPARE_CLICK: &str = "function (number) {
  this.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  const box = this.getClientRects()[0];
  if (!box) return null;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  if (!this.contains(document.elementFromPoint(x, y))) return null;
  window.click = { number, hit: false };
  addEventListener('click', (event) => {
    window.click.hit = this.contains(event.target);
    if (window.click.hit) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true, once: true });
  return [x, y];
}";

/// Returns what an event of the browser holds against the page.
fn complaint(event: &Value, service: &str) -> Option<String> {
    let about = &event["params"];
    let socket = service.replacen("http", "ws", 1);
    let is_own = |url: &Value| {
        let url = url.as_str().unwrap_or_default();
        let is_below = |place: &str| {
            url.strip_prefix(place)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        is_below(service) || is_below(&socket) || url.starts_with("data:") || url == "about:blank"
    };
    match event["method"].as_str()? {
        "Runtime.consoleAPICalled" => Some(format!("console: {about}")),
        "Runtime.exceptionThrown" => Some(format!("exception: {about}")),
        "Log.entryAdded" if about["entry"]["level"] != "info" => {
            Some(format!("log: {}", about["entry"]))
        }
        "Network.requestWillBeSent" if !is_own(&about["request"]["url"]) => {
            Some(format!("a request to {}", about["request"]["url"]))
        }
        "Network.webSocketCreated" if !is_own(&about["url"]) => {
            Some(format!("a WebSocket to {}", about["url"]))
        }
        _ => None,
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let test = std::thread::current()
            .name()
            .unwrap_or("test")
            .replace("::", "-");
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.png"));
        let place = self.try_evaluate("location.href");
        let picture = self.picture(&path, None);
        let shown = self.try_evaluate("document.body.innerText");
        let shown = shown.unwrap_or_default();
        eprintln!(
            "the page {place:?}, {} ({picture:?}): {}\n{:?}",
            path.display(),
            shown.as_str().unwrap_or_default(),
            self.complaints()
        );
    }
}
