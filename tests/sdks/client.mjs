// One of the SDKs from npm: sends as many events as each line of its input says, and at the end what became of them.
import { createInterface } from "node:readline";
import { Analytics } from "@segment/analytics-node";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const [sdk, host, writeKey] = process.argv.slice(2);
const taken = [], failed = [], told = [];
const clients = {
  "segment-node": () => new Analytics({ host, writeKey, flushAt: 20, flushInterval: 100, maxRetries: 20 }),
  "rudder-node": () => new RudderAnalytics(writeKey, { dataPlaneUrl: host, flushAt: 20, flushInterval: 100, retryCount: 20, logLevel: "silly" }),
};
const client = clients[sdk]();
let sent = 0;

function send() {
  const messageId = `${sdk}-${sent++}`;
  told.push(new Promise((done) => {
    client.track({ userId: "ann", event: "Product Viewed", messageId, properties: { sku: "SKU-1" } }, (error) => {
      (error ? failed : taken).push(messageId);
      done();
    });
  }));
}

for await (const line of createInterface({ input: process.stdin })) for (let n = 0; n < Number(line); n++) send();
await client.flush();
await Promise.all(told);
console.log(JSON.stringify({ taken, failed }));
process.exit(0);
