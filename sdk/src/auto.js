// Events from attributes of the page: clicks, submits, what was seen, how far was scrolled.

/** @import { Fields, Tracker } from "./types.js" */

const NAME = "data-segue-track";
const VALUE = "data-segue-prop-";
const SCROLL = "data-segue-scroll";
/** Half of an element in sight for a second has been seen. */
const SEEN_SHARE = 0.5;
const SEEN_MS = 1000;
const FOLLOW_MS = 100;

/** @param {Element} element @returns {Fields} what its attributes say, and those of its form that it names */
function propertiesOf(element) {
  /** @type {Fields} */
  let found = {};
  try {
    found = JSON.parse(element.getAttribute("data-segue-props") || "{}");
  } catch {
    console.warn("segue: data-segue-props is no JSON", element);
  }
  for (const { name, value } of element.attributes) {
    if (name.startsWith(VALUE)) found[name.slice(VALUE.length).replace(/-/g, "_")] = value;
  }
  const fields = (element.getAttribute("data-segue-fields") || "").split(/\s+/).filter(Boolean);
  if (element instanceof HTMLFormElement && fields.length) {
    const filled = new FormData(element);
    for (const field of fields) {
      const secret = element.querySelector(`[name="${CSS.escape(field)}"][type=password]`);
      const values = filled.getAll(field).filter((value) => typeof value == "string");
      if (values.length && !secret) found[field] = values.length > 1 ? values : values[0];
    }
  }
  return found;
}

/** @param {Element} element @returns {string} what has to happen to it: `click`, `submit` or `view` */
const triggerOf = (element) =>
  element.getAttribute("data-segue-on") || (element instanceof HTMLFormElement ? "submit" : "click");

/**
 * Follows the attributes of the page, also of elements that come later.
 * @param {Tracker} tracker
 * @param {Document} [root]
 * @returns {() => void} ends it
 */
export function capture(tracker, root = document) {
  const ending = new AbortController();
  /** @type {AddEventListenerOptions} the page's own handlers may stop an event, or take the element away */
  const early = { capture: true, passive: true, signal: ending.signal };

  /** @param {Element} element */
  const send = (element) => tracker.track(element.getAttribute(NAME) || "", propertiesOf(element));

  for (const kind of ["click", "submit"]) {
    root.addEventListener(
      kind,
      ({ target }) => {
        for (let each = target instanceof Element ? target.closest(`[${NAME}]`) : null; each; ) {
          if (triggerOf(each) == kind) send(each);
          each = each.parentElement && each.parentElement.closest(`[${NAME}]`);
        }
      },
      early,
    );
  }

  /** @type {Map<Element, ReturnType<typeof setTimeout>>} */
  const looking = new Map();
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, intersectionRatio, intersectionRect, rootBounds } of entries) {
        clearTimeout(looking.get(target));
        looking.delete(target);
        // An element taller than the window cannot show half of itself.
        const fills = !!rootBounds && intersectionRect.height >= rootBounds.height * SEEN_SHARE;
        if (!isIntersecting || (intersectionRatio < SEEN_SHARE && !fills)) continue;
        const seen = () => {
          looking.delete(target);
          sight.unobserve(target);
          if (target.isConnected) send(target);
        };
        looking.set(target, setTimeout(seen, SEEN_MS));
      }
    },
    { threshold: [0, 0.1, 0.25, SEEN_SHARE, 1] },
  );
  /** @type {WeakSet<Element>} */
  const known = new WeakSet();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let awaited;
  const follow = () => {
    awaited = undefined;
    for (const each of root.querySelectorAll(`[${NAME}][data-segue-on=view]`)) {
      if (!known.has(each)) sight.observe(each);
      known.add(each);
    }
  };

  /** @type {Map<Element, {url: string, deepest: number}>} */
  const depths = new Map();
  let planned = false;
  const measure = () => {
    planned = false;
    for (const each of root.querySelectorAll(`[${SCROLL}]`)) {
      const url = location.href.split("#")[0];
      let state = depths.get(each);
      if (state?.url != url) depths.set(each, (state = { url, deepest: 0 }));
      const { top, height } = each.getBoundingClientRect();
      const depth = height > 0 ? Math.min(100, ((innerHeight - top) / height) * 100 + 0.5) : 0;
      const steps = (each.getAttribute(SCROLL) || "25 50 75 100").split(/\s+/).map(Number);
      for (const step of steps.sort((a, b) => a - b)) {
        if (!(step > state.deepest && step <= depth)) continue;
        state.deepest = step;
        tracker.track(each.getAttribute("data-segue-scroll-event") || "Page Scrolled", { ...propertiesOf(each), depth: step });
      }
    }
  };
  const plan = () => {
    planned ||= !!requestAnimationFrame(measure);
  };
  root.addEventListener("scroll", plan, early);

  const changes = new MutationObserver(() => (awaited ||= setTimeout(follow, FOLLOW_MS)));
  changes.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: [NAME, "data-segue-on"] });
  follow();

  return () => {
    ending.abort();
    changes.disconnect();
    sight.disconnect();
    looking.forEach((timer) => clearTimeout(timer));
    clearTimeout(awaited);
  };
}

if ([...document.querySelectorAll("script")].some((each) => each.src == import.meta.url)) {
  capture(/** @type {any} */ (window).segue);
}
