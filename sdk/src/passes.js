// What lets a page read of its own visitor: a short-lived token, asked for again when it ends.

/** @import { Tracker, PersonalOptions } from "./types.js" */

/** A token that ends sooner than this is not begun with. */
const MARGIN_MS = 1e4;
const TRY_MS = 1e4;
const KEPT = "token";

/**
 * What opens one profile; without a token the server decides by where the page is.
 * @typedef {{token: string, userId: string, ends: number, who: string}} Pass
 */
/** @typedef {ReturnType<typeof passesOf>} Passes */

/** @param {Tracker} tracker @returns {string} whom the tracker speaks for; what was learnt of another is void */
export const whoIs = (tracker) => tracker.anonymousId + " " + (tracker.userId || "");

/** @param {string} token @returns {{sub: string, iat: number, exp: number}} what it says; the server judges it */
function claimsOf(token) {
  const text = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
}

/**
 * @param {Tracker} tracker
 * @param {PersonalOptions} options
 * @param {import("./store.js").Store} store
 */
export function passesOf(tracker, { token, tokens }, store) {
  /** @type {Pass | undefined} */
  let held;
  /** @type {Promise<Pass | undefined> | undefined} */
  let coming;

  /** @param {string} found @param {string} who @param {number} [lasts] @returns {Pass} */
  const passOf = (found, who, lasts = Infinity) => ({ token: found, userId: claimsOf(found).sub, ends: Date.now() + lasts, who });

  /** @returns {Promise<string | null | undefined>} from the site, which knows who is signed in; never from what the page says */
  const asked = async () => {
    const person = { anonymousId: tracker.anonymousId, userId: tracker.userId };
    if (typeof tokens == "function") return tokens(person);
    const answer = await fetch(/** @type {string} */ (tokens), {
      method: "POST",
      body: JSON.stringify({ anonymous_id: person.anonymousId }),
      headers: { "content-type": "application/json" },
      credentials: "include",
      signal: AbortSignal.timeout(TRY_MS),
    });
    if (!answer.ok) throw new Error("tokens " + answer.status);
    return answer.status == 204 ? null : (await answer.json()).token;
  };

  const obtain = async () => {
    const who = whoIs(tracker);
    if (token) return passOf(token, who);
    if (!tokens) return { token: "", userId: tracker.userId || "anon:" + tracker.anonymousId, ends: Infinity, who };
    const found = await asked();
    if (!found) return undefined;
    // By this clock from now on: the server's may differ.
    const { iat, exp } = claimsOf(found);
    const pass = passOf(found, who, (exp - iat) * 1e3);
    if (tracker.active && who == whoIs(tracker)) store.write(KEPT, JSON.stringify(pass));
    return pass;
  };

  /** @param {Pass | undefined} pass */
  const good = (pass) => pass && pass.who == whoIs(tracker) && pass.ends - Date.now() > MARGIN_MS;

  return {
    /** @returns {Pass | undefined} the one in use */
    current: () => held,
    /** @returns {Promise<Pass | undefined>} undefined when the site gives this visitor none */
    get: async () => {
      if (!good(held)) {
        const kept = tokens ? JSON.parse(store.read(KEPT) || "null") : undefined;
        held = good(kept) ? kept : undefined;
      }
      if (held) return held;
      coming ||= obtain().finally(() => (coming = undefined));
      return (held = await coming);
    },
    /** The server does not take it. @returns {boolean} whether there may be another */
    drop: () => {
      held = undefined;
      store.remove(KEPT);
      return !!tokens;
    },
  };
}
