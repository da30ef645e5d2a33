/** `postern watch` from its wishes to its end. */
import { join } from "node:path";
import { setMaxListeners } from "node:events";
import { systemClock } from "../../../shared/clock.ts";
import { createDohServer } from "../../../shared/dns/doh.ts";
import { jsonLog } from "../../../shared/log.ts";
import { CaaWatch } from "./caa-watch.ts";
import { CertificateJudge } from "./certificate-judge.ts";
import { KnownKeys, type AskNode, type AttestedKeys } from "./known-keys.ts";
import { openLog, type LogSpec } from "./log-spec.ts";
import { LogWatch } from "./log-watch.ts";
import { createLogHttp } from "./log/log-http.ts";
import { openMemory } from "./memory.ts";
import { Outbox } from "./outbox.ts";
import { createVoice } from "./voice.ts";
import { Watcher, type WatchVerdict } from "./watcher.ts";
import type { Webhook } from "./webhook.ts";

export const memoryFileName = "watch.json";

export interface WatchWish {
  readonly names: readonly string[];
  readonly logs: readonly LogSpec[];
  readonly from: "now" | number;
  /** SHA-256 of SubjectPublicKeyInfos, hex: good for every name. */
  readonly expected: readonly string[];
  readonly ask: AskNode | undefined;
  /** What was attested according to proof files. */
  readonly proved: readonly { readonly name: string; readonly keys: AttestedKeys }[];
  /** Whether a simulator's word counts. */
  readonly simulated: boolean;
  readonly accounts: readonly string[];
  /** DNS over HTTPS; none: CAA is not watched. */
  readonly resolvers: readonly string[];
  readonly webhook: Webhook | undefined;
  readonly entriesPerSecond: number;
  readonly everyMs: number;
  readonly once: boolean;
  /** Where the memory is kept. */
  readonly state: string;
}

/** Watches once, or until the signal aborts. Alerts go to stdout, all else to stderr, as JSON lines. */
export async function runWatch(wish: WatchWish, signal: AbortSignal): Promise<WatchVerdict> {
  setMaxListeners(0, signal); // a sleep and a request for each log
  const clock = systemClock;
  const random = Math.random;
  const lines = (stream: NodeJS.WriteStream) => (line: string) => void stream.write(`${line}\n`);
  const report = jsonLog({ process: "watch", level: "info", clock, write: lines(process.stderr) });
  const alerts = jsonLog({ process: "watch", level: "info", clock, write: lines(process.stdout) });

  const { names, from, expected, ask, simulated, accounts, entriesPerSecond } = wish;
  const file = openMemory(join(wish.state, memoryFileName));
  const outbox = new Outbox({ webhook: wish.webhook, file, fetch, clock, random, log: report });
  const raise = createVoice({ outbox, alerts, clock });
  const known = new KnownKeys({ expected, ask, simulated, file, clock, log: report });
  for (const { name, keys } of wish.proved) known.learn(name, keys);
  const judge = new CertificateJudge({ names: () => names, known, file, raise, log: report });
  const logs = wish.logs.map((spec) => {
    const log = openLog(spec, createLogHttp({ url: spec.url, fetch, clock, random }));
    if (!log.signed)
      report.warn("log.unsigned", {
        log: log.url,
        remedy: "Give its key after a #, so that its heads can be checked.",
      });
    return new LogWatch({ log, from, entriesPerSecond, judge, file, raise, clock, report });
  });
  const resolvers = wish.resolvers.map((url) => createDohServer({ url, fetch }));
  const caa =
    resolvers.length > 0 ? new CaaWatch({ names, resolvers, accounts, known, file, raise, report }) : undefined;

  report.info("watch.started", {
    names,
    logs: wish.logs.map(({ url }) => url),
    caa: caa !== undefined,
    simulated,
    once: wish.once,
  });
  const watcher = new Watcher({ names, logs, caa, known, judge, outbox, file, clock, everyMs: wish.everyMs });
  if (wish.once) return watcher.once(signal);
  await watcher.always(signal);
  return 0;
}
