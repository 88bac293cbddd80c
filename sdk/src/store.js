// What is kept in the browser, under one prefix; in memory where the browser keeps nothing for us.

/** @typedef {ReturnType<typeof storeOf>} Store */

/** @param {string} prefix */
export function storeOf(prefix) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  /** A sandboxed frame refuses even the name. @template T @param {(kept: Storage) => T} use */
  const safely = (use) => {
    try {
      return use(localStorage);
    } catch {
      return undefined;
    }
  };
  /** @param {string} start @returns {string[]} in order */
  const names = (start) =>
    [...memory.keys(), ...(safely((kept) => Object.keys(kept)) || []).map((key) => key.startsWith(prefix) ? key.slice(prefix.length) : "")]
      .filter((name) => name && name.startsWith(start))
      .sort();
  /** @param {string} name */
  const remove = (name) => {
    memory.delete(name);
    safely((kept) => kept.removeItem(prefix + name));
  };
  return {
    names,
    remove,
    /** @param {string} name @returns {string | null | undefined} */
    read: (name) => memory.get(name) ?? safely((kept) => kept.getItem(prefix + name)),
    /** @param {string} name @param {string} text */
    write: (name, text) => {
      if (!safely((kept) => (kept.setItem(prefix + name, text), true))) memory.set(name, text);
    },
    clear: () => names("").forEach(remove),
  };
}
