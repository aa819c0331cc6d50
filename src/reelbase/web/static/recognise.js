// What a file is, told by its first bytes: the same answer as the server's, before anything is sent.
// It follows reelbase/reading/recognise.py line by line; a test compares the two on every header that is known.

const BOM = [0xef, 0xbb, 0xbf];
const DELIMITERS = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "::": "double colons" };

export function recognise(name, bytes, known) {
  if (!bytes.length) return unknown("It is empty (zero bytes). A file without records still has its header line.");
  const newline = bytes.indexOf(10);
  const end = newline < 0 ? bytes.length : newline + 1;
  const mark = BOM.every((byte, at) => bytes[at] === byte) ? 3 : 0;
  const line = stripped(bytes.subarray(mark, end));
  const tables = known.datasets.flatMap((dataset) => dataset.tables.map((table) => ({ dataset, table })));
  // A line that goes on behind what was read has no known end: no record can be found behind it.
  const whole = newline >= 0 || bytes.length < known.header_bytes;
  const headerless = whole && first(tables, (one) => withoutHeader(name, one, line, mark));
  if (headerless) return headerless;
  const matches = whole ? tables.map((one) => match(one, line)).filter(Boolean) : [];
  if (!matches.length) return unknown(why(bytes, line, tables));
  const best = matches.reduce((left, right) => (isBetter(right, left) ? right : left));
  const text = decoded(line);
  const layout = best.table.layouts.find((one) => one.quoted_header && isQuoted(text, one.delimiter)) ?? best.table.layouts[0];
  return found(best, layout, best.columns, end);
}

// Records of the first bytes, as arrays of fields; null is null. The last one may be cut, and is left out.
export function records(bytes, from, layout, most) {
  const text = new TextDecoder().decode(bytes.subarray(from));
  return [...split(text, layout)].slice(0, most);
}

export function isOfType(value, type) {
  if (value === null || value === "") return true;
  if (type === "integer" || type === "bigint") return /^\s*[+-]?\d+(\.0*)?\s*$/.test(value);
  if (type === "numeric" || type === "double precision") return /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value);
  if (type === "boolean") return /^(0|1|true|false)$/i.test(value);
  return true;
}

function found({ dataset, table }, layout, columns, from) {
  return { dataset: dataset.name, title: dataset.title, table: `${dataset.name}.${table.name}`, layout, columns, from };
}

function unknown(reason) {
  return { why: reason };
}

function first(items, pick) {
  for (const item of items) {
    const picked = pick(item);
    if (picked) return picked;
  }
  return null;
}

function stripped(line) {
  let end = line.length;
  while (end && (line[end - 1] === 10 || line[end - 1] === 13)) end -= 1;
  return line.subarray(0, end);
}

function withoutHeader(name, { dataset, table }, line, mark) {
  const fileName = plainName(name);
  for (const layout of table.layouts) {
    if (!layout.file_names?.includes(fileName)) continue;
    const columns = layout.order.map((wanted) => table.columns.find((column) => column.name === wanted));
    const fields = new TextDecoder().decode(line).split(layout.delimiter);
    if (fields.length === columns.length && columns.every((column, at) => mayBe(column, fields[at]))) {
      return found({ dataset, table }, layout, columns, mark);
    }
  }
  return null;
}

function plainName(name) {
  return name.toLowerCase().split(/[/\\]/).at(-1).replace(/\.gz$/, "");
}

function mayBe(column, field) {
  return column.type === "text" || /^-?\d+(?:\.\d+)?$/.test(field);
}

function match({ dataset, table }, line) {
  const names = fieldsOf(line, table);
  if (!names) return null;
  const declared = declaredAs(new Set(names.map(plain)), table);
  const columns = names.map((name) => declared.get(plain(name)));
  const present = columns.filter(Boolean);
  if (new Set(present).size !== present.length) return null;
  if (!table.columns.every((column) => !column.required || present.includes(column))) return null;
  const told = present.filter((column) => table.telltales.includes(column.name)).length;
  if (told < table.telltales_needed) return null;
  const shown = columns.map((column, at) => column ?? { name: names[at], header: names[at], type: "text", isUnknown: true });
  return { dataset, table, columns: shown, there: present.length, missing: table.columns.length - present.length };
}

