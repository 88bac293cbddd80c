import type { Options, Tracker } from "./types.js";
/**
 * Starts a tracker.
 * @param {string} writeKey
 * @param {Options} [options]
 * @returns {Tracker}
 */
export declare function load(writeKey: string, options?: Options): Tracker;
