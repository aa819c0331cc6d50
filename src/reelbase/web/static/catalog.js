// The catalog: search as you type without a mark in the history for each letter, what was found said aloud, curl.

const TYPING = "typing";
const QUIET = 700; // milliseconds before a screen reader is told; the eye sees it at once
const COPIED = 2000;

let saying = 0;

// A form sends what is empty, too; an address should not.
document.addEventListener("htmx:config:request", (event) => {
  const body = event.detail.ctx.request.body;
  if (!(body instanceof FormData)) return;
  for (const [name, value] of [...body]) if (value === "") body.delete(name);
});

// The first letter makes an entry of its own to come back from, the letters behind it change that one.
document.addEventListener("htmx:before:history:update", (event) => {
  const isSearch = event.detail.sourceElement?.id === "search";
  if (isSearch && history.state?.[TYPING]) event.detail.history.type = "replace";
});
document.addEventListener("htmx:after:history:update", (event) => {
  if (event.detail.sourceElement?.id === "search") history.replaceState({ ...history.state, [TYPING]: true }, "");
});

document.addEventListener("htmx:after:swap", () => {
  const catalog = document.getElementById("catalog");
  const said = document.getElementById("said");
  if (!catalog || !said) return;
  clearTimeout(saying);
  saying = setTimeout(() => (said.textContent = catalog.dataset.said), QUIET);
});

// What has just been appended is walked to from its first movie.
document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx.sourceElement.id !== "more") return;
  const had = document.querySelectorAll("#results [data-item]").length;
  const go = () => document.querySelectorAll("#results [data-item]")[had]?.focus({ preventScroll: true });
  document.addEventListener("htmx:finally:request", go, { once: true });
});

// Menus close when something else is meant.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-curl]");
  if (!button) return;
  const address = new URL(button.dataset.curl, location.href).href.replaceAll("'", "%27");
  const label = button.querySelector("span");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(`curl '${address}'`);
    label.textContent = "Copied";
  } catch {
    label.textContent = "The browser does not allow it";
  }
  setTimeout(() => (label.textContent = before), COPIED);
});