// An alias counts where the header is not there.
function declaredAs(names, table) {
  const declared = new Map(table.columns.map((column) => [plain(column.header), column]));
  for (const column of table.columns) {
    const aliases = (column.aliases ?? []).map(plain).filter((alias) => names.has(alias));
    if (aliases.length && !names.has(plain(column.header)) && !declared.has(aliases[0])) declared.set(aliases[0], column);
  }
  return declared;
}

function isBetter(one, other) {
  return one.there > other.there || (one.there === other.there && one.missing < other.missing);
}

function decoded(line) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    return null;
  }
}

function fieldsOf(line, table) {
  if (line.includes(13) || line.includes(0)) return null;
  const text = decoded(line);
  if (text === null) return null;
  const { delimiter, quote } = table.layouts[0];
  if (quote === null) return text.split(delimiter);
  return [...split(`${text}\n`, { delimiter, quote, null: null })][0] ?? [];
}

function plain(name) {
  return name.replace(/[\s_]/g, "").toUpperCase().toLowerCase();
}

function isQuoted(text, delimiter) {
  const escaped = delimiter.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^"[^"]*"(?:${escaped}"[^"]*")*$`).test(text);
}

function* split(text, { delimiter, quote, escape, null: nothing }) {
  let fields = [];
  let at = 0;
  while (at < text.length) {
    let field = "";
    let isText = false;
    if (quote && text[at] === quote) {
      isText = true;
      at += 1;
      while (at < text.length) {
        if (escape && text[at] === escape && at + 1 < text.length) {
          field += text[at + 1];
          at += 2;
        } else if (text[at] === quote && text[at + 1] === quote) {
          field += quote;
          at += 2;
        } else if (text[at] === quote) {
          at += 1;
          break;
        } else {
          field += text[at];
          at += 1;
        }
      }
    }
    const begin = at;
    while (at < text.length && text[at] !== "\n" && !text.startsWith(delimiter, at)) at += 1;
    if (at >= text.length) return; // cut
    field += text.slice(begin, at);
    const isEnd = text[at] === "\n";
    if (isEnd) field = field.replace(/\r$/, "");
    fields.push(!isText && field === nothing ? null : field);
    at += isEnd ? 1 : delimiter.length;
    if (isEnd) {
      if (fields.length > 1 || fields[0]) yield fields;
      fields = [];
    }
  }
}

// Why not, in words that help.

function why(bytes, line, tables) {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return "The file is UTF-16. Save it as UTF-8.";
  const text = new TextDecoder().decode(line.subarray(0, 2000));
  const begins = `Its first line is “${shown(text)}”, which is no header that Reelbase knows`;
  const head = text.split(/[,;\t:|]/, 1)[0].replace(/^[\s"]+|[\s"]+$/g, "");
  if (/^\d+$/.test(head)) return `${begins}: the header line is missing, that is a record.`;
  return `${begins}${delimiterHint(text, tables) || missingHint(line, tables)}.`;
}

function shown(text) {
  const readable = text.replace(/[\u0000-\u001f\u007f]/g, " ").trim();
  return readable.length > 90 ? `${readable.slice(0, 90)}…` : readable;
}

function delimiterHint(text, tables) {
  for (const [delimiter, name] of Object.entries(DELIMITERS)) {
    if (!text.includes(delimiter)) continue;
    for (const one of tables) {
      const wanted = one.table.layouts[0].delimiter;
      if (match(one, new TextEncoder().encode(text.replaceAll(delimiter, wanted)))) return `: its fields are separated by ${name}; save it with ${DELIMITERS[wanted]}`;
    }
  }
  return "";
}

function missingHint(line, tables) {
  let best = null;
  for (const { dataset, table } of tables) {
    const names = new Set((fieldsOf(line, table) ?? []).map(plain));
    const declared = declaredAs(names, table);
    const present = new Set([...declared].filter(([name]) => names.has(name)).map(([, column]) => column.name));
    const lacking = table.columns.filter((column) => column.required && !present.has(column.name)).map((column) => column.header);
    if (!(present.size > lacking.length && lacking.length)) continue;
    const one = { lacking, there: present.size, name: `${dataset.name}.${table.name}` };
    if (!best || lacking.length < best.lacking.length || (lacking.length === best.lacking.length && one.there > best.there)) best = one;
  }
  return best ? `: for ${best.name} it lacks ${best.lacking.join(", ")}` : "";
}
