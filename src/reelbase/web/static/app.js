// Every page: the theme without a reload, dialogs, keys. All of it is delegated, so that swapped parts need nothing.

import { isLettersOn, setLetters, watchKeys } from "./keys.js";

const root = document.documentElement;
root.classList.add("has-script");
root.classList.toggle("no-letters", !isLettersOn());

const THEMES = ["auto", "light", "dark"];

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button");
  const theme = button.value;
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  root.dataset.theme = theme;
  document.querySelector('meta[name="color-scheme"]').content = theme === "auto" ? "light dark" : theme;
  button.value = next;
  button.title = `Theme: ${theme}`;
  button.setAttribute("aria-label", `Theme: ${theme}. Change to ${next}`);
  await fetch(form.action, { method: "POST", body: new URLSearchParams({ theme }), redirect: "manual" });
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    document.getElementById(opener.dataset.opens)?.showModal();
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement) event.target.close(); // its backdrop
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "letters") return;
  setLetters(event.target.checked);
  root.classList.toggle("no-letters", !event.target.checked);
});

watchKeys();
