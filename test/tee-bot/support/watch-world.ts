/** A watcher of `alice.example.test` in a world of stand-ins: logs, a resolver, a receiver of webhooks, a node that attests. */
import { join } from "node:path";
import { createDohServer } from "../../../shared/dns/doh.ts";
import { CaaWatch } from "../../../tee-bot/attestation/transparency/caa-watch.ts";
import { CertificateJudge } from "../../../tee-bot/attestation/transparency/certificate-judge.ts";
import { KnownKeys, type AttestedKeys } from "../../../tee-bot/attestation/transparency/known-keys.ts";
import { openLog, type LogSpec } from "../../../tee-bot/attestation/transparency/log-spec.ts";
import { LogWatch } from "../../../tee-bot/attestation/transparency/log-watch.ts";
import { createLogHttp } from "../../../tee-bot/attestation/transparency/log/log-http.ts";
import { parseLogKey } from "../../../tee-bot/attestation/transparency/log/log-key.ts";
import { openMemory } from "../../../tee-bot/attestation/transparency/memory.ts";
import { Outbox } from "../../../tee-bot/attestation/transparency/outbox.ts";
import { createVoice } from "../../../tee-bot/attestation/transparency/voice.ts";
import { Watcher } from "../../../tee-bot/attestation/transparency/watcher.ts";
import { parseWebhook } from "../../../tee-bot/attestation/transparency/webhook.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { startCtLog, type CtLog } from "../../support/ct-log.ts";
import { startDohResolver, type DohResolver } from "../../support/dns/doh-resolver.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import { hastyClock } from "../../support/hasty-clock.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../../support/webhook-receiver.ts";
import { recordingLog, type RecordedEvent } from "./log.ts";

export const name = "alice.example.test";
export const account = "https://ca.example/acct/1";

export interface WatchWorld extends AsyncDisposable {
  readonly logs: readonly CtLog[];
  readonly zone: ZoneStore;
  readonly resolvers: readonly DohResolver[];
  readonly receiver: WebhookReceiver;
  /** What the node attests; it cannot be asked when there is nothing. */
  attested: AttestedKeys | undefined;
  asked: number;
  /** Alerts of all watchers so far. */
  readonly alerts: readonly RecordedEvent[];
  /** All else that they have said. */
  readonly said: readonly RecordedEvent[];
  /** A watcher that knows what the one before has saved. */
  start(options?: StartOptions): Watcher;
}

export interface StartOptions {
  readonly from?: "now" | number;
  readonly expected?: readonly string[];
  readonly simulated?: boolean;
  readonly entriesPerSecond?: number;
  readonly everyMs?: number;
}

export interface WorldOptions {
  readonly logs?: number;
  readonly kind?: LogSpec["kind"];
}

export async function startWatchWorld({ logs: count = 1, kind = "static" }: WorldOptions = {}): Promise<WatchWorld> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const logs = await Promise.all(Array.from({ length: count }, startCtLog));
  for (const log of logs) stack.use(log);
  const zone = new ZoneStore("test");
  const resolvers = [stack.use(await startDohResolver(zone)), stack.use(await startDohResolver(zone))];
  const receiver = stack.use(await startWebhookReceiver());
  const alerts = recordingLog();
  const report = recordingLog();
  const parts = stack.move();

  const world: WatchWorld = {
    logs,
    zone,
    resolvers,
    receiver,
    attested: { spkiSha256: [], acmeAccounts: undefined, simulated: false },
    asked: 0,
    alerts: alerts.events,
    said: report.events,
    start({ from = "now", expected = [], simulated = false, entriesPerSecond = 1_000_000, everyMs = 60_000 } = {}) {
      const clock = hastyClock(1_000);
      const random = (): number => 0;
      const file = openMemory(join(folder.path, "watch.json"));
      const webhook = parseWebhook(receiver.url, receiver.secret);
      const outbox = new Outbox({ webhook, file, fetch, clock: hastyClock(1), random, log: report });
      const raise = createVoice({ outbox, alerts, clock });
      const ask = (): Promise<AttestedKeys> => {
        world.asked++;
        return world.attested ? Promise.resolve(world.attested) : Promise.reject(new Error("nobody there"));
      };
      const known = new KnownKeys({ expected, ask, simulated, file, clock, log: report });
      const names = [name];
      const judge = new CertificateJudge({ names: () => names, known, file, raise, log: report });
      const watches = logs.map(({ url, key }) => {
        const http = createLogHttp({ url, fetch, clock, random });
        const log = openLog({ kind, url, key: parseLogKey(key) }, http);
        return new LogWatch({ log, from, entriesPerSecond, judge, file, raise, clock, report });
      });
      const doh = resolvers.map(({ url }) => createDohServer({ url, fetch }));
      const caa = new CaaWatch({ names, resolvers: doh, accounts: [], known, file, raise, report });
      return new Watcher({ names, logs: watches, caa, known, judge, outbox, file, clock, everyMs });
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
  return world;
}
