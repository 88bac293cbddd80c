import type { Tracker } from "./types.js";
/**
 * Follows the attributes of the page, also of elements that come later.
 * @param {Tracker} tracker
 * @param {Document} [root]
 * @returns {() => void} ends it
 */
export declare function capture(tracker: Tracker, root?: Document): () => void;
