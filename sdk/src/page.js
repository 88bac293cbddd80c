// The page an event happens on, and when another takes its place.

/** @param {boolean} fragments whether a fragment is part of a page's address */
export function pagesOf(fragments) {
  let before = document.referrer;
  const address = () => (fragments ? location.href : location.href.split("#")[0]);
  let here = address();
  return {
    /** @returns {import("./types.js").Fields} */
    fields: () => ({
      path: location.pathname,
      referrer: before,
      search: location.search,
      title: document.title,
      url: address(),
    }),
    /** @returns {boolean} whether the address is another than at the last look */
    moved: () => {
      if (here == address()) return false;
      before = here;
      here = address();
      return true;
    },
  };
}

/** @param {() => void} look called after each change of the address */
export function watch(look) {
  // The title is often set after the address.
  const soon = () => setTimeout(look);
  for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
    const own = history[name];
    history[name] = function (...words) {
      own.apply(this, words);
      soon();
    };
  }
  addEventListener("popstate", soon);
}

/** That of the package; a test holds them together. */
const VERSION = "0.1.0";

/** What every event says of its surroundings. @returns {import("./types.js").Fields} */
export function surroundings() {
  /** @type {import("./types.js").Fields} */
  const campaign = {};
  new URLSearchParams(location.search).forEach((value, key) => {
    if (key.startsWith("utm_")) campaign[key == "utm_campaign" ? "name" : key.slice(4)] = value;
  });
  return {
    ...(Object.keys(campaign).length && { campaign }),
    library: { name: "segue.js", version: VERSION },
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    userAgent: navigator.userAgent,
  };
}
