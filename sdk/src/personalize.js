// The personalizer: which segments the visitor is in now, and a page that follows them.

import { askerOf } from "./asking.js";
import { contentOf } from "./content.js";
import { lineOf } from "./line.js";
import { sort } from "./markup.js";
import { membershipsOf } from "./memberships.js";
import { passesOf, whoIs } from "./passes.js";
import { storeOf } from "./store.js";

/** @import { Fired, Heard, Personal, PersonalOptions, Tracker } from "./types.js" */

const WAIT = "segue-wait";
const KEPT = "segments";
const TIMEOUT_MS = 1000;
/** Changes come in groups; what rests on them is asked for once. */
const SOON_MS = 10;
/** An event that names somebody is to be there before anything is asked about them; but not for ever. */
const NAMED_MS = 1000;
/** A page that nobody looks at gives its line back. */
const UNSEEN_MS = 6e4;

/**
 * Makes a page follow its visitor's segments, and gives the tracker more verbs.
 * @template {Tracker} T
 * @param {T} tracker
 * @param {PersonalOptions} [options]
 * @returns {T & Personal}
 */
export function personalize(tracker, options = {}) {
  const prefix = `segue.${options.name || ""}.`;
  const store = storeOf(prefix);
  const passes = passesOf(tracker, options, store);
  const ask = askerOf(tracker.host, passes);
  const content = contentOf(ask);
  let who = "";
  let over = false;
  let decided = false;
  /** @type {() => void} */
  let settled;
  /** @type {Promise<void>} */
  const ready = new Promise((go) => (settled = go));
  /** @type {{action: string, name: string, call: (what: any) => void}[]} */
  let callbacks = [];
  /** @type {ReturnType<typeof setTimeout>} */
  let refilling;
  /** @type {ReturnType<typeof setTimeout>} */
  let leaving;

  const show = () => {
    if (memberships.known() || over) sort(document, memberships.has);
  };

  const memberships = membershipsOf((changes, first) => {
    if (tracker.active) store.write(KEPT, JSON.stringify({ who, segments: memberships.all() }));
    show();
    // What was decided before anything was known may rest on less.
    if (first ? decided : changes.length) {
      clearTimeout(refilling);
      refilling = setTimeout(content.refresh, SOON_MS);
    }
    if (!first) for (const change of changes) tell(change.action, change.segment, change);
  });

  /** @param {string} action @param {string} name @param {any} what */
  const tell = (action, name, what) => {
    for (const each of callbacks) {
      if (each.action != action || (each.name != "*" && each.name != name)) continue;
      try {
        each.call(what);
      } catch (fault) {
        console.error(fault);
      }
    }
  };

  const read = () => memberships.read(() => ask((userId) => [`/v1/users/${encodeURIComponent(userId)}/segments`]));

  /** All is known, or it is waited for no longer: then nobody is in any segment. */
  const settle = () => {
    over = true;
    show();
    content.reveal();
    document.documentElement.classList.remove(WAIT);
    settled();
  };

  /** @param {Heard | Fired} said */
  const hear = (said) => ("fired" in said ? tell("fired", said.trigger, said) : memberships.hear(said));

  const line = lineOf({ host: tracker.host, passes, read, hear, failed: settle });

  const check = () => {
    const now = tracker.active ? whoIs(tracker) : "";
    // A page that is got ready on a guess is shown to nobody yet.
    if (now == who || /** @type {any} */ (document).prerendering) return;
    const before = who;
    who = now;
    line.end();
    const other = before.split(" ")[0] != now.split(" ")[0];
    memberships.restart(other);
    if (before) {
      passes.drop();
      store.remove(KEPT);
      if (other) content.clear();
      show();
    }
    if (!now) return settle();
    const kept = JSON.parse(store.read(KEPT) || "null");
    if (kept?.who == who) memberships.recall(kept.segments);
    line.begin();
    decide(before ? content.refresh : content.look).then(settle);
  };

  /** What is decided is to rest on no less than what is known, so that a difference later on is a change. @param {() => Promise<void>} load */
  const decide = async (load) => {
    const own = who;
    decided = false;
    if (!memberships.known()) await read().catch(() => {});
    if (own != who) return;
    decided = true;
    await load();
  };

  for (const verb of /** @type {const} */ (["identify", "alias", "reset", "consent"])) {
    const own = /** @type {(...words: any[]) => void} */ (tracker[verb]);
    /** @param {any[]} words */
    tracker[verb] = (...words) => {
      own(...words);
      if (verb == "reset" || verb == "consent") check();
      else Promise.race([tracker.flush(), new Promise((go) => setTimeout(go, NAMED_MS))]).then(check);
    };
  }
  const { track } = tracker;
  tracker.track = (event, ...more) => {
    track(event, ...more);
    if (tracker.active) content.follow(event, tracker.flush);
  };

  addEventListener("storage", ({ key }) => {
    // Said in another tab. Without a key all of the store was cleared.
    if (!key || key == prefix + "visitor" || key == prefix + "consent") check();
  });
  addEventListener("online", line.wake);
  document.addEventListener("prerenderingchange", check);
  addEventListener("pagehide", line.end);
  const resume = () => {
    clearTimeout(leaving);
    check();
    if (who && !line.held()) line.begin();
  };
  addEventListener("pageshow", ({ persisted }) => persisted && resume());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState == "visible") resume();
    else leaving = setTimeout(line.end, UNSEEN_MS);
  });
  new MutationObserver(() => {
    show();
    if (tracker.active) content.look();
  }).observe(document, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["data-segue-show", "data-segue-hide", "data-segue-slot", "data-segue-recommend"],
  });

  /** @type {Personal} */
  const verbs = {
    ready,
    get segments() {
      return memberships.all().map(([name]) => name).sort();
    },
    is: memberships.has,
    on: (/** @type {string} */ action, /** @type {string} */ name, /** @type {(what: any) => void} */ call) => {
      const own = { action, name, call };
      callbacks = [...callbacks, own];
      return () => {
        callbacks = callbacks.filter((each) => each != own);
      };
    },
    decide: (slot, context, record) => (tracker.active ? content.decide(slot, context, record) : Promise.reject(new Error("segue: no consent"))),
    refresh: () => (tracker.active ? content.refresh() : Promise.resolve()),
  };
  const found = Object.defineProperties(tracker, Object.getOwnPropertyDescriptors(verbs));
  tracker.push(...tracker.late.splice(0));

  setTimeout(settle, +(options.timeout ?? TIMEOUT_MS));
  check();
  if (!who) settle();
  return /** @type {T & Personal} */ (found);
}

const tag = [...document.querySelectorAll("script")].find((each) => each.src == import.meta.url);
if (tag) {
  const { segue } = /** @type {any} */ (window);
  // Without the tracker there is nobody to follow; the page stays what it is for everyone.
  if (segue?.track) personalize(segue, /** @type {any} */ (tag.dataset));
  else console.warn("segue: personalize.js comes after segue.js");
}
