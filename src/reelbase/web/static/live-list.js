// The list of imports while something is on its way: the page is asked for again, and what has changed is put in place.

import "./console.js";
import { Speaker } from "./console-words.js";

const EVERY = 2000;
const AT_MOST = 30_000;

const said = new Speaker(document.getElementById("said"));
let wait = EVERY;
let timer = 0;

plan();
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) look();
});

function plan() {
  clearTimeout(timer);
  const list = document.getElementById("list");
  if (list?.dataset.live === "yes" && !document.hidden) timer = setTimeout(look, wait);
}

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    take(new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("list"));
    wait = EVERY;
  } catch {
    wait = Math.min(AT_MOST, wait * 2);
  }
  plan();
}

function take(fresh) {
  const list = document.getElementById("list");
  if (!fresh || fresh.innerHTML === list.innerHTML) {
    if (fresh) list.dataset.live = fresh.dataset.live;
    return;
  }
  const rows = (from) => [...from.querySelectorAll("[data-row]")];
  const [now, then] = [rows(list), rows(fresh)];
  list.dataset.live = fresh.dataset.live;
  if (now.length && now.map((row) => row.dataset.row).join() === then.map((row) => row.dataset.row).join()) {
    now.forEach((row, at) => replaceCells(row, then[at]));
    const [before, after] = [list.querySelector(".workers"), fresh.querySelector(".workers")];
    if (before.innerHTML !== after.innerHTML && !before.contains(document.activeElement)) before.replaceWith(after);
  } else {
    const focused = document.activeElement?.closest?.("[data-row]")?.dataset.row;
    list.replaceChildren(...fresh.childNodes);
    if (focused) list.querySelector(`[data-row="${CSS.escape(focused)}"] a`)?.focus({ preventScroll: true });
  }
}

// A bar that is there already goes on, instead of a new one that begins.
function replaceCells(row, fresh) {
  [...row.cells].forEach((cell, at) => {
    const other = fresh.cells[at];
    if (cell.innerHTML === other.innerHTML) return;
    const [bar, next] = [cell.querySelector("progress"), other.querySelector("progress")];
    if (bar && next && next.hasAttribute("value")) {
      bar.max = next.max;
      bar.value = next.value;
    } else if (!cell.contains(document.activeElement)) {
      if (at === 1) said.now(`${row.cells[0].textContent.trim()}: ${other.textContent.trim()}`);
      cell.replaceChildren(...other.childNodes);
    }
  });
}
