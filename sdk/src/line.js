// Holds a line to the server by the best way there is: WebSocket, server-sent events, asking again and again.

/** @import { Passes, Pass } from "./passes.js" */
/** @import { Fired, Heard } from "./types.js" */

/** A line that says nothing at its start, or for longer than two heartbeats, is dead. */
const OPEN_MS = 5e3;
const SILENT_MS = 4e4;
const POLL_MS = 1e4;
/** After so long of asking, the better ways are tried once more. */
const POLL_FOR_MS = 3e5;
const FIRST_WAIT_MS = 1e3;
const LONGEST_WAIT_MS = 6e4;
const NO_RIGHT = "E790";

/**
 * @typedef {object} Ends what a line is between
 * @property {string} host
 * @property {Passes} passes
 * @property {() => Promise<void>} read takes over the state as it is now
 * @property {(said: Heard | Fired) => void} hear takes over a change, or what a trigger says
 * @property {() => void} failed every way has failed, for now; or there is none
 */

/** @param {Ends} ends */
export function lineOf({ host, passes, read, hear, failed }) {
  /** @type {() => void} */
  let wake = () => {};
  /** @type {AbortController | undefined} */
  let holding;

  /** @param {number} wait @returns {Promise<void>} */
  const sleep = (wait) =>
    new Promise((go) => {
      const timer = setTimeout(go, wait);
      wake = () => {
        clearTimeout(timer);
        go();
      };
    });

  /** @param {Pass} pass */
  const address = ({ userId }) => host + "/v1/stream?user_id=" + encodeURIComponent(userId);

  /**
   * A way that is opened and then tells; it gives true when something was heard by it before it ended.
   * @param {(pass: Pass, heard: (message: { data: string }) => void, end: () => void) => () => void} open
   * @returns {(pass: Pass, signal: AbortSignal) => Promise<boolean>}
   */
  const telling = (open) => (pass, signal) =>
    new Promise((settle) => {
      let listened = false;
      let close = () => {};
      /** @type {ReturnType<typeof setTimeout>} */
      let timer;
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        close();
        settle(listened);
      };
      /** @param {{ data: string }} message */
      const heard = ({ data }) => {
        clearTimeout(timer);
        timer = setTimeout(end, SILENT_MS);
        const said = JSON.parse(data);
        if (said.notice == "closing" && said.code == NO_RIGHT) passes.drop();
        // What was said before this notice is in the state, what comes after it is heard: nothing falls between.
        if (said.notice == "listening" || said.notice == "profile") read().then(() => (listened = true), end);
        if (said.action || "fired" in said) hear(said);
      };
      timer = setTimeout(end, OPEN_MS);
      signal.addEventListener("abort", end);
      try {
        close = open(pass, heard, end);
      } catch {
        // A policy of the page forbids it.
        end();
      }
    });

  const bySocket = telling((pass, heard, end) => {
    const offered = ["segue"].concat(pass.token ? "token." + pass.token : []);
    const socket = new WebSocket(address(pass).replace(/^http/, "ws"), offered);
    socket.onmessage = heard;
    socket.onclose = end;
    return () => {
      socket.onmessage = socket.onclose = null;
      socket.close();
    };
  });

  // Not an EventSource: that could carry the token in the address alone, where proxies write it down.
  const byEvents = telling((pass, heard, end) => {
    const leaving = new AbortController();
    const listen = async () => {
      const headers = pass.token ? { authorization: "Bearer " + pass.token } : undefined;
      const answer = await fetch(address(pass), { headers, cache: "no-store", credentials: "omit", signal: leaving.signal });
      const reader = answer.ok && answer.body?.getReader();
      const text = new TextDecoder();
      for (let rest = ""; reader; ) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + text.decode(value, { stream: true })).split("\n");
        rest = lines.pop() || "";
        for (const line of lines) if (line.startsWith("data: ")) heard({ data: line.slice(6) });
      }
    };
    listen().then(end, end);
    return () => leaving.abort();
  });

  /** @param {Pass} pass @param {AbortSignal} signal @returns {Promise<boolean>} */
  const byAsking = async (pass, signal) => {
    const until = Date.now() + POLL_FOR_MS;
    let listened = false;
    try {
      while (!signal.aborted && Date.now() < until) {
        await read();
        listened = true;
        // Only the old token kept the other ways shut.
        if (passes.current() != pass) break;
        await sleep(POLL_MS);
      }
    } catch {
      // What became of it is known by whether anything was heard.
    }
    return listened;
  };

  const ways = [bySocket, byEvents, byAsking];
  const last = ways.length - 1;

  /** @param {AbortSignal} signal */
  const hold = async (signal) => {
    for (let step = 0, failures = 0; !signal.aborted; ) {
      let listened = false;
      try {
        const pass = await passes.get();
        if (!pass) return failed();
        listened = !signal.aborted && (await ways[step](pass, signal));
      } catch {
        step = last;
      }
      if (signal.aborted) return;
      if (!listened && step < last) {
        step++;
        continue;
      }
      if (step == last) step = 0;
      if (listened) failures = 0;
      else failures++ || failed();
      // Everybody comes back at once after a restart of the server, so at different moments.
      await sleep(Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS) * Math.random());
    }
  };

  const end = () => {
    holding?.abort();
    holding = undefined;
    wake();
  };
  return {
    end,
    /** From the beginning. */
    begin: () => {
      end();
      hold((holding = new AbortController()).signal);
    },
    /** There may be a way again. */
    wake: () => wake(),
    /** @returns {boolean} */
    held: () => !!holding,
  };
}
