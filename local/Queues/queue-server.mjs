// SQS on the loopback address alone (fauxqs' own start function listens everywhere), with what is queued kept in a file.
// node queue-server.mjs <folder of fauxqs> [file to keep messages in]        prints its port
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , fauxqs, file] = process.argv;
const { buildApp } = await import(pathToFileURL(join(fauxqs, "dist/app.js")));
const { SqsStore } = await import(pathToFileURL(join(fauxqs, "dist/sqs/sqsStore.js")));

const kept = file && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};

class KeptQueues extends SqsStore {
  host = ""; // queue URLs carry the address that the caller used

  createQueue(name, ...rest) {
    const queue = super.createQueue(name, ...rest);
    for (const message of kept[name] ?? []) queue.enqueue(message);
    delete kept[name];
    return queue;
  }

  keep() {
    const waiting = { ...kept };
    for (const queue of this.listQueues()) {
      const { inflight, ready, delayed } = queue.inspectMessages();
      const messages = [...inflight.map((one) => one.message), ...ready, ...delayed];
      if (messages.length > 0) waiting[queue.name] = messages;
    }
    const text = JSON.stringify(waiting);
    if (text === this.last) return;
    writeFileSync(file + ".new", text, { mode: 0o600 });
    renameSync(file + ".new", file);
    this.last = text;
  }
}

const queues = new KeptQueues();
const app = buildApp({ logger: false, stores: { sqsStore: queues } });
await app.listen({ host: "127.0.0.1", port: 0 });
if (file) setInterval(() => queues.keep(), 250);
console.log(app.server.address().port);

for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => {}); // for the control plane, which ends us last; Node forgets that it was started with them ignored
process.on("SIGTERM", () => {
  if (file) queues.keep();
  process.exit(0);
});
