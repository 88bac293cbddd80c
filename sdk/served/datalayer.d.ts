import type { Tracker } from "./types.js";
export type LayerOptions = {
    layer?: string | unknown[];
    names?: {
        [name: string]: string;
    };
};
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
export declare function listen(tracker: Tracker, { layer, names }?: LayerOptions): () => void;
