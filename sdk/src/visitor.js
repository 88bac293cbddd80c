// Who sits here: the visitor's ids, the session, and whether this visitor is in the sample.

const COOKIE = "segue_id";
const YEAR_S = 31536e3;

/** @returns {string} 128 random bits; crypto.randomUUID is not there without TLS */
export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (256 + byte).toString(16).slice(1)).join("");

/** @typedef {{anonymousId: string, userId?: string}} Person */

/**
 * @param {import("./store.js").Store} store
 * @param {string | undefined} domain
 */
export function visitorOf(store, domain) {
  /** @param {string} value @param {number} seconds */
  const setCookie = (value, seconds) => {
    if (domain) {
      const secure = location.protocol == "https:" ? ";secure" : "";
      document.cookie = `${COOKIE}=${value};path=/;max-age=${seconds};samesite=lax;domain=${domain}${secure}`;
    }
  };
  const inCookie = () => (domain && document.cookie.match(`(?:^|; )${COOKIE}=([^;]+)`)?.[1]) || "";
  return {
    /** @returns {Person | undefined} what was kept; the cookie is right when a page of another host wrote it */
    kept: () => {
      /** @type {Person | undefined} */
      const person = JSON.parse(store.read("visitor") || "0") || undefined;
      const id = inCookie();
      return id && id != person?.anonymousId ? { anonymousId: id } : person;
    },
    /** @param {Person} person */
    keep: (person) => {
      store.write("visitor", JSON.stringify(person));
      setCookie(person.anonymousId, YEAR_S);
    },
    forget: () => setCookie("", 0),
    /** @param {number} idleMs @returns {string} the session's id; a new one after idling */
    session: (idleMs) => {
      const [id, last] = (store.read("session") || "").split(".");
      const now = Date.now();
      const current = id && now - +last <= idleMs ? id : newId();
      store.write("session", current + "." + now);
      return current;
    },
  };
}

/**
 * FNV-1a spreads ids evenly over 32 bits.
 * @param {string} id @param {number} share @returns {boolean}
 */
export function sampled(id, share) {
  let hash = 0x811c9dc5;
  for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x1000193);
  return (hash >>> 0) / 2 ** 32 < share;
}
