// The page of one import, live: one stream of events, closed while nobody looks. Each event changes only the numbers
// that are others now; where parts of the page come or go, the server is asked for the page, and those are replaced.

import "./console.js";
import { Speaker, number, put, seconds, size } from "./console-words.js";

const FINAL = ["completed", "failed", "cancelled"];
const ALL_OF_IT = ["indexing", "publishing", "queued"];
const CHUNKS_EVERY = 1000;
const AT_MOST = 15_000;

const live = document.getElementById("live");
const id = live.dataset.import;
const lost = document.getElementById("lost");
const said = new Speaker(document.getElementById("said"));

let stream = null;
let latest = null;
let frame = 0;
let wait = 1000;
let timer = 0;
let chunksAt = 0;
let chunksSeen = "";
let isAsking = false;

if (live.dataset.live === "yes") open();
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
addEventListener("online", () => {
  wait = 1000;
  open();
});

function open() {
  clearTimeout(timer);
  if (stream || live.dataset.live !== "yes" || document.hidden) return;
  stream = new EventSource(`/api/v1/imports/${id}/events`);
  stream.addEventListener("import", (event) => {
    wait = 1000;
    lost.hidden = true;
    latest = JSON.parse(event.data);
    if (FINAL.includes(latest.state)) close();
    frame ||= requestAnimationFrame(show);
  });
  stream.addEventListener("error", () => {
    close();
    if (live.dataset.live !== "yes") return;
    lost.hidden = false;
    put(lost, `Connection lost, trying again. The import goes on without this page.`);
    timer = setTimeout(open, wait);
    wait = Math.min(AT_MOST, wait * 2);
  });
}

function close() {
  clearTimeout(timer);
  stream?.close();
  stream = null;
}

function show() {
  frame = 0;
  const one = latest;
  const isOther = one.state !== live.dataset.state || String(one.files.length) !== live.dataset.files || String(one.attempt) !== live.dataset.attempt;
  if (isOther) replaceParts(one);
  numbers(one);
  one.files.forEach(showFile);
  chunks(one);
}

function value(name) {
  return live.querySelector(`.meter [data-value="${name}"]`);
}

function numbers(one) {
  const progress = one.progress;
  const percent = one.state === "completed" ? 100 : ALL_OF_IT.includes(one.state) || !progress.bytes_total ? null : Math.floor((100 * progress.bytes_done) / progress.bytes_total);
  const bar = document.getElementById("bar");
  if (bar && percent === null) bar.removeAttribute("value");
  else if (bar && bar.value !== percent) bar.value = percent;
  put(value("percent"), percent === null ? "–" : `${percent}%`);
  put(value("rows_loaded"), number(progress.rows_loaded));
  put(value("rows_rejected"), number(progress.rows_rejected));
  put(value("rows_per_second"), progress.rows_per_second ? number(progress.rows_per_second) : "–");
  put(value("bytes"), `${size(progress.bytes_done)} of ${size(progress.bytes_total)}`);
  const isOver = FINAL.includes(one.state);
  put(value("time"), seconds(isOver ? one.seconds : progress.eta_seconds) || "–");
  put(value("step"), progress.step ?? "");
  document.title = isOver || percent === null ? document.title.replace(/^\d+% · /, "") : `${percent}% · ${document.title.replace(/^\d+% · /, "")}`;
  const step = progress.step ? `, ${progress.step}` : "";
  const left = progress.eta_seconds ? `, about ${seconds(progress.eta_seconds)} left` : "";
  const sentence = `${one.state}${percent === null ? "" : `, ${percent} percent`}, ${number(progress.rows_loaded)} rows loaded${step}${left}`;
  if (isOver) said.now(one.error ? `Import ${one.state}. ${one.error.detail}` : `Import ${one.state}, ${number(progress.rows_loaded)} rows loaded.`);
  else said.sometimes(sentence);
}

function showFile(file, at) {
  const body = live.querySelector(`[data-file="${at}"]`);
  if (!body) return;
  const cell = (name) => body.querySelector(`[data-value="${name}"]`);
  const state = cell("state")?.firstElementChild;
  if (state && state.dataset.state !== file.state) {
    state.dataset.state = file.state;
    put(state, file.state.charAt(0).toUpperCase() + file.state.slice(1));
  }
  put(cell("bytes"), size(file.bytes));
  put(cell("rows_read"), number(file.rows_read));
  put(cell("rows_loaded"), number(file.rows_loaded));
  put(cell("rows_rejected"), number(file.rows_rejected));
  put(cell("seconds"), file.seconds === null ? "" : number(file.seconds, 1));
  const { total, done, failed } = file.chunks;
  put(cell("chunks"), `${done} of ${total} chunks done${failed ? `, ${failed} failed` : ""}`);
  if (total) body.querySelector(".strip-row").hidden = false;
}

// Which chunk is where: asked for at most once a second, and only where the counts are others.
async function chunks(one) {
  const seen = JSON.stringify(one.files.map((file) => file.chunks)) + one.state;
  const since = performance.now() - chunksAt;
  if (seen === chunksSeen || isAsking || document.hidden) return;
  if (since < CHUNKS_EVERY && !FINAL.includes(one.state)) {
    setTimeout(() => latest && chunks(latest), CHUNKS_EVERY - since);
    return;
  }
  isAsking = true;
  chunksAt = performance.now();
  try {
    const answer = await fetch(`/imports/${id}/chunks`);
    if (answer.ok) {
      (await answer.json()).forEach(draw);
      chunksSeen = seen;
    }
  } catch {
    // The stream tells of a lost connection; the next event asks again.
  } finally {
    isAsking = false;
  }
}

function draw({ total, paths }, at) {
  const svg = live.querySelector(`[data-file="${at}"] .strip`);
  if (!svg) return;
  const box = `0 0 ${Math.max(1, total)} 1`;
  if (svg.getAttribute("viewBox") !== box) svg.setAttribute("viewBox", box);
  for (const name of ["queued", "done", "running", "failed"]) {
    const path = svg.querySelector(`.chunk-${name}`);
    const drawn = paths[name] ?? "";
    if (path.getAttribute("d") !== drawn) path.setAttribute("d", drawn);
  }
  const label = svg.closest(".strip-line").querySelector('[data-value="chunks"]').textContent;
  if (svg.getAttribute("aria-label") !== label) svg.setAttribute("aria-label", label);
}

let isReplacing = false;

async function replaceParts(one) {
  if (isReplacing) return;
  isReplacing = true;
  try {
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    for (const part of live.querySelectorAll("[data-part]")) replace(part, fresh.querySelector(`[data-part="${part.dataset.part}"]`));
    put(value("time")?.previousElementSibling, FINAL.includes(fresh.dataset.state) ? "Took" : "Time left");
    Object.assign(live.dataset, fresh.dataset);
    if (live.dataset.live === "yes") open();
    else close();
    if (fresh.dataset.state === one.state) numbers(one);
  } catch {
    timer = setTimeout(() => latest && show(), wait); // the server is away; what is shown stays
  } finally {
    isReplacing = false;
  }
}

// What had the focus keeps it, if it is still there.
function replace(part, fresh) {
  if (!fresh || part.innerHTML === fresh.innerHTML) return;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  part.replaceChildren(...fresh.childNodes);
  if (!focused) return;
  const key = focused.getAttribute("href") ?? focused.textContent;
  const same = [...part.querySelectorAll("a, button, input")].find((one) => (one.getAttribute("href") ?? one.textContent) === key);
  (same ?? document.getElementById("main")).focus({ preventScroll: true });
}
