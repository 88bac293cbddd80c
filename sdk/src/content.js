// Slots and lists of the page: asked for together, filled when the answer comes.

import { done, fill } from "./markup.js";

/** @import { Decision, Fields, Json } from "./types.js" */

const SLOT = "data-segue-slot";
const LIST = "data-segue-recommend";
const REFRESH = "data-segue-refresh";
const FILLED = `[${SLOT}],[${LIST}]`;

/**
 * @param {import("./asking.js").Ask} ask
 */
export function contentOf(ask) {
  /** @type {Map<string, Fields>} by slot, the context it is asked with */
  let wanted = new Map();
  /** @type {Promise<any> | undefined} the answer to all that is asked in one go */
  let coming;

  const send = () => {
    const slots = [...wanted.keys()];
    const context = Object.assign({ page: location.pathname, locale: navigator.language }, ...wanted.values());
    wanted = new Map();
    coming = undefined;
    return ask((user_id) => ["/v1/decide", { user_id, slots, context }]);
  };

  /** @param {string} slot @param {Fields} [context] @returns {Promise<Decision>} */
  const decide = async (slot, context) => {
    wanted.set(slot, context || {});
    coming ||= Promise.resolve().then(send);
    const { slots } = await coming;
    return { slot, ...slots[slot] };
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

  /**
   * @param {Element} element
   * @param {string} kind
   * @param {Promise<any>} answer
   * @param {(found: any) => Json[]} rowsOf
   */
  const put = async (element, kind, answer, rowsOf) => {
    questions.set(element, answer);
    try {
      const detail = await answer;
      if (questions.get(element) != answer) return;
      const drawing = new CustomEvent("segue:" + kind, { bubbles: true, cancelable: true, detail });
      // A page that draws by itself prevents it.
      if (element.dispatchEvent(drawing)) fill(element, rowsOf(detail));
    } catch (fault) {
      // What stands there stays: the page's own, or what was decided before.
      console.warn("segue:", fault);
    }
    done(element);
  };

  /** @param {Element} element @returns {Promise<void>} */
  const load = (element) => {
    const slot = element.getAttribute(SLOT);
    if (slot == null) return put(element, "recommend", recommended(element.getAttribute(LIST) || ""), ({ items }) => items);
    return put(element, "slot", decide(slot), ({ variant, payload }) => {
      element.setAttribute("data-segue-variant", variant || "");
      return payload == null ? [] : [payload];
    });
  };

  /** @type {WeakMap<Element, string>} */
  let seen = new WeakMap();
  /** @returns {Element[]} */
  const all = () => [...document.querySelectorAll(FILLED)];
  /** @param {Element[]} elements */
  const loaded = async (elements) => void (await Promise.all(elements.map(load)));

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
    refresh: () => loaded(all()),
    /** @param {string} event those that name it */
    follow: (event) =>
      loaded(all().filter((each) => (each.getAttribute(REFRESH) || "").split(",").some((name) => name.trim() == event))),
    /** Brings back the page's own content; nobody's content stays for somebody else. */
    clear: () => {
      seen = new WeakMap();
      for (const element of all()) {
        questions.delete(element);
        fill(element, []);
      }
    },
    /** What was not answered yet is waited for no longer. */
    reveal: () => all().forEach(done),
  };
}
