import type { Personal, PersonalOptions, Tracker } from "./types.js";
/**
 * Makes a page follow its visitor's segments, and gives the tracker more verbs.
 * @template {Tracker} T
 * @param {T} tracker
 * @param {PersonalOptions} [options]
 * @returns {T & Personal}
 */
export declare function personalize<T extends Tracker>(tracker: T, options?: PersonalOptions): T & Personal;
