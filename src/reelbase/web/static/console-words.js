// Values as people read them: the same words as web/words.py.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

export function number(value, digits = 0) {
  return value === null || value === undefined ? "" : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function of(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function size(value) {
  let shown = value;
  let unit = 0;
  while (shown >= 999.5 && unit < UNITS.length - 1) {
    shown /= 1000;
    unit += 1;
  }
  return unit && shown < 10 ? `${shown.toFixed(1)} ${UNITS[unit]}` : `${Math.round(shown)} ${UNITS[unit]}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "";
  if (value < 10) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  const minutes = Math.floor(whole / 60);
  return [minutes >= 60 ? `${Math.floor(minutes / 60)} h` : "", minutes % 60 ? `${minutes % 60} min` : ""].filter(Boolean).join(" ");
}

// Said to those who do not see the page: at once where something has happened, of progress not more often than this.
const BETWEEN = 10_000;

export class Speaker {
  constructor(element) {
    this.element = element;
    this.saidAt = -Infinity;
  }

  now(text) {
    this.saidAt = performance.now();
    this.element.textContent = text;
  }

  sometimes(text) {
    if (performance.now() - this.saidAt >= BETWEEN) this.now(text);
  }
}

export function put(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
