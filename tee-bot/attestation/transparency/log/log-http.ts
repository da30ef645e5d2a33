/** GET requests to a log: bounded in time and bytes, tried again where that can help, as slowly as the log asks. */
import { decideBackoffMs } from "../../../../shared/backoff.ts";
import { readBytes } from "../../../../shared/bytes.ts";
import type { Clock } from "../../../../shared/clock.ts";
import { AppError, errorText } from "../../../../shared/errors.ts";
import { version } from "../../../../shared/version.ts";

export const requestTimeoutMs = 30_000;
export const maxAttempts = 4;
/** Who wants to be left alone for longer is asked in the next round. */
export const maxPauseMs = 60_000;
const backoff = { baseMs: 500, maxMs: 10_000 };
const tooManyRequests = 429;

export interface LogHttpOptions {
  /** The monitoring prefix; everything is below it. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  /** For one request with its answer. */
  readonly timeoutMs?: number;
}

export interface LogHttp {
  /** Undefined where there is no such page (404). Throws `upstream-unavailable`, `upstream-timeout`, `too-large`. */
  get(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

export function createLogHttp(options: LogHttpOptions): LogHttp {
  const base = options.url.endsWith("/") ? options.url : `${options.url}/`;
  return {
    async get(path, maxBytes, signal) {
      for (let attempt = 0; ; attempt++) {
        const answer = await ask(`${base}${path}`, maxBytes, options, signal);
        if ("bytes" in answer) return answer.bytes;
        const pauseMs = decidePauseMs(answer, attempt, options.clock.now(), options.random);
        if (pauseMs === undefined) throw answer.error;
        await options.clock.sleep(pauseMs, signal);
      }
    },
  };
}

export interface FailedTry {
  readonly error: AppError;
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  readonly retryAfter: string | null;
}

/** How long to wait before the next try; undefined when another one is of no use now. */
export function decidePauseMs(
  { status, retryAfter, error }: FailedTry,
  attempt: number,
  now: number,
  random: () => number,
): number | undefined {
  const temporary = status === undefined ? error.code !== "too-large" : status === tooManyRequests || status >= 500;
  if (!temporary || attempt + 1 >= maxAttempts) return undefined;
  const asked = retryAfterMs(retryAfter, now);
  if (asked !== undefined) return asked <= maxPauseMs ? asked : undefined;
  return decideBackoffMs(attempt, { ...backoff, random });
}

/** RFC 9110 §10.2.3: seconds or a date. */
function retryAfterMs(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

async function ask(
  url: string,
  maxBytes: number,
  { fetch, timeoutMs = requestTimeoutMs }: LogHttpOptions,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array | undefined } | FailedTry> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let status: number | undefined;
  let retryAfter: string | null = null;
  try {
    const response = await fetch(url, {
      headers: { "user-agent": `postern-watch/${version}`, "accept-encoding": "gzip, identity" },
      redirect: "error",
      signal: AbortSignal.any([signal, deadline]),
    });
    if (response.status === 200) {
      const bytes = await readBytes(response, maxBytes);
      if (bytes) return { bytes };
      throw new AppError("too-large", `${url} is longer than ${maxBytes} bytes.`);
    }
    ({ status } = response);
    retryAfter = response.headers.get("retry-after");
    await response.body?.cancel();
    if (status === 404) return { bytes: undefined };
    throw new AppError("upstream-unavailable", `${url} is answered with status ${status}.`);
  } catch (error) {
    signal.throwIfAborted();
    return { error: failureOf(error, url, deadline.aborted ? timeoutMs : undefined), status, retryAfter };
  }
}

function failureOf(error: unknown, url: string, lateMs: number | undefined): AppError {
  if (error instanceof AppError) return error;
  if (lateMs !== undefined)
    return new AppError("upstream-timeout", `${url} was not answered within ${lateMs / 1_000} s.`);
  return new AppError("upstream-unavailable", `${url} cannot be read: ${errorText(error)}.`, { cause: error });
}
