// The page on which an import is asked for: choose, look, send, then on to the import's own page.

import "./console.js";
import { Speaker, of, put, seconds, size } from "./console-words.js";
import { dropped, look } from "./recognise-files.js";
import { Pick } from "./upload-list.js";
import { Sending, arrivedBefore, begunBefore, forgetBegun } from "./upload-queue.js";

const EVERY = 250; // milliseconds between two changes of a bar

const known = JSON.parse(document.getElementById("headers").textContent);
const element = (id) => document.getElementById(id);
const form = element("new");
const said = new Speaker(element("said"));

let picks = [];
let sending = null;
let shownAt = 0;
let key = "";

element("choose").addEventListener("click", () => element("file").click());
element("choose-folder").addEventListener("click", () => element("folder").click());
element("clear").addEventListener("click", () => {
  picks = [];
  changed();
  element("choose").focus();
});
for (const id of ["file", "folder"]) {
  element(id).addEventListener("change", (event) => taken(event.target));
}

// The same file can be chosen again, and is not sent by the form itself.
function taken(input) {
  add([...input.files]);
  input.value = "";
}

// Dropping, anywhere on the page: a file that misses the place must not take the browser away.

addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  element("drop").classList.add("is-over");
});
addEventListener("dragleave", (event) => !event.relatedTarget && element("drop").classList.remove("is-over"));
addEventListener("drop", async (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  element("drop").classList.remove("is-over");
  if (!sending) add(await dropped(event.dataTransfer));
});

async function add(files) {
  const others = files.filter((file) => !picks.some((pick) => isSame(pick.file, file)));
  const fresh = others.map((file) => new Pick(file, file.webkitRelativePath || file.name, remove));
  picks.push(...fresh);
  changed();
  for (const pick of fresh) {
    const looked = await look(pick.file, known).catch(() => ({ why: "It cannot be read: it was changed, moved or is a folder.", members: [] }));
    pick.show(looked, looked.why ? 0 : await arrivedBefore(pick.file));
    changed();
  }
  const bad = fresh.filter((pick) => !pick.isGood).length;
  said.now(`${of(fresh.length - bad, "file")} recognised${bad ? `, ${bad} refused` : ""}.`);
}

function isSame(one, other) {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified && one.webkitRelativePath === other.webkitRelativePath;
}

function remove(pick) {
  const at = picks.indexOf(pick);
  picks.splice(at, 1);
  changed();
  (picks[Math.min(at, picks.length - 1)]?.find(".pick-remove") ?? element("choose")).focus();
}

function chosenDataset() {
  return element("dataset").value;
}

function wanted() {
  return picks.filter((pick) => pick.isFor(chosenDataset()));
}

function changed() {
  const list = element("picked-list");
  picks.forEach((pick, at) => list.children[at] !== pick.element && list.insertBefore(pick.element, list.children[at] ?? null));
  while (list.children.length > picks.length) list.lastElementChild.remove();
  element("picked").hidden = !picks.length;
  form.classList.toggle("is-empty", !picks.length);
  showWaiting();
  const dataset = chosenDataset();
  for (const pick of picks) pick.setOut(pick.isGood && !pick.isFor(dataset), "Left out: it is of another dataset.");
  summarise();
}

element("dataset").addEventListener("change", changed);

function summarise() {
  const good = wanted();
  const datasets = [...new Set(good.flatMap((pick) => pick.datasets))];
  const isMixed = datasets.length > 1 && !chosenDataset();
  const isLooking = picks.some((pick) => !pick.looked);
  const titles = known.datasets.filter((dataset) => datasets.includes(dataset.name)).map((dataset) => dataset.title);
  const bytes = good.reduce((sum, pick) => sum + pick.file.size, 0);
  element("send").disabled = Boolean(picks.length) && (!good.length || isMixed || isLooking);
  element("send").textContent = good.length ? `Send and import ${of(good.length, "file")}` : "Import";
  let text = "Choose files first, or one of the other sources below.";
  if (isLooking) text = "Looking at the files…";
  else if (isMixed) text = `These are of ${titles.join(" and ")}. One import is of one dataset: choose it above.`;
  else if (good.length) text = [titles.join(" and "), size(bytes)].filter(Boolean).join(", ");
  else if (picks.length) text = "None of these can be imported.";
  put(element("summary"), text);
  element("summary").classList.toggle("is-wrong", isMixed);
}

// Sending

form.addEventListener("submit", (event) => {
  const isOwnButton = event.submitter?.name === "source";
  if (isOwnButton || !wanted().length) {
    if (!isOwnButton && !element("url").value && !element("path")?.value) {
      event.preventDefault();
      said.now("Choose files first.");
      element("choose").focus();
    }
    return;
  }
  event.preventDefault();
  if (!sending && !element("send").disabled) send();
});

