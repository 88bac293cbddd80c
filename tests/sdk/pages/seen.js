// What both pages share: what they are to send, and a word to the test about every address that was loaded.
const wanted = JSON.parse(decodeURIComponent(location.hash.slice(1)));

new PerformanceObserver((list) => {
  const names = list.getEntries().map((each) => each.name);
  navigator.sendBeacon("/seen", JSON.stringify(names.filter((name) => !name.startsWith(location.origin))));
}).observe({ type: "resource", buffered: true });

async function send(identify, track) {
  identify(wanted.user, { plan: "pro" });
  for (let n = 0; n < wanted.count; n++) {
    track("Sent", { n });
    // A page's events come one after another; all at once would be a single batch.
    if (n % 10 === 9) await new Promise((go) => setTimeout(go, 100));
  }
  if (!wanted.odd) return;
  const odd = [NaN, Infinity, 1e300, 2 ** 53 + 2, "\ud83d", { deep: [NaN, "\udc00"] }];
  odd.forEach((value, at) => {
    track("Odd", { n: wanted.count + at, value });
    if (at === 2) track("Large", { value: "x".repeat(200_000) });
  });
}
