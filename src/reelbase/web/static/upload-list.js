// What was chosen, as a list on the page: each file with what it is, or why it cannot be taken, and a look inside.

import { number, of, put, size } from "./console-words.js";
import { isOfType, records } from "./recognise.js";

const PREVIEWED = 50;
const template = document.getElementById("picked-one");

export class Pick {
  constructor(file, path, remove) {
    this.file = file;
    this.path = path;
    this.looked = null;
    this.arrived = 0;
    this.element = template.content.firstElementChild.cloneNode(true);
    put(this.find(".pick-name"), path);
    put(this.find(".pick-size"), size(file.size));
    put(this.find(".pick-is"), "Looking at it…");
    const button = this.find(".pick-remove");
    button.setAttribute("aria-label", `Take ${path} away`);
    button.addEventListener("click", () => remove(this));
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  // Of these datasets there are files in it; none where the server has to look first.
  get datasets() {
    return [...new Set((this.looked?.members ?? []).filter((member) => member.found).map((member) => member.found.dataset))];
  }

  get isGood() {
    return Boolean(this.looked) && !this.looked.why;
  }

  isFor(dataset) {
    return this.isGood && (!dataset || !this.datasets.length || this.datasets.includes(dataset));
  }

  // `arrived`: how many of its bytes the server has from before.
  show(looked, arrived) {
    this.looked = looked;
    this.arrived = arrived;
    this.element.dataset.state = looked.why ? "refused" : looked.isLater ? "later" : "known";
    this.say();
    const more = this.find(".pick-more");
    more.replaceChildren();
    if (looked.isArchive && looked.members.length) more.append(membersOf(looked.members));
    const first = looked.members.filter((member) => member.found);
    for (const member of looked.isArchive ? first.slice(0, 12) : first) more.append(previewOf(member, looked.isArchive));
  }

  sentence() {
    if (this.looked.why) return this.looked.why;
    if (this.looked.isLater) return "An archive that the server looks into when it is there.";
    const found = this.looked.members.filter((member) => member.found).map((member) => member.found);
    if (this.looked.isArchive) return `${of(found.length, "file")} in it: ${found.map((one) => one.table).join(", ")}.`;
    const [one] = found;
    const others = one.columns.filter((column) => column.isUnknown).length;
    return `${one.title}: ${one.table}, ${of(one.columns.length, "column")}${others ? `, ${others} of them unknown and kept as text` : ""}.`;
  }

  setOut(isOut, why) {
    this.element.classList.toggle("is-out", isOut);
    if (this.isGood) this.say(isOut ? why : "");
  }

  say(more = "") {
    const percent = Math.floor((100 * this.arrived) / Math.max(1, this.file.size));
    const before = this.arrived ? `${percent}% of it has arrived before.` : "";
    put(this.find(".pick-is"), [this.sentence(), before, more].filter(Boolean).join(" "));
  }

  sending(sent) {
    const bar = this.find(".pick-sent");
    const percent = this.file.size ? (100 * sent) / this.file.size : 100;
    bar.hidden = false;
    bar.setAttribute("aria-label", `${this.path} sent`);
    bar.value = percent;
    this.element.dataset.state = percent >= 100 ? "sent" : "sending";
  }

  notSending() {
    this.find(".pick-sent").hidden = true;
    this.element.dataset.state = this.looked?.why ? "refused" : "known";
  }

  failed(text) {
    put(this.find(".pick-is"), text);
    this.element.dataset.state = "refused";
  }
}

function membersOf(members) {
  const list = document.createElement("ul");
  list.className = "members small";
  for (const member of members.slice(0, 60)) {
    const line = document.createElement("li");
    const name = document.createElement("code");
    name.textContent = member.name;
    line.append(name, ` ${member.found ? member.found.table : "left out: not known"}`);
    line.classList.toggle("muted", !member.found);
    list.append(line);
  }
  return list;
}

// Made when it is opened.
function previewOf(member, isNamed) {
  const details = document.createElement("details");
  details.className = "preview";
  const summary = document.createElement("summary");
  summary.textContent = isNamed ? `First records of ${member.name.split("/").at(-1)}` : "First records";
  details.append(summary);
  details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(tableOf(member)));
  return details;
}

function tableOf({ name, head, found }) {
  const rows = records(head, found.from, found.layout, PREVIEWED);
  const scroll = document.createElement("div");
  scroll.className = "table-scroll is-rows";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `First records of ${name}`);
  const table = document.createElement("table");
  table.className = "table rows";
  table.createCaption().textContent = rows.length ? `The first ${of(rows.length, "record")}, as ${found.table} will have them` : "No whole record in its first bytes";
  const header = table.createTHead().insertRow();
  for (const column of found.columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    const type = document.createElement("span");
    type.className = "type";
    type.textContent = column.isUnknown ? "text, unknown" : column.type;
    cell.append(column.name, " ", type);
    header.append(cell);
  }
  const body = table.createTBody();
  for (const record of rows) bodyRow(body.insertRow(), record, found.columns);
  scroll.append(table);
  return scroll;
}

function bodyRow(row, record, columns) {
  columns.forEach((column, at) => {
    const cell = row.insertCell();
    const value = record[at];
    if (value === undefined || (value !== null && !isOfType(value, column.type))) {
      cell.className = "odd";
      cell.title = value === undefined ? "The field is missing" : `Not ${column.type}`;
    }
    if (value === null || value === undefined) {
      const nothing = document.createElement("span");
      nothing.className = "null";
      nothing.textContent = value === null ? "null" : "missing";
      cell.append(nothing);
    } else {
      cell.textContent = value.length > 160 ? `${value.slice(0, 160)}…` : value;
    }
  });
  if (record.length > columns.length) {
    const cell = row.insertCell();
    cell.className = "odd";
    cell.textContent = `and ${number(record.length - columns.length)} more`;
  }
}
