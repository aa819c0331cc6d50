// Looks into a file that somebody has chosen: plain, packed by gzip, or a zip with several inside. Reads its first
// bytes and, of a zip, the list at its end; never the whole of it.

import { recognise } from "./recognise.js";

const LOOKED_AT = 1 << 18;
const TAR_MAGIC_AT = 257;
const MOST_MEMBERS = 200;
const OTHERS = [
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["zstandard", [0x28, 0xb5, 0x2f, 0xfd]],
  ["7-Zip", [0x37, 0x7a, 0xbc, 0xaf]],
  ["RAR", [0x52, 0x61, 0x72, 0x21]],
];

// {members: [{name, found | why, head}], isArchive, isLater (the server will look)}, or {why}
export async function look(file, known) {
  const head = await bytesOf(file.slice(0, LOOKED_AT));
  const other = OTHERS.find(([, magic]) => begins(head, magic));
  if (other) return { why: `It is packed by ${other[0]}, which Reelbase does not read. Unpack it, or pack it by gzip or zip.`, members: [] };
  if (begins(head, [0x50, 0x4b, 3, 4]) || begins(head, [0x50, 0x4b, 5, 6])) return lookIntoZip(file, known);
  if (isTar(head)) return later();
  if (!begins(head, [0x1f, 0x8b])) return single(file.name, head, known);
  const unpacked = await unpack(file.slice(0, LOOKED_AT), "gzip");
  if (!unpacked) return { why: "It ends in .gz, but it cannot be unpacked: it is damaged or cut off.", members: [] };
  return isTar(unpacked) ? later() : single(file.name, unpacked, known);
}

function later() {
  return { isArchive: true, isLater: true, members: [] };
}

function single(name, head, known) {
  const found = recognise(name, head, known);
  return found.why ? { why: found.why, members: [] } : { members: [{ name, found, head }] };
}

async function lookIntoZip(file, known) {
  const entries = await zipEntries(file);
  if (!entries) return later();
  const members = [];
  for (const entry of entries.slice(0, MOST_MEMBERS)) {
    const head = await headOf(file, entry);
    if (!head) {
      members.push({ name: entry.name, why: "It cannot be unpacked here." });
      continue;
    }
    const found = recognise(entry.name, head, known);
    members.push(found.why ? { name: entry.name, why: found.why } : { name: entry.name, found, head });
  }
  if (members.some((member) => member.found)) return { isArchive: true, members };
  return { why: entries.length ? "None of the files in it is one that Reelbase knows." : "There is nothing in it.", isArchive: true, members };
}

// The list at the end of a zip; null where it is of a kind that the server had better look at.
async function zipEntries(file) {
  const tail = await bytesOf(file.slice(Math.max(0, file.size - 66_000)));
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let at = tail.length - 22;
  while (at >= 0 && view.getUint32(at, true) !== 0x06054b50) at -= 1;
  if (at < 0) return null;
  const size = view.getUint32(at + 12, true);
  const begin = view.getUint32(at + 16, true);
  if (size === 0xffffffff || begin === 0xffffffff || begin + size > file.size) return null;
  return directory(await bytesOf(file.slice(begin, begin + size)));
}

function directory(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = [];
  let at = 0;
  while (at + 46 <= bytes.length && view.getUint32(at, true) === 0x02014b50) {
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const entry = { name, method: view.getUint16(at + 10, true), packed: view.getUint32(at + 20, true), size: view.getUint32(at + 24, true), place: view.getUint32(at + 42, true) };
    if (!name.endsWith("/")) entries.push(entry);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

async function headOf(file, entry) {
  if (entry.place === 0xffffffff || entry.packed === 0xffffffff) return null;
  const local = await bytesOf(file.slice(entry.place, entry.place + 30));
  if (local.length < 30) return null;
  const view = new DataView(local.buffer, local.byteOffset, local.byteLength);
  const begin = entry.place + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  const packed = file.slice(begin, begin + Math.min(entry.packed, LOOKED_AT));
  if (entry.method === 0) return bytesOf(packed);
  return entry.method === 8 ? unpack(packed, "deflate-raw") : null;
}

// The first bytes of what is packed; null where nothing comes out. What is cut off ends with an error, after its bytes.
async function unpack(blob, format) {
  if (typeof DecompressionStream === "undefined") return null;
  const reader = blob.stream().pipeThrough(new DecompressionStream(format)).getReader();
  const parts = [];
  let size = 0;
  try {
    while (size < LOOKED_AT) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
    }
  } catch {
    if (!size) return null;
  }
  reader.cancel().catch(() => {});
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.subarray(0, LOOKED_AT);
}

async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}

function begins(bytes, magic) {
  return magic.every((byte, at) => bytes[at] === byte);
}

function isTar(bytes) {
  return new TextDecoder().decode(bytes.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5)) === "ustar";
}

// Every file of a drop, folders with all that is in them.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = [];
  for (const entry of entries) await collect(entry, files);
  return files;
}

async function collect(entry, files) {
  if (files.length >= 2000) return;
  if (entry.isFile) {
    files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const one of some) await collect(one, files);
  }
}
