// Keeps a page up to date without a reload: it fetches the page again and takes over what
// has changed in the parts marked data-live, element by element, so that the focus, the
// place, open details and what is being typed stay as they are. Without it, all works too.
"use strict";

const interval = 5000; // milliseconds
const patience = 15000;

// key tells which element of a list is which.
const key = (node) => node.nodeType === 1 && (node.id || node.dataset.key) || "";

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);

// take makes the element old what the element fresh is.
function take(old, fresh) {
  for (const {name} of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const {name, value} of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const keyed = new Map([...old.childNodes].filter(key).map((child) => [key(child), child]));
  const kept = new Set();
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    let match = keyed.get(key(child)) || place;
    while (match && match === place && key(match) && !key(child)) match = place = place.nextSibling;
    if (match && alike(match, child)) {
      keyed.delete(key(child)); // two probes of one second have the same key
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      if (match.nodeType === 1) take(match, child);
      else if (match.data !== child.data) match.data = child.data;
    } else {
      match = old.insertBefore(document.importNode(child, true), place);
    }
    kept.add(match);
  }
  for (const child of [...old.childNodes]) {
    if (!kept.has(child)) child.remove();
  }
}

const results = () => new Map([...document.querySelectorAll("[data-result]")].map((e) => [e.dataset.key, e]));

// announce says which sessions have another result than before, and nothing of numbers.
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

function update(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const focus = document.activeElement;
  const before = new Map([...results()].map(([name, element]) => [name, element.dataset.result]));
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (next) take(part, next);
  }
  document.title = fresh.title;
  if (focus !== document.activeElement && focus?.isConnected) focus.focus({preventScroll: true});
  announce(before);
  marked();
}

// marked shows that the page keeps itself up to date.
function marked() {
  for (const e of document.querySelectorAll(".scripted")) e.hidden = false;
}

// reachable says whether the exporter answers, and since when it does not.
function reachable(why) {
  const notice = document.getElementById("offline");
  if (!why) {
    notice.hidden = true;
  } else if (notice.hidden) {
    const now = new Date().toISOString().slice(11, 19);
    notice.textContent = `The exporter ${why} since ${now} UTC. What is shown here is from before.`;
    notice.hidden = false;
  }
}

async function refresh() {
  try {
    const response = await fetch(location.href, {signal: AbortSignal.timeout(patience), headers: {Accept: "text/html"}});
    if (response.status === 404) reachable("does not know this session any more,");
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

// turn goes on as long as the page is seen.
async function turn() {
  clearTimeout(timer);
  if (document.hidden || refreshing) return;
  refreshing = true;
  await refresh();
  refreshing = false;
  timer = setTimeout(turn, interval);
}

marked();
document.addEventListener("visibilitychange", turn);
timer = setTimeout(turn, interval);
