/** Which logs to read: URLs as a user writes them, or the lists of logs that browsers keep. */
import { z } from "zod";
import { AppError } from "../../../shared/errors.ts";
import { isLoopbackUrl } from "../../../shared/loopback.ts";
import { parseLogKey, type LogKey } from "./log/log-key.ts";

export interface LogSpec {
  /** The monitoring prefix. */
  readonly url: string;
  readonly key: LogKey | undefined;
}

/** `https://log.example/2026h2/#MFkw…`: the monitoring prefix and, after a `#`, the log's key. */
export function parseLogSpec(text: string): LogSpec {
  const url = URL.parse(text);
  const plain = url?.protocol === "http:" && isLoopbackUrl(url);
  if (!url || (url.protocol !== "https:" && !plain) || url.search !== "" || url.username !== "")
    throw new AppError("bad-request", `"${text}" is no https:// URL of a log, with its key after a # if it is known.`);
  const key = url.hash === "" ? undefined : parseLogKey(url.hash.slice(1));
  url.hash = "";
  return { url: url.href, key };
}

const tiledLogSchema = z.object({
  monitoring_url: z.url(),
  key: z.string(),
  state: z.record(z.string(), z.unknown()).optional(),
  temporal_interval: z.object({ start_inclusive: z.string(), end_exclusive: z.string() }).optional(),
});
const logListSchema = z.object({ operators: z.array(z.object({ tiled_logs: z.array(tiledLogSchema).default([]) })) });

/** States in which a log takes new certificates that browsers accept, or will (Chrome's log list, schema v3). */
const livingStates = ["usable", "qualified"];
/** No certificate is valid for longer after it was issued (CA/Browser Forum, 398 days at most). */
const maxLifetimeMs = 398 * 86_400_000;

/** Static logs of a list in the form of Chrome's and Apple's into which a certificate of today may come. */
export function parseLogList(json: unknown, now: number): LogSpec[] {
  const parsed = logListSchema.safeParse(json);
  if (!parsed.success)
    throw new AppError("bad-request", "The list of logs is not of the form of Chrome's log_list.json.");
  return parsed.data.operators
    .flatMap(({ tiled_logs }) => tiled_logs)
    .filter(({ state }) => state && livingStates.some((one) => one in state))
    .filter(({ temporal_interval: span }) => !span || takesFrom(span, now))
    .map(({ monitoring_url, key }) => ({ url: monitoring_url, key: parseLogKey(key) }));
}

/** Logs are sharded by the time at which certificates end. */
function takesFrom(span: { start_inclusive: string; end_exclusive: string }, now: number): boolean {
  return Date.parse(span.end_exclusive) > now && Date.parse(span.start_inclusive) <= now + maxLifetimeMs;
}
