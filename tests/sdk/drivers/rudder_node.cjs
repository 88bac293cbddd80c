// Sends events with @rudderstack/rudder-sdk-node; reads what to send as JSON from the first argument.
const Analytics = require("@rudderstack/rudder-sdk-node");

const wanted = JSON.parse(process.argv[2]);
const client = new Analytics(wanted.key, {
  dataPlaneUrl: wanted.host,
  flushInterval: 100,
  logLevel: "none",
  axiosConfig: { timeout: wanted.timeout * 1000 },
  errorHandler: (error) => console.log("the SDK gave up:", error.code || error.message),
});
const track = (event, properties) => client.track({ userId: wanted.user, event, properties });

async function main() {
  client.identify({ userId: wanted.user, traits: { plan: "pro" } });
  for (let n = 0; n < wanted.count; n++) {
    track("Sent", { n });
    if (wanted.pace) await new Promise((go) => setTimeout(go, wanted.pace * 1000));
    // The SDK measures its whole queue at every event: a long one takes hours.
    while (n % 200 === 199 && client.queue.length) await client.flush();
  }
  const odd = [NaN, Infinity, 1e300, 2 ** 53 + 2, "\ud83d", { deep: [NaN, "\udc00"] }];
  (wanted.odd ? odd : []).forEach((value, at) => {
    track("Odd", { n: wanted.count + at, value });
    if (at === 2) track("Large", { value: "x".repeat(200_000) });
  });
}

main();