function send() {
  const items = wanted();
  key = newKey();
  hideProblem();
  busy(true);
  sending = new Sending(items, {
    progress: (pick, sent) => {
      if (performance.now() - shownAt < EVERY && sent < pick.file.size) return;
      shownAt = performance.now();
      pick.sending(sent);
      showSent();
    },
    waiting: (isLost) => {
      showSent();
      said.now(isLost ? "Connection lost, trying again." : "Connected again.");
    },
    done: make,
    failed: (pick, text) => {
      showProblem(`${pick.path} could not be sent. ${text}`, "What has arrived is kept: resume goes on from there.");
      paused(true);
    },
  });
  items.forEach((pick) => pick.sending(0));
  showSent();
  said.now("Sending.");
  sending.start();
  element("pause").focus();
}

function showSent() {
  if (!sending) return;
  const { sent, total } = sending;
  const { speed, left } = sending.pace();
  element("sent").value = total ? (100 * sent) / total : 100;
  const parts = [`${size(sent)} of ${size(total)}`];
  if (sending.isPaused) parts.push("paused");
  else if (sending.isLost) parts.push("connection lost, trying again");
  else if (speed) parts.push(`${size(speed)}/s`, `${seconds(left)} left`);
  const text = parts.join(" · ");
  put(element("sent-text"), text);
  said.sometimes(`Sent ${text.replaceAll(" · ", ", ")}`);
}

element("pause").addEventListener("click", () => {
  if (!sending) return;
  if (sending.isPaused) {
    hideProblem();
    paused(false);
    sending.resume();
  } else {
    sending.pause();
    paused(true);
  }
  said.now(sending.isPaused ? "Paused." : "Going on.");
});

function paused(isPaused) {
  put(element("pause"), isPaused ? "Resume" : "Pause");
  showSent();
}

element("stop").addEventListener("click", async () => {
  const before = sending;
  if (!before) return;
  sending = null;
  busy(false);
  picks.forEach((pick) => pick.notSending());
  changed();
  said.now("Cancelled. What had been sent is removed.");
  element("send").focus();
  await before.stop();
});

function busy(isBusy) {
  element("sending").hidden = !isBusy;
  element("send").hidden = isBusy;
  element("summary").hidden = isBusy;
  form.classList.toggle("is-busy", isBusy);
  put(element("pause"), "Pause");
  for (const one of form.querySelectorAll("fieldset, .drop button, .others button, .others input, .pick-remove, #clear")) one.disabled = isBusy;
}

// All files are there: ask for the import. Asked twice it is made once.
async function make(ids) {
  const finished = sending;
  put(element("sent-text"), "All of it has arrived. Asking for the import…");
  const body = { sources: [...ids.map((id) => `upload:${id}`), ...named()], mode: form.elements.mode.value, max_rejects: element("max_rejects").value || "1%" };
  const dataset = chosenDataset();
  if (dataset) body.dataset = dataset;
  try {
    const answer = await fetch("/api/v1/imports", { method: "POST", headers: { "content-type": "application/json", "idempotency-key": key }, body: JSON.stringify(body) });
    const found = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(found.detail), { remedy: found.remedy });
    await finished.forget();
    location.assign(`/imports/${found.id}`);
  } catch (error) {
    sending = null;
    busy(false);
    const isLost = error instanceof TypeError;
    showProblem(isLost ? "The server cannot be reached." : error.message, error.remedy || "The files have arrived and need not be sent again.");
    element("send").focus();
  }
}

function named() {
  const path = element("path")?.value.trim();
  return [element("url").value.trim(), path && `path:${path}`].filter(Boolean);
}

// randomUUID is there only over https or on this machine.
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function showProblem(text, remedy) {
  const strong = document.createElement("strong");
  strong.textContent = text;
  const lines = [strong, remedy].filter(Boolean).map((part) => {
    const line = document.createElement("p");
    line.append(part);
    return line;
  });
  element("problem").replaceChildren(...lines);
  element("problem").hidden = false;
}

function hideProblem() {
  element("problem").hidden = true;
}

// Begun before the page was left

async function showBegun() {
  const list = element("waiting-list");
  const found = await begunBefore();
  for (const one of found) {
    const line = document.createElement("li");
    Object.assign(line.dataset, { name: one.name, size: one.size });
    const name = document.createElement("strong");
    name.textContent = one.name;
    const text = document.createElement("span");
    text.className = "muted small";
    text.textContent = one.arrived === null ? size(one.size) : `${Math.floor((100 * one.arrived) / Math.max(1, one.size))}% of ${size(one.size)} has arrived`;
    const forget = document.createElement("button");
    forget.type = "button";
    forget.className = "link";
    forget.textContent = "Forget it";
    forget.setAttribute("aria-label", `Forget ${one.name}`);
    forget.addEventListener("click", () => {
      line.remove();
      showWaiting();
      element("choose").focus();
      forgetBegun(one);
    });
    line.append(name, " ", text, " ", forget);
    list.append(line);
  }
  showWaiting();
}

// What is chosen again waits no more.
function showWaiting() {
  const lines = [...element("waiting-list").children];
  for (const line of lines) line.hidden = picks.some(({ file }) => file.name === line.dataset.name && String(file.size) === line.dataset.size);
  element("waiting").hidden = lines.every((line) => line.hidden);
}

form.classList.add("is-scripted");
showBegun();
changed();

// What was chosen while the page was still on its way.
for (const id of ["file", "folder"]) if (element(id).files.length) taken(element(id));
