import { join } from "node:path";
import type { Log } from "../../../shared/log.ts";
import { silentLog } from "../../../shared/log.ts";
import type { Call } from "../../../tee-bot/gateway/api/call.ts";
import { endpoints } from "../../../tee-bot/gateway/api/endpoints.ts";
import { openLedger, type Ledger } from "../../../tee-bot/gateway/ledger.ts";
import { gatewaySettingsSchema, type GatewaySettings } from "../../../tee-bot/gateway/settings.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { ManualClock } from "./manual-clock.ts";

export interface TestLedger extends Ledger {
  readonly clock: ManualClock;
  readonly path: string;
  /** As a node that is started again finds it. */
  reopen(): TestLedger;
}

export interface TestLedgerOptions {
  settings?: unknown;
  ownKey?: string;
  clock?: ManualClock;
  log?: Log;
  /** A file of an earlier ledger; a new one unless said. */
  path?: string;
}

export function openTestLedger({
  settings = {},
  ownKey,
  clock = new ManualClock(Date.UTC(2026, 10, 21, 12)),
  log = silentLog,
  path,
}: TestLedgerOptions = {}): TestLedger {
  const folder = path === undefined ? temporaryFolder() : undefined;
  const file = path ?? join(folder?.path ?? "", "gateway.sqlite");
  const ledger = openLedger({ path: file, settings: settingsOf(settings), ownKey, clock, log });
  let open = true;
  const close = (): void => {
    if (open) ledger[Symbol.dispose]();
    open = false;
  };
  return {
    ...ledger,
    clock,
    path: file,
    reopen() {
      close();
      return openTestLedger({ settings, ...(ownKey !== undefined && { ownKey }), clock, log, path: file });
    },
    [Symbol.dispose]() {
      close();
      folder?.[Symbol.dispose]();
    },
  };
}

export function settingsOf(settings: unknown): GatewaySettings {
  return gatewaySettingsSchema.parse(settings);
}

export function callOf(changes: Partial<Call> = {}): Call {
  return {
    id: "req_1",
    endpoint: endpoints[0]!,
    surface: "public",
    client: "203.0.113.9",
    headers: {},
    body: Buffer.alloc(0),
    model: "llama3.2:3b",
    stream: false,
    targetNode: undefined,
    whole: false,
    estimatedPromptTokens: 10,
    startedAt: 0,
    ...changes,
  };
}
