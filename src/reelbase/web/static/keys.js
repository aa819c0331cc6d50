// Keys for everything: letters and signs can be switched off (WCAG 2.1.4), arrows, Enter and Esc are always there.

const KEPT = "reelbase.letters";
const PLACES = { c: "/", i: "/imports", d: "/datasets" };
const SOON = 1200; // milliseconds between g and the letter behind it

let wentAt = 0;

export function isLettersOn() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

export function setLetters(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // A browser that keeps nothing: they stay as they are until the page is left.
  }
}

export function watchKeys() {
  document.addEventListener("keydown", pressed);
  const box = document.getElementById("letters");
  if (box) box.checked = isLettersOn();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  const search = document.getElementById("q");
  const inSearch = event.target === search;
  if (event.key === "Escape" && inSearch) {
    event.preventDefault(); // some browsers empty the box: what was typed stays
    search.blur();
    document.getElementById("main")?.focus({ preventScroll: true });
  } else if (event.key === "ArrowDown" && (inSearch || isItem(event.target))) {
    step(1, event);
  } else if (event.key === "ArrowUp" && isItem(event.target)) {
    step(-1, event);
  } else if (!isTyping(event.target) && isLettersOn()) {
    letter(event, search);
  }
}

function letter(event, search) {
  if (performance.now() - wentAt < SOON && PLACES[event.key]) {
    location.assign(PLACES[event.key]);
    return;
  }
  wentAt = event.key === "g" ? performance.now() : 0;
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "j") {
    step(1, event);
  } else if (event.key === "k") {
    step(-1, event);
  } else if (event.key === "?") {
    event.preventDefault();
    document.getElementById("keys")?.showModal();
  }
}

function isTyping(element) {
  return element.isContentEditable || (element.matches?.("input, textarea, select") && !["checkbox", "radio"].includes(element.type));
}

function isItem(element) {
  return Boolean(element.matches?.("[data-item]"));
}

// What can be walked through: links marked data-item, in the order of the page.
function step(by, event) {
  const items = [...document.querySelectorAll("[data-item]")].filter((item) => item.offsetParent !== null);
  if (!items.length) return;
  const at = items.indexOf(document.activeElement);
  event.preventDefault();
  if (at === 0 && by < 0) {
    document.getElementById("q")?.focus();
    return;
  }
  const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, at + by)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
