#!/usr/bin/env node
/** Starts a relay with the settings of its environment and of a file; relay/config.ts lists them. */
import process from "node:process";
import { systemClock } from "../shared/clock.ts";
import { errorText } from "../shared/errors.ts";
import { jsonLog } from "../shared/log.ts";
import { LineWriter } from "../shared/nodejs/line-writer.ts";
import { readOrCreateIdentity } from "../shared/nodejs/identity-file.ts";
import { aborted, onTermination } from "../shared/nodejs/termination.ts";
import { collectBuffersYoung } from "../shared/nodejs/young-buffers.ts";
import { version } from "../shared/version.ts";
import { readConfig } from "./config.ts";
import { readOptions, usage } from "./options.ts";
import { startRelay } from "./relay.ts";

/** How long the launcher waits for the edge before it is told that the relay is ready without it. */
const informedMs = 5_000;

collectBuffersYoung();
const clock = systemClock;
const stop = onTermination();

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const config = readConfig(options.environment);
  if (options.checkConfig) {
    process.stdout.write(`${JSON.stringify(config, null, 2)}\n`);
    process.exit(0);
  }
  const lines = new LineWriter((text) => process.stdout.write(text));
  process.once("exit", () => lines.flush());
  const log = jsonLog({ process: "relay", level: config.logLevel, clock, write: (line) => lines.write(line) });
  const identity = await readOrCreateIdentity(config.identityFile, clock.now());

  await using relay = await startRelay({ config, identity, version, fetch, clock, random: Math.random, log });
  const { port, privatePort } = relay;
  log.info("relay.started", { relay: identity.id, name: config.name, port, privatePort, version });
  const informed = relay.informed.then(() => true);
  if (!(await Promise.race([informed, clock.sleep(informedMs, stop).then(() => false)])))
    log.warn("edge.missed", { edge: config.edge, waitedMs: informedMs });
  process.send?.({ ready: true, port, privatePort, relay: identity.id });

  await aborted(stop);
  log.info("relay.draining", { reason: errorText(stop.reason) });
  await relay.drain();
  log.info("relay.stopped");
  process.exitCode = 0;
} catch (error) {
  if (!stop.aborted) {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 1;
  }
}
