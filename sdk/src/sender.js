// Takes events from the queue to the server: once from all tabs, again after a failure, and when the page goes.

/** Requests that outlive their page may hold 64 KiB between them. */
const BODY_MAX = 6e4;
const TRY_MS = 3e4;
const FIRST_WAIT_MS = 1e3;
const LONGEST_WAIT_MS = 6e5;
/** What the server will never take; anything else may be a fault that passes. */
const FINAL = [400, 401, 403, 413, 422];
const SOON_MS = 30;
const LOCK_MS = 2e3;

/**
 * @param {string} url
 * @param {string} writeKey
 * @param {import("./store.js").Store} store
 * @param {import("./queue.js").Queue} queue
 */
export function senderOf(url, writeKey, store, queue) {
  /** @type {Map<string, number>} names on their way, and their bytes */
  const away = new Map();
  /** @type {Promise<void> | undefined} */
  let busy;
  let again = false;
  let failures = 0;
  /** Nothing is sent before; what the server asked for stands in the store, for all tabs. */
  let notBefore = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let due = Infinity;
  // The server adds a request's time on the wire to the times of its events. What happened while a slow
  // request was away would so come to stand before what that request held: it counts as of the answer.
  let lastSent = "";
  let lastAnswered = "";
  let gone = false;
  let gate = new AbortController();
  let stop = new AbortController();

  /** @param {number} wait milliseconds until the next flush; an earlier one stays */
  const later = (wait) => {
    const at = Date.now() + wait;
    if (at >= due) return;
    due = at;
    clearTimeout(timer);
    timer = setTimeout(() => {
      due = Infinity;
      flush();
    }, wait);
  };

  /** @returns {number} milliseconds; at most the longest wait, whatever became of the clock */
  const waiting = () => {
    const wait = Math.max(notBefore, +(store.read("wait") || 0)) - Date.now();
    return wait > LONGEST_WAIT_MS ? 0 : wait;
  };

  /** @param {string[]} names @returns {string[]} the first of them that fit beside what is on its way */
  const fitting = (names) => {
    let room = BODY_MAX - 200;
    away.forEach((size) => (room -= size));
    const here = names.filter((name) => !away.has(name));
    return here.filter((name) => {
      const size = new Blob([store.read(name) || ""]).size + 1;
      // One that fits nowhere goes alone, while the page is open; the server says what is wrong with it.
      const fits = room >= size || (size > BODY_MAX && !away.size);
      room -= fits ? size : Infinity; // in order: nothing overtakes what does not fit
      if (fits) away.set(name, size);
      return fits;
    });
  };

  /** @param {string[]} names @returns {Promise<boolean>} whether the server is done with them */
  const post = async (names) => {
    const sentAt = new Date().toISOString();
    const batch = names.flatMap((name) => JSON.parse(store.read(name) || "[]"));
    batch.forEach((event) => {
      if (event.timestamp > lastSent && event.timestamp < lastAnswered) event.timestamp = lastAnswered;
    });
    const keepalive = (away.get(names[0]) || 0) < BODY_MAX;
    const body = JSON.stringify({ batch, sentAt, writeKey });
    if (keepalive && document.visibilityState == "hidden" && !("keepalive" in Request.prototype)) {
      navigator.sendBeacon(url, body);
    }
    const { signal } = stop;
    const limit = setTimeout(() => stop.abort(), TRY_MS);
    let wait = 0;
    try {
      // Plain text needs no preflight, and the key stands in the body.
      const answer = await fetch(url, { method: "POST", body, keepalive, credentials: "omit", signal });
      const done = answer.ok ? (await answer.json()).success : FINAL.includes(answer.status);
      if (done) {
        if (!answer.ok) console.warn("segue: refused", answer.status);
        names.forEach(store.remove);
        failures = 0;
        lastSent = sentAt;
        lastAnswered = new Date().toISOString();
        return true;
      }
      const asked = answer.headers.get("retry-after") || "";
      wait = +asked * 1e3 || Date.parse(asked) - Date.now();
    } catch {
      // No answer at all; what became of the events is not known, and their message ids make it harmless.
    } finally {
      clearTimeout(limit);
      names.forEach((name) => away.delete(name));
    }
    if (signal.aborted) stop = new AbortController();
    const own = FIRST_WAIT_MS * 2 ** failures++ * (0.5 + Math.random());
    const next = Math.min(wait > 0 ? wait : own, LONGEST_WAIT_MS);
    notBefore = Date.now() + next;
    // Other tabs, and the next page, keep to what the server has asked for.
    if (wait > 0) store.write("wait", "" + notBefore);
    later(next);
    return false;
  };

  const drain = async () => {
    const wait = waiting();
    if (wait > 0) return later(wait);
    for (let names; (names = fitting(queue.names())).length; ) if (!(await post(names))) return;
  };

  /**
   * One tab at a time, where the browser can tell; elsewhere the server drops what comes twice. A lock that
   * does not come is not waited for: it may have been given to a page that is no longer there.
   */
  const alone = async () => {
    if (!navigator.locks) return drain();
    const { signal } = (gate = new AbortController());
    const limit = setTimeout(() => gate.abort(), LOCK_MS);
    /** @type {Promise<void>} */
    const left = new Promise((go) => signal.addEventListener("abort", () => go()));
    try {
      await navigator.locks.request("segue" + url, { signal }, () => {
        clearTimeout(limit);
        return Promise.race([drain(), left]);
      });
    } catch {
      // Also where a sandboxed frame may not ask.
      if (!gone) await drain();
    }
  };

  /** @returns {Promise<void>} */
  const flush = async () => {
    again = !!busy;
    // A page in the browser's cache must neither hold the lock nor wait for it.
    if (gone) return;
    return (busy ||= alone().then(() => {
      busy = undefined;
      if (again) return flush();
    }));
  };

  return {
    flush,
    soon: () => later(SOON_MS),
    /**
     * The page may be gone in a moment: sends this tab's events without waiting for anything.
     * @param {boolean} final whether it is no longer shown at all
     */
    leave: (final) => {
      gone ||= final;
      if (gone) gate.abort();
      const names = waiting() > 0 ? [] : fitting(queue.names().filter(queue.own));
      if (names.length) post(names).then(flush);
    },
    /** The network is back, or the page is. */
    resume: () => {
      gone = false;
      notBefore = 0;
      flush();
    },
    /** Gives up what is on its way. */
    halt: () => {
      stop.abort();
      stop = new AbortController();
    },
  };
}
