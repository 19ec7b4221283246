// Keeps a page up to date: fetches the page again and again, and changes the elements of the
// parts marked data-live that differ. So focus, scroll position, open details and typed text
// stay as they are. The page works without this script.
"use strict";

const interval = 5000; // milliseconds
const timeout = 15000;

// key identifies an element of a list.
const key = (node) => node.nodeType === 1 && (node.id || node.dataset.key) || "";

const similar = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);

// patch makes the element old equal to the element fresh.
function patch(old, fresh) {
  for (const {name} of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const {name, value} of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const keyed = new Map([...old.childNodes].filter(key).map((child) => [key(child), child]));
  const kept = new Set();
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    let match = keyed.get(key(child)) || next;
    while (match && match === next && key(match) && !key(child)) match = next = next.nextSibling;
    if (match && similar(match, child)) {
      keyed.delete(key(child)); // two probes of one second have the same key
      if (match === next) next = next.nextSibling;
      else old.insertBefore(match, next);
      if (match.nodeType === 1) patch(match, child);
      else if (match.data !== child.data) match.data = child.data;
    } else {
      match = old.insertBefore(document.importNode(child, true), next);
    }
    kept.add(match);
  }
  for (const child of [...old.childNodes]) {
    if (!kept.has(child)) child.remove();
  }
}

const results = () => new Map([...document.querySelectorAll("[data-result]")].map((e) => [e.dataset.key, e]));

// announce tells screen readers which sessions have another result than before.
function announce(before) {
  const changes = [];
  for (const [name, element] of results()) {
    element.classList.remove("changed");
    const was = before.get(name);
    if (was && was !== element.dataset.result) {
      element.classList.add("changed");
      changes.push(`${name}: ${was}, now ${element.dataset.result}`);
    }
  }
  if (changes.length === 0) return;
  const more = changes.length > 5 ? `, and ${changes.length - 5} more` : "";
  document.getElementById("news").textContent = changes.slice(0, 5).join("; ") + more;
}

// shape says of which version a page is, and which parts it has.
const shape = (page) => [page.querySelector(".brand")?.textContent, ...[...page.querySelectorAll("[data-live]")].map((part) => part.dataset.live)].join();

function update(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  if (shape(fresh) !== shape(document)) { // a new version, the first session, or the login page of a proxy
    location.reload();
    return;
  }
  const focus = document.activeElement;
  const before = new Map([...results()].map(([name, element]) => [name, element.dataset.result]));
  for (const part of document.querySelectorAll("[data-live]")) {
    patch(part, fresh.querySelector(`[data-live="${part.dataset.live}"]`));
  }
  document.title = fresh.title;
  if (focus !== document.activeElement && focus?.isConnected) focus.focus({preventScroll: true});
  announce(before);
  showScripted();
}

// showScripted shows that the page keeps itself up to date.
function showScripted() {
  for (const e of document.querySelectorAll(".scripted")) e.hidden = false;
}

let since; // when the page could not be refreshed for the first time; undefined if it could

// reachable shows why the page cannot be refreshed, or hides the notice if there is no reason.
function reachable(why) {
  const notice = document.getElementById("offline");
  notice.hidden = !why;
  if (!why) {
    since = undefined;
    return;
  }
  since ??= new Date().toISOString().slice(11, 19);
  const text = `The exporter ${why}. What is shown here is from before ${since} UTC.`;
  if (notice.textContent !== text) notice.textContent = text; // a screen reader reads each change
}

async function refresh() {
  try {
    const address = location.origin + location.pathname + location.search; // fetch takes no URL with a password
    const response = await fetch(address, {signal: AbortSignal.timeout(timeout), headers: {Accept: "text/html"}});
    if (response.status === 404) reachable("does not know this session any more");
    else if (!response.ok) reachable(`answers with an error (${response.status})`);
    else {
      update(await response.text());
      reachable();
    }
  } catch {
    reachable("cannot be reached");
  }
}

let timer;
let refreshing = false;

// poll refreshes as long as the page is visible.
async function poll() {
  clearTimeout(timer);
  if (document.hidden || refreshing) return;
  refreshing = true;
  await refresh();
  refreshing = false;
  timer = setTimeout(poll, interval);
}

showScripted();
document.addEventListener("visibilitychange", poll);
timer = setTimeout(poll, interval);
