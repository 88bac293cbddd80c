// Slots and lists of the page: asked for together, filled when the answer comes.

import { done, fill } from "./markup.js";

/** @import { Decision, Fields, Json } from "./types.js" */

const SLOT = "data-segue-slot";
const LIST = "data-segue-recommend";
const REFRESH = "data-segue-refresh";
const FILLED = `[${SLOT}],[${LIST}]`;

/** @returns {Fields} what audiences read as `request.` */
const surroundings = () => ({
  page: { path: location.pathname, search: location.search, title: document.title, url: location.href, referrer: document.referrer },
  device: /Mobi/.test(navigator.userAgent) ? "mobile" : "desktop",
  locale: navigator.language,
});

/** @param {Json} payload @returns {Json[]} none for what says that there is nothing */
const rowsOf = (payload) =>
  payload == null || (typeof payload == "object" && !Object.keys(payload).length) ? [] : [payload];

/**
 * @param {import("./asking.js").Ask} ask
 */
export function contentOf(ask) {
  /** What is asked in one go, by whether what is shown counts as shown. @type {Map<boolean, {contexts: Map<string, Fields>, answer: Promise<any>}>} */
  const batches = new Map();

  /** @param {string[]} slots @param {object} more @returns {Promise<any>} */
  const asked = async (slots, more) => (await ask((user_id) => ["/v1/decide", { user_id, slots, ...more }])).slots;

  /** @param {boolean} record */
  const send = async (record) => {
    const { contexts } = /** @type {{contexts: Map<string, Fields>}} */ (batches.get(record));
    batches.delete(record);
    const slots = [...contexts.keys()];
    const context = Object.assign(surroundings(), ...contexts.values());
    try {
      return await asked(slots, { context, record });
    } catch (fault) {
      if (/** @type {any} */ (fault).status != 404 || slots.length < 2) throw fault;
      // One slot that nobody fills must not leave the others empty.
      const found = await Promise.allSettled(slots.map((slot) => asked([slot], { context, record })));
      return Object.assign({}, ...found.map((each) => (each.status == "fulfilled" ? each.value : {})));
    }
  };

  /** @param {string} slot @param {Fields} [context] @param {boolean} [record] @returns {Promise<Decision>} */
  const decide = async (slot, context = {}, record = true) => {
    let batch = batches.get(record);
    if (!batch) batches.set(record, (batch = { contexts: new Map(), answer: Promise.resolve().then(() => send(record)) }));
    batch.contexts.set(slot, context);
    const found = (await batch.answer)[slot];
    if (!found) throw new Error("no slot " + slot);
    return { slot, ...found };
  };

  /** @param {string} said @returns {Promise<any>} */
  const recommended = (said) => {
    const more = JSON.parse(said || "{}");
    return ask((user_id) => [
      "/v1/personalized-recommendations",
      { user_id, ...(typeof more == "number" ? { count: more } : more) },
    ]);
  };

  /** @type {WeakMap<Element, object>} the last question for an element: the answer to an older one comes too late */
  const questions = new WeakMap();
  /** @type {WeakMap<Element, string>} what was decided when an element was filled */
  const shown = new WeakMap();

  /** @param {Decision} decision @returns {string} what makes it another one; the page may not see why somebody is held out */
  const markOf = ({ experience, variant, payload, passed }) =>
    JSON.stringify([experience, variant, payload, /** @type {any[]} */ (passed || []).filter(({ why }) => why == "holdout")]);

  /** @param {Element} element @param {Decision} decision @returns {boolean} whether it is shown already, and nothing but its being shown speaks against it */
  const stays = (element, decision) => {
    const [experience, variant] = JSON.parse(shown.get(element) || "[]");
    return /** @type {any[]} */ (decision.passed || []).some(
      (each) => each.why == "cap" && each.experience == experience && each.variant == variant,
    );
  };

  /** @param {Element} element @param {string} kind @param {any} detail @param {Json[]} rows */
  const draw = (element, kind, detail, rows) => {
    const drawing = new CustomEvent("segue:" + kind, { bubbles: true, cancelable: true, detail });
    // A page that draws by itself prevents it.
    if (element.dispatchEvent(drawing)) fill(element, rows);
  };

  /** @param {Element} element @param {boolean} record */
  const loadSlot = async (element, record) => {
    const answer = decide(element.getAttribute(SLOT) || "", {}, record);
    questions.set(element, answer);
    const decision = await answer;
    const mark = markOf(decision);
    if (questions.get(element) != answer || mark == shown.get(element) || stays(element, decision)) return;
    shown.set(element, mark);
    element.setAttribute("data-segue-variant", decision.variant || "");
    draw(element, "slot", decision, rowsOf(decision.payload));
    if (!record) await loadSlot(element, true);
  };

  /** @param {Element} element */
  const loadList = async (element) => {
    const answer = recommended(element.getAttribute(LIST) || "");
    questions.set(element, answer);
    const found = await answer;
    if (questions.get(element) == answer) draw(element, "recommend", found, found.items);
  };

  /** @param {Element} element @param {boolean} [again] */
  const load = async (element, again) => {
    try {
      if (element.hasAttribute(SLOT)) await loadSlot(element, !(again && shown.has(element)));
      else await loadList(element);
    } catch (fault) {
      // What stands there stays: the page's own, or what was decided before.
      console.warn("segue:", fault);
    }
    done(element);
  };

  /** @type {WeakMap<Element, string>} */
  let seen = new WeakMap();
  /** @returns {Element[]} */
  const all = () => [...document.querySelectorAll(FILLED)];
  /** @param {Element[]} elements @param {boolean} [again] */
  const loaded = async (elements, again) => void (await Promise.all(elements.map((each) => load(each, again))));

  return {
    decide,
    /** Those that came since the last look, or ask for something else now. */
    look: () =>
      loaded(
        all().filter((element) => {
          const name = element.getAttribute(SLOT) + " " + element.getAttribute(LIST);
          const is = seen.get(element) != name;
          seen.set(element, name);
          return is;
        }),
      ),
    refresh: () => loaded(all(), true),
    /** @param {string} event those that name it @param {() => Promise<void>} taken when it is */
    follow: async (event, taken) => {
      const named = (/** @type {Element} */ each) =>
        (each.getAttribute(REFRESH) || "").split(",").some((name) => name.trim() == event);
      if (!all().some(named)) return;
      await taken();
      await loaded(all().filter(named), true);
    },
    /** Brings back the page's own content; nobody's content stays for somebody else. */
    clear: () => {
      seen = new WeakMap();
      for (const element of all()) {
        questions.delete(element);
        shown.delete(element);
        fill(element, []);
      }
    },
    /** What was not answered yet is waited for no longer. */
    reveal: () => all().forEach(done),
  };
}
