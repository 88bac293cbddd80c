// The events that wait, each under a name of its own, so that tabs never write over one another.

const EVENTS_MAX = 500;
const LETTERS_MAX = 1e6;
/** The server knows a repeated message id for seven days; what is older might count twice. */
const KEPT_MS = 6 * 864e5;
const MARK = "q";

/** @typedef {ReturnType<typeof queueOf>} Queue */

/** @param {import("./store.js").Store} store */
export function queueOf(store) {
  // Names sort by time: eight digits of base 36 until the year 2059, then a count, then the tab.
  const tab = Math.random().toString(36).slice(2, 8);
  let count = 0;
  /** @param {string} name */
  const timeOf = (name) => parseInt(name.slice(1, 9), 36);
  const names = () => {
    const oldest = Date.now() - KEPT_MS;
    return store.names(MARK).filter((name) => timeOf(name) > oldest || store.remove(name));
  };
  return {
    names,
    /** @param {string} name */
    own: (name) => name.endsWith(tab),
    /** @param {string} text */
    add: (text) => {
      store.write(MARK + Date.now().toString(36) + (1e5 + (count++ % 9e5)) + tab, text);
      let letters = 0;
      names().reverse().forEach((name, place) => {
        letters += (store.read(name) || "").length;
        if (place >= EVENTS_MAX || letters > LETTERS_MAX) store.remove(name);
      });
    },
  };
}
