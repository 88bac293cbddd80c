// The segments somebody is in: read as a whole, then kept true by what is heard.

/** @import { Change, Heard } from "./types.js" */

/** @typedef {Map<string, string>} Inside names of segments, and since when */

/** @param {Inside} state @param {Heard} change */
function turn(state, { segment, action, at }) {
  if (action == "left") state.delete(segment);
  else if (!state.has(segment)) state.set(segment, at);
}

/** @param {(changes: Change[], first: boolean) => void} told called after each reading, and after what changed something */
export function membershipsOf(told) {
  /** @type {Inside} */
  let inside = new Map();
  let known = false;
  /** How often it was begun anew, and how often was read. */
  let lives = 0;
  let readings = 0;
  /** What is heard while the state is read: the answer may be older. @type {Heard[]} */
  let meanwhile = [];

  /** @param {Inside} next @param {Heard} [heard] what it comes from */
  const become = (next, heard) => {
    /** @type {Change[]} */
    const changes = [];
    for (const [segment, at] of next) if (!inside.has(segment)) changes.push({ segment, action: "entered", at, ...heard });
    for (const segment of inside.keys()) if (!next.has(segment)) changes.push({ segment, action: "left", ...heard });
    const first = !known;
    inside = next;
    known = true;
    if (changes.length || !heard) told(changes, first);
  };

  return {
    /** @param {string} segment */
    has: (segment) => inside.has(segment),
    /** @returns {[string, string][]} */
    all: () => [...inside],
    known: () => known,
    /** @param {[string, string][]} kept what was so when the page before went */
    recall: (kept) => become(new Map(kept)),
    /** Somebody else, or the same under another name. @param {boolean} empty whether nothing of it may stay */
    restart: (empty) => {
      lives++;
      known = false;
      if (empty) inside = new Map();
    },
    /** @param {() => Promise<any>} ask @returns {Promise<void>} when it was taken over, or a later reading is to be waited for */
    read: async (ask) => {
      const own = ++readings;
      const life = lives;
      meanwhile = [];
      const { segments } = await ask();
      // A later reading knows more; but something is better than nothing.
      if (life != lives || (known && own != readings)) return;
      const next = new Map(segments.map((/** @type {any} */ { name, since }) => [name, since]));
      for (const change of meanwhile) turn(next, change);
      become(next);
    },
    /** @param {Heard} change */
    hear: (change) => {
      meanwhile.push(change);
      if (!known) return;
      const next = new Map(inside);
      turn(next, change);
      become(next, change);
    },
  };
}
