// The tracker: verbs in, events out, and nothing at all before it may be.

import { pagesOf, surroundings, watch } from "./page.js";
import { queueOf } from "./queue.js";
import { senderOf } from "./sender.js";
import { storeOf } from "./store.js";
import { newId, sampled, visitorOf } from "./visitor.js";

/** @import { Event, Extra, Options, Tracker } from "./types.js" */

const HELD_MAX = 500;
/** What stands in the store when consent was given or withdrawn. */
const GIVEN = "yes";
const WITHDRAWN = "no";

/**
 * Starts a tracker.
 * @param {string} writeKey
 * @param {Options} [options]
 * @returns {Tracker}
 */
export function load(writeKey, options = {}) {
  const { consent = "given", pages = "auto", sample = 1, session = 30, signals } = options;
  const host = (options.host || new URL(import.meta.url).origin).replace(/\/$/, "");
  const store = storeOf(`segue.${options.name || ""}.`);
  const queue = queueOf(store);
  const sender = senderOf(host + "/v1/batch", writeKey, store, queue);
  const visitor = visitorOf(store, options.cookie);
  const page = pagesOf(pages == "hash");
  const refused = signals != "ignore" && (navigator.doNotTrack == "1" || /** @type {any} */ (navigator).globalPrivacyControl);

  /** @type {import("./visitor.js").Person} */
  let person = { anonymousId: newId() };
  /** @type {Event[]} */
  let held = [];
  let open = false;
  let holding = consent == "wait";

  /** Another tab may have identified somebody, or somebody else. */
  const current = () => (person = (open && visitor.kept()) || person);

  /** @param {Event} event */
  const keep = (event) => {
    if (!sampled(event.anonymousId, +sample)) return;
    event.context.sessionId ||= visitor.session(+session * 6e4);
    queue.add(JSON.stringify(event));
    sender.soon();
  };

  /** @param {Event["type"]} type @param {object} fields @param {Extra} [extra] */
  const emit = (type, fields, extra) => {
    if (!open && !holding) return;
    try {
      /** @type {Event} */
      const event = {
        type,
        messageId: newId(),
        timestamp: new Date().toISOString(),
        ...current(),
        ...fields,
        ...extra,
        context: { page: page.fields(), ...surroundings(), ...extra?.context },
      };
      const kept = options.before ? options.before(event) : event;
      if (kept === null) return;
      if (open) keep(kept || event);
      else if (held.push(kept || event) > HELD_MAX) held.shift();
    } catch (fault) {
      // A page must not break because it is watched.
      console.warn("segue:", fault);
    }
  };

  const start = () => {
    open = true;
    holding = false;
    const first = person.anonymousId;
    visitor.keep(current());
    held.forEach((event) => {
      if (event.anonymousId == first) event.anonymousId = person.anonymousId;
      keep(event);
    });
    held = [];
    sender.flush();
  };

  const stop = () => {
    open = holding = false;
    held = [];
    sender.halt();
    store.clear();
    visitor.forget();
    person = { anonymousId: newId() };
    // Where tracking is on unless refused, the refusal is what has to be remembered.
    if (consent == "given" && !refused) store.write("consent", WITHDRAWN);
  };

  /** @param {import("./visitor.js").Person} next */
  const become = (next) => {
    person = next;
    if (open) visitor.keep(next);
  };

  /** @type {Tracker} */
  const tracker = {
    host,
    writeKey,
    get anonymousId() {
      return current().anonymousId;
    },
    get userId() {
      return current().userId;
    },
    get sessionId() {
      return store.read("session")?.split(".")[0];
    },
    track: (event, properties = {}, extra) => emit("track", { event, properties }, extra),
    identify: (userId, traits, extra) => {
      if (typeof userId == "object") traits = userId || traits;
      else if (userId !== undefined) become({ ...current(), userId: "" + userId });
      emit("identify", { traits: traits || {} }, extra);
    },
    page: (name, properties, extra) => {
      if (typeof name == "object") [name, properties] = [undefined, name];
      emit("page", { name, properties: { ...page.fields(), name, ...properties } }, extra);
    },
    group: (groupId, traits = {}, extra) => emit("group", { groupId: "" + groupId, traits }, extra),
    alias: (userId, previousId, extra) => {
      const { anonymousId, userId: known } = current();
      become({ anonymousId, userId: "" + userId });
      emit("alias", { previousId: "" + (previousId ?? known ?? anonymousId) }, extra);
    },
    reset: () => {
      store.remove("session");
      become({ anonymousId: newId() });
    },
    consent: (given) => {
      if (refused) return;
      if (given) {
        if (!open) start();
        // Last: other tabs begin when they read it, and have to find the visitor there.
        store.write("consent", GIVEN);
      } else {
        stop();
      }
    },
    flush: async () => {
      if (open) await sender.flush();
    },
    late: [],
    get active() {
      return open && sampled(current().anonymousId, +sample);
    },
    push: (...calls) =>
      calls.forEach((call) => {
        const verb = /** @type {any} */ (tracker)[call[0]];
        if (verb) verb(...call.slice(1));
        else if (tracker.late.length < HELD_MAX) tracker.late.push(call);
      }),
  };

  const look = () => {
    if (page.moved() && pages != "off") tracker.page();
  };

  const begin = () => {
    const said = store.read("consent");
    if (said == GIVEN || (said != WITHDRAWN && consent == "given")) start();
    else if (said == WITHDRAWN) holding = false;
    if (pages != "off") {
      const { prerendering } = /** @type {any} */ (document);
      if (prerendering) document.addEventListener("prerenderingchange", () => tracker.page(), { once: true });
      else tracker.page();
    }
    addEventListener("pageshow", ({ persisted }) => {
      if (!persisted) return;
      sender.resume();
      if (pages != "off") tracker.page();
    });
    watch(look);
    /** @param {boolean} final */
    const leave = (final) => {
      look();
      sender.leave(final);
    };
    addEventListener("pagehide", () => leave(true));
    document.addEventListener("visibilitychange", () => document.visibilityState == "hidden" && leave(false));
    addEventListener("online", sender.resume);
    addEventListener("storage", ({ key, newValue }) => {
      // Said in another tab. Without a key all of the store was cleared.
      if (key != null && key != `segue.${options.name || ""}.consent`) return;
      if (newValue == GIVEN) open || start();
      else if (open && (consent != "given" || newValue == WITHDRAWN)) stop();
    });
  };

  if (refused) stop();
  else begin();
  return tracker;
}

const tag = [...document.querySelectorAll("script")].find((each) => each.src == import.meta.url && each.dataset.writeKey);
if (tag) {
  const page = /** @type {any} */ (window);
  const calls = page.segue;
  page.segue = load(/** @type {string} */ (tag.dataset.writeKey), /** @type {any} */ (tag.dataset));
  if (Array.isArray(calls)) page.segue.push(...calls);
}
