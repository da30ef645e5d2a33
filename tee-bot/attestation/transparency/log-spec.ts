/** Which logs to read: URLs as a user writes them, or the lists of logs that browsers keep. */
import { z } from "zod";
import { AppError } from "../../../shared/errors.ts";
import { isLoopbackUrl } from "../../../shared/loopback.ts";
import type { CertificateLog } from "./log/certificate-log.ts";
import type { LogHttp } from "./log/log-http.ts";
import { parseLogKey, type LogKey } from "./log/log-key.ts";
import { openRfc6962Log } from "./log/rfc6962-log.ts";
import { openStaticLog } from "./log/static-log.ts";

export interface LogSpec {
  readonly kind: "static" | "rfc6962";
  /** The monitoring prefix; of an RFC 6962 log the URL before `ct/v1/`. */
  readonly url: string;
  readonly key: LogKey | undefined;
}

const rfc6962Prefix = "rfc6962+";

/** `https://log.example/2026h2/#MFkw…`: the log's URL, `rfc6962+` before it if it has that API, its key after a `#`. */
export function parseLogSpec(text: string): LogSpec {
  const old = text.startsWith(rfc6962Prefix);
  const url = URL.parse(old ? text.slice(rfc6962Prefix.length) : text);
  const plain = url?.protocol === "http:" && isLoopbackUrl(url);
  if (!url || (url.protocol !== "https:" && !plain) || url.search !== "" || url.username !== "")
    throw new AppError("bad-request", `"${text}" is no https:// URL of a log, with its key after a # if it is known.`);
  const key = url.hash === "" ? undefined : parseLogKey(url.hash.slice(1));
  url.hash = "";
  return { kind: old ? "rfc6962" : "static", url: url.href, key };
}

export function isLogSpec(text: string): boolean {
  try {
    parseLogSpec(text);
    return true;
  } catch {
    return false;
  }
}

/** The log, to be read by a client of its URL. */
export function openLog({ kind, url, key }: LogSpec, http: LogHttp): CertificateLog {
  return kind === "static" ? openStaticLog({ url, key, http }) : openRfc6962Log({ url, key, http });
}

const listedLogSchema = z.object({
  key: z.string(),
  state: z.record(z.string(), z.unknown()).optional(),
  temporal_interval: z.object({ start_inclusive: z.string(), end_exclusive: z.string() }).optional(),
});
type ListedLog = Pick<z.infer<typeof listedLogSchema>, "state" | "temporal_interval">;
const logListSchema = z.object({
  operators: z.array(
    z.object({
      tiled_logs: z.array(listedLogSchema.extend({ monitoring_url: z.url() })).default([]),
      logs: z.array(listedLogSchema.extend({ url: z.url() })).default([]),
    }),
  ),
});

/** States in which a log takes new certificates that browsers accept, or will (Chrome's log list, schema v3). */
const livingStates = ["usable", "qualified"];
/** No certificate is valid for longer after it was issued (CA/Browser Forum, 398 days at most). */
const maxLifetimeMs = 398 * 86_400_000;

/** The logs of a list in the form of Chrome's and Apple's into which a certificate of today may come. */
export function parseLogList(json: unknown, now: number): LogSpec[] {
  const parsed = logListSchema.safeParse(json);
  if (!parsed.success)
    throw new AppError("bad-request", "The list of logs is not of the form of Chrome's log_list.json.");
  const { operators } = parsed.data;
  const staticLogs = operators.flatMap((operator) => operator.tiled_logs).filter((log) => takesNow(log, now));
  const olderLogs = operators.flatMap((operator) => operator.logs).filter((log) => takesNow(log, now));
  return [
    ...staticLogs.map((log) => specOf("static", log.monitoring_url, log.key)),
    ...olderLogs.map((log) => specOf("rfc6962", log.url, log.key)),
  ];
}

const specOf = (kind: LogSpec["kind"], url: string, key: string): LogSpec => ({ kind, url, key: parseLogKey(key) });

/** Logs are sharded by the time at which certificates end. */
function takesNow({ state, temporal_interval: span }: ListedLog, now: number): boolean {
  if (!state || !livingStates.some((one) => one in state)) return false;
  return !span || (Date.parse(span.end_exclusive) > now && Date.parse(span.start_inclusive) <= now + maxLifetimeMs);
}
