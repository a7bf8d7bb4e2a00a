// The script of the pages: ages of times, live parts, and keys. Every page works without it.
"use strict";

(() => {
  // ---- Ages -------------------------------------------------------------------------------------------------------

  const STEPS = [[60, "s"], [3600, "min"], [86400, "h"], [Infinity, "d"]];
  const DIVISORS = { s: 1, min: 60, h: 3600, d: 86400 };

  function span(seconds) {
    const [, unit] = STEPS.find(([below]) => seconds < below);
    return `${Math.floor(seconds / DIVISORS[unit])} ${unit}`;
  }

  // The clock of this computer may differ from that of the service, to which all times belong.
  let aheadMs = 0;

  function readClock(page) {
    const now = Date.parse(page.querySelector("meta[name=now]")?.content);
    if (!Number.isNaN(now)) aheadMs = now - Date.now();
  }

  function showAges() {
    const now = Date.now() + aheadMs;
    for (const time of document.querySelectorAll("time.age")) {
      const seconds = Math.round((now - Date.parse(time.dateTime)) / 1000);
      if (Number.isNaN(seconds)) continue;
      let words = "now";
      if (seconds >= 5) words = `${span(seconds)} ago`;
      else if (seconds < -5) words = `in ${span(-seconds)}`;
      else if (seconds > 0) words = "just now";
      if (seconds >= 0 && time.classList.contains("due")) words = "due";
      if (time.textContent !== words) time.textContent = words;
    }
  }

  // ---- Live parts -------------------------------------------------------------------------------------------------

  // After a burst of events the page is fetched once, and at most so often. A page that is quickly made has a part with a
  // shorter gap.
  const QUIET_MS = 400;
  const LEAST_GAP_MS = 2000;
  const LONGEST_WAIT_MS = 30000;

  const liveParts = () => document.querySelectorAll("main [data-live][id]");
  const status = document.getElementById("live-state");
  // What happened while the page was on its way is seen, too.
  let lastEvent = document.querySelector("meta[name=event]")?.content ?? null;
  let lastFetch = 0;
  let tookMs = 0;
  let timer = null;
  let timerAt = 0;
  // The wait for what may end without an event: it grows while nothing changes.
  let pollMs = 0;
  let isFetching = false;
  // Whether a part could not be replaced because it was in use.
  let isBehind = false;
  let waitMs = 1000;

  // What somebody marked, unfolded, or has in focus inside a part survives its replacement.
  function stateOf(part) {
    const marked = [...part.querySelectorAll("input[type=checkbox]:checked")].map((box) => `${box.name}=${box.value}`);
    const open = [...part.querySelectorAll("details")].map((one) => one.open);
    const scrolled = [...part.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    const focused = part.contains(document.activeElement) ? placeOf(document.activeElement) : null;
    return { marked: new Set(marked), open, scrolled, focused };
  }

  function placeOf(element) {
    if (element.id) return { id: element.id };
    const { name, value, tagName } = element;
    return { tagName, name, value, href: element.getAttribute("href"), label: element.getAttribute("aria-label") };
  }

  function found(part, place) {
    if (place.id) return document.getElementById(place.id);
    return [...part.querySelectorAll(place.tagName)].find((one) =>
      one.name === place.name && one.value === place.value && one.getAttribute("href") === place.href
      && one.getAttribute("aria-label") === place.label);
  }

  function restore(part, state) {
    for (const box of part.querySelectorAll("input[type=checkbox]")) {
      if (state.marked.has(`${box.name}=${box.value}`)) box.checked = true;
    }
    const details = [...part.querySelectorAll("details")];
    if (details.length === state.open.length) details.forEach((one, at) => { one.open = state.open[at]; });
    [...part.querySelectorAll(".scroll")].forEach((box, at) => {
      const place = state.scrolled[at];
      if (place) [box.scrollLeft, box.scrollTop] = place;
    });
    if (state.focused) {
      const element = found(part, state.focused);
      if (element) element.focus({ preventScroll: true });
    }
  }

  // Something typed or selected inside a part would be lost with it.
  function isInUse(part) {
    const active = document.activeElement;
    const isTyping = part.contains(active) && active.matches("input:not([type=checkbox]), textarea, select");
    const selection = document.getSelection();
    const isSelected = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
    // A form of which something was filled in is about what was shown then.
    const isFilled = part.dataset.live === "form" && [...part.querySelectorAll("input")].some((field) =>
      field.value !== field.defaultValue || field.checked !== field.defaultChecked);
    return isTyping || isSelected || isFilled;
  }

  async function refresh() {
    if (document.hidden || liveParts().length === 0) return;
    if (isFetching) {
      refreshSoon();
      return;
    }
    isFetching = true;
    isBehind = false;
    let hasChanged = false;
    lastFetch = Date.now();
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok || response.redirected) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const part of [...document.querySelectorAll("#notices"), ...liveParts()]) {
        const fresh = page.getElementById(part.id);
        if (!fresh || fresh.innerHTML === part.dataset.html) continue;
        if (isInUse(part)) {
          isBehind = true;
          continue;
        }
        const html = fresh.innerHTML;
        const state = stateOf(part);
        part.replaceChildren(...document.importNode(fresh, true).childNodes);
        part.dataset.html = html;
        restore(part, state);
        hasChanged = true;
      }
      readClock(page);
      showAges();
    } catch {
      // The next event tries again.
    } finally {
      isFetching = false;
      tookMs = Date.now() - lastFetch;
      pollMs = hasChanged ? 0 : Math.min(Math.max(2 * pollMs, gapMs()), LEAST_GAP_MS);
      watchBusy();
    }
  }

  // A fetch that somebody asked for may end without an event, or while the connection is gone; a message is persisted
  // without one.
  function watchBusy() {
    if (document.querySelector("main [data-busy]")) refreshSoon(pollMs);
  }

  // A page that takes its time is not fetched all the time.
  function gapMs() {
    const gaps = [...liveParts()].map((part) => Number(part.dataset.gap) || LEAST_GAP_MS);
    return Math.max(Math.min(LEAST_GAP_MS, ...gaps), Math.min(3 * tookMs, LONGEST_WAIT_MS));
  }

  function refreshSoon(leastMs = 0) {
    const gap = Math.max(gapMs(), leastMs);
    const at = Math.max(Date.now() + Math.min(QUIET_MS, gap / 2), lastFetch + gap);
    if (timer !== null && timerAt <= at) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(() => { timer = null; refresh(); }, at - Date.now());
  }

  function catchUp() {
    if (isBehind) refreshSoon();
  }

  function concerns(event) {
    const own = location.pathname.match(/^\/sources\/(\d+)$/);
    return !own || event.source_id === null || String(event.source_id) === own[1];
  }

  function follow() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const query = new URLSearchParams();
    if (lastEvent !== null) query.set("after", lastEvent);
    if (!document.querySelector('[data-live="messages"]')) query.set("messages", "false");
    let socket;
    try {
      socket = new WebSocket(`${scheme}//${location.host}/live?${query}`);
    } catch {
      return;
    }
    socket.addEventListener("open", () => {
      waitMs = 1000;
      // A refresh may have failed while the service was away.
      if (status.textContent !== "") refreshSoon();
      status.textContent = "live";
    });
    socket.addEventListener("message", (message) => {
      let event;
      try {
        event = JSON.parse(message.data);
      } catch {
        return;
      }
      if (typeof event.id === "number") lastEvent = event.id;
      if (!event.message && !concerns(event)) return;
      pollMs = 0;
      refreshSoon();
    });
    socket.addEventListener("close", (closed) => {
      // The catalogue is another one, or was put back from a copy.
      if (closed.code === 4404) lastEvent = null;
      status.textContent = "not connected: what you see may be old";
      setTimeout(follow, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    });
  }

  // ---- Keys -------------------------------------------------------------------------------------------------------

  const PLACES = { o: "/", s: "/sources", t: "/sets", m: "/messages", q: "/queues", l: "/log" };
  let isGoing = false;

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!(event.target instanceof Element)) return;
    if (event.target.matches("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (isGoing) {
      isGoing = false;
      const place = PLACES[event.key];
      if (place) location.assign(place);
      return;
    }
    if (event.key === "g") {
      isGoing = true;
      setTimeout(() => { isGoing = false; }, 1500);
    } else if (event.key === "/") {
      const filter = document.querySelector("[data-filter]");
      if (filter) {
        event.preventDefault();
        filter.focus();
        filter.select();
      }
    } else if (event.key === "a") {
      openForm("add", event);
    } else if (event.key === "e") {
      openForm("edit", event);
    } else if (event.key === "n" || event.key === "p") {
      const link = document.querySelector(`main a[rel=${event.key === "n" ? "next" : "prev"}]`);
      if (link) location.assign(link.href);
    }
  }

  // Unfolds a form and goes to its first field.
  function openForm(id, event) {
    const form = document.getElementById(id);
    if (!(form instanceof HTMLDetailsElement)) return;
    if (event) event.preventDefault();
    form.open = true;
    const field = form.querySelector("input:not([type=hidden]), textarea");
    if (field) field.focus();
  }

  // ---- Start ------------------------------------------------------------------------------------------------------

  readClock(document);
  showAges();
  setInterval(showAges, 10000);
  document.addEventListener("keydown", onKey);
  document.addEventListener("focusout", catchUp);
  document.addEventListener("selectionchange", catchUp);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshSoon(); });
  if (location.hash === "#add") openForm("add");
  const wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();
  // What a form did is not said again when the page is reloaded.
  if (new URLSearchParams(location.search).has("done")) {
    const clean = new URL(location.href);
    clean.searchParams.delete("done");
    history.replaceState(null, "", clean);
  }
  watchBusy();
  if ("WebSocket" in window && liveParts().length > 0) follow();
})();
