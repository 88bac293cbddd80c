// Sends events with @segment/analytics-node; reads what to send as JSON from the first argument.
const { Analytics } = require("@segment/analytics-node");

const wanted = JSON.parse(process.argv[2]);
const client = new Analytics({
  writeKey: wanted.key,
  host: wanted.host,
  flushInterval: 100,
  httpRequestTimeout: wanted.timeout * 1000,
});
client.on("error", (error) => console.log("the SDK gave up:", error.code));
const track = (event, properties) => client.track({ userId: wanted.user, event, properties });
client.identify({ userId: wanted.user, traits: { plan: "pro" } });
for (let n = 0; n < wanted.count; n++) track("Sent", { n });
const odd = [NaN, Infinity, 1e300, 2 ** 53 + 2, "\ud83d", { deep: [NaN, "\udc00"] }];
(wanted.odd ? odd : []).forEach((value, at) => {
  track("Odd", { n: wanted.count + at, value });
  if (at === 2) track("Large", { value: "x".repeat(200_000) });
});
client.closeAndFlush({ timeout: 120_000 });
