// Sends files one after the other by tus, so that a lost connection, a pause or a reload costs nothing that has arrived.
// What has arrived is remembered by the browser until the import is made, not only until a file is complete.

const ENDPOINT = "/api/v1/uploads";
const DELAYS = [0, 1000, 2000, 4000, 8000, ...Array(120).fill(10_000)]; // about twenty minutes
const WINDOW = 6000; // milliseconds over which the speed is taken
const AGAIN = [408, 409, 423, 425, 429, 500, 502, 503, 504];

export class Sending {
  // `items` have a file; `on` is told progress(), waiting(isLost), done(ids), failed(item, text).
  constructor(items, on) {
    this.items = items.map((item) => ({ item, sent: 0, upload: null, url: null }));
    this.on = on;
    this.total = items.reduce((sum, item) => sum + item.file.size, 0);
    this.at = 0;
    this.isPaused = false;
    this.isLost = false;
    this.isOver = false;
    this.marks = [];
    this.online = () => this.isLost && !this.isPaused && this.again();
    addEventListener("online", this.online);
  }

  get sent() {
    return this.items.reduce((sum, one) => sum + one.sent, 0);
  }

  // Bytes a second just now, and the seconds that the rest will take; null where that is not known.
  pace() {
    if (this.marks.length < 2) return { speed: null, left: null };
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    const speed = last.time > first.time ? (1000 * (last.sent - first.sent)) / (last.time - first.time) : 0;
    return speed > 0 ? { speed, left: (this.total - this.sent) / speed } : { speed: null, left: null };
  }

  start() {
    this.next();
  }

  pause() {
    this.isPaused = true;
    this.marks = [];
    this.items[this.at]?.upload?.abort();
  }

  resume() {
    this.isPaused = false;
    this.again();
  }

  async stop() {
    this.end();
    await Promise.allSettled(this.items.filter((one) => one.upload).map((one) => one.upload.abort(true)));
    await this.forget();
  }

  end() {
    this.isOver = true;
    removeEventListener("online", this.online);
  }

  // After the import is made: nothing of it is to be gone on with.
  async forget() {
    for (const { upload } of this.items) {
      for (const earlier of (await upload?.findPreviousUploads()) ?? []) await storage().removeUpload(earlier.urlStorageKey);
    }
  }

  async again() {
    const one = this.items[this.at];
    if (this.isOver || !one) return;
    this.marks = [];
    if (!one.upload) return this.next();
    await one.upload.abort();
    one.upload.start();
  }

  async next() {
    const one = this.items[this.at];
    if (!one) {
      this.end();
      this.on.done(this.items.map(({ upload }) => upload.url.split("/").at(-1)));
      return;
    }
    one.upload ??= this.uploadOf(one);
    const earlier = await one.upload.findPreviousUploads();
    if (earlier.length) one.upload.resumeFromPreviousUpload(latest(earlier));
    if (!this.isPaused && !this.isOver) one.upload.start();
  }

  uploadOf(one) {
    const { file } = one.item;
    return new tus.Upload(file, {
      endpoint: ENDPOINT,
      metadata: { filename: file.name, ...(file.type ? { filetype: file.type } : {}) },
      retryDelays: DELAYS,
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        const isWorthIt = status === 0 || AGAIN.includes(status);
        if (isWorthIt) this.lose(true);
        return isWorthIt;
      },
      onProgress: (sent) => {
        one.sent = sent;
        this.lose(false);
        this.mark();
        this.on.progress(one.item, sent);
      },
      onSuccess: () => {
        one.sent = file.size;
        this.lose(false);
        this.mark();
        this.on.progress(one.item, file.size);
        this.at += 1;
        this.next();
      },
      onError: (error) => {
        if (this.isOver) return;
        this.isPaused = true;
        this.on.failed(one.item, said(error));
      },
    });
  }

  lose(isLost) {
    if (isLost === this.isLost) return;
    this.isLost = isLost;
    this.marks = [];
    this.on.waiting(isLost);
  }

  mark() {
    const time = performance.now();
    this.marks.push({ time, sent: this.sent });
    while (this.marks.length > 2 && this.marks[0].time < time - WINDOW) this.marks.shift();
  }
}

// Uploads that were begun before and are still there, each with how much of it has arrived.
export async function begunBefore() {
  const found = [];
  for (const one of await storage().findAllUploads()) {
    const arrived = await arrivedOf(one.uploadUrl);
    if (arrived === "gone") await storage().removeUpload(one.urlStorageKey);
    else found.push({ key: one.urlStorageKey, url: one.uploadUrl, name: one.metadata?.filename ?? "a file", size: one.size, arrived });
  }
  return found;
}

export async function forgetBegun({ key, url }) {
  await storage().removeUpload(key);
  await tus.Upload.terminate(url).catch(() => {}); // the server removes it in some days by itself
}

// How much of this very file has arrived already.
export async function arrivedBefore(file) {
  const earlier = await new tus.Upload(file, { endpoint: ENDPOINT }).findPreviousUploads();
  if (!earlier.length) return 0;
  const arrived = await arrivedOf(latest(earlier).uploadUrl);
  return arrived === "gone" || arrived === null ? 0 : arrived;
}

async function arrivedOf(url) {
  try {
    const answer = await fetch(url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
    if (answer.ok) return Number(answer.headers.get("Upload-Offset"));
    return [403, 404, 410].includes(answer.status) ? "gone" : null;
  } catch {
    return null;
  }
}

function latest(earlier) {
  return earlier.reduce((left, right) => (Date.parse(right.creationTime) > Date.parse(left.creationTime) ? right : left));
}

function storage() {
  return tus.defaultOptions.urlStorage;
}

function said(error) {
  const body = error.originalResponse?.getBody();
  try {
    const problem = JSON.parse(body);
    return `${problem.detail} ${problem.remedy ?? ""}`.trim();
  } catch {
    return error.originalResponse ? `The server answered ${error.originalResponse.getStatus()}.` : "The server cannot be reached.";
  }
}
