/** Where a thread of the relay starts: a worker of its own, the other threads beside it, and the head that tells it what to do. */
import { setImmediate } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { collectDefaultMetrics, Registry } from "prom-client";
import { systemClock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { PassTable } from "../tunnel/pass-table.ts";
import { Routing } from "../edge/routing.ts";
import { createWorker } from "../worker.ts";
import { HopDoor } from "./hop-door.ts";
import type { Command, ThreadEvent, ThreadStart } from "./messages.ts";
import { postedLog } from "./posted-log.ts";
import { SharedCounts } from "./counts.ts";
import { Siblings } from "./siblings.ts";

if (!parentPort) throw new AppError("internal", "This is a part of a relay and starts with it.");
const head = parentPort;
const { thread, config, identity, passes, counts, ticketSecret, hopSecret } = workerData as ThreadStart;
const clock = systemClock;
const tell = (event: ThreadEvent): void => head.postMessage(event);
const { log, flush } = postedLog(config.logLevel, (lines) => tell({ type: "logged", lines }));

const siblings = new Siblings(hopSecret);
const worker = createWorker({
  config,
  identity,
  routing: new Routing(),
  fetch,
  clock,
  random: Math.random,
  log,
  team: {
    workers: config.workers,
    table: new PassTable(passes, thread),
    ticketSecret,
    onOpened: (control) => siblings.open(control),
    onMissing: () => siblings.catchUp(),
  },
});
const hops = new HopDoor({
  secret: hopSecret,
  open: (id) => {
    const link = worker.keeper.controls.get(id)?.admitted.link;
    return link?.closed === false ? link.open() : undefined;
  },
  idleMs: 2 * config.limits.idleMs,
  clock,
});
new SharedCounts(counts).write(thread, () => worker.counts);
const own = new Registry();
collectDefaultMetrics({ register: own });

head.on("message", (command: Command) => {
  obey(command).catch((error: unknown) => tell({ type: "failed", detail: errorText(error) }));
});
tell({ type: "ready", hopPort: await hops.listen() });

async function obey(command: Command): Promise<void> {
  switch (command.type) {
    case "sibling":
      return siblings.add(command.thread, command, worker.keeper);
    case "sibling-ended":
      return siblings.remove(command.thread);
    case "take":
      return worker.take(command.message);
    case "take-fleet":
      return worker.takeFleet(command.fleet);
    case "inform":
      return worker.inform();
    case "listen":
      await siblings.joined();
      return tell({
        type: "listening",
        port: await worker.listen({ ...config.listen, port: command.port, reusePort: true }),
      });
    case "measure":
      return tell({ type: "measured", ask: command.ask, metrics: await measure() });
    case "refuse-tunnels":
      return worker.refuseTunnels(command.goaway);
    case "announce":
      return worker.announce(command.goaway, AbortSignal.timeout(config.limits.drainMs));
    case "close":
      worker.close(command.goaway);
      await worker.emptied();
      return tell({ type: "emptied" });
    case "stop":
      hops.destroy();
      await worker[Symbol.asyncDispose]();
      await worker.emptied();
      await setImmediate(); // each says how it ended
      flush();
      return tell({ type: "stopped" });
  }
}

async function measure(): Promise<Extract<ThreadEvent, { type: "measured" }>["metrics"]> {
  const [[ofWorker = []], ofThread] = await Promise.all([worker.metrics(), own.getMetricsAsJSON()]);
  return [...ofWorker, ...ofThread.filter(({ name }) => /^nodejs_(?!version)/.test(name))];
}
