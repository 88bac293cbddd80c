// Events from a data layer: what a page pushes for a tag manager is tracked as well.

/** @import { Tracker } from "./types.js" */

/**
 * What may be passed: the array or its name, and other names for events.
 * @typedef {{layer?: string | unknown[], names?: {[name: string]: string}}} LayerOptions
 */

/**
 * Tracks what is in the layer and whatever comes to it.
 * @param {Tracker} tracker
 * @param {LayerOptions} [options]
 * @returns {() => void} ends it
 */
export function listen(tracker, { layer = "dataLayer", names = {} } = {}) {
  const page = /** @type {any} */ (window);
  /** @type {any[]} */
  const list = typeof layer == "string" ? (page[layer] ||= []) : layer;
  let on = true;

  /** @param {any} entry */
  const take = (entry) => {
    if (!on || !entry) return;
    // gtag() pushes its arguments: "event", a name, and parameters.
    const called = typeof entry == "object" && entry[0] == "event";
    const name = called ? entry[1] : entry.event;
    // The tag manager's own messages are no events of a visitor.
    if (typeof name != "string" || name.startsWith("gtm.")) return;
    const { event, eventCallback, eventTimeout, "gtm.uniqueEventId": number, ...properties } = called ? { ...entry[2] } : entry;
    tracker.track(Object.hasOwn(names, name) ? names[name] : name, properties);
  };

  list.forEach(take);
  const own = list.push;
  list.push = function (...entries) {
    const length = own.apply(list, entries);
    entries.forEach(take);
    return length;
  };
  return () => {
    on = false;
  };
}

const tag = [...document.querySelectorAll("script")].find((each) => each.src == import.meta.url);
if (tag) {
  listen(/** @type {any} */ (window).segue, { layer: tag.dataset.layer, names: JSON.parse(tag.dataset.names || "{}") });
}
