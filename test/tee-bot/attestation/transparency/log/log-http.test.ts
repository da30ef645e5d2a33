import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createLogHttp,
  decidePauseMs,
  maxAttempts,
  maxPauseMs,
} from "../../../../../tee-bot/attestation/transparency/log/log-http.ts";
import { AppError } from "../../../../../shared/errors.ts";
import { others } from "../../../../support/ct-certificates.ts";
import { startCtLog, type CtLog } from "../../../../support/ct-log.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const never = new AbortController().signal;
let log: CtLog;
let clock: ManualClock;
beforeEach(async () => {
  log = await startCtLog();
  clock = new ManualClock();
});
afterEach(() => log[Symbol.asyncDispose]());
const get = (path: string, maxBytes = 10_000, signal = never) =>
  createLogHttp({ url: log.url, fetch, clock, random: () => 0 }).get(path, maxBytes, signal);
const status = (code: number, headers: Record<string, string> = {}) =>
  ({ kind: "answer", answer: { status: code, headers, body: "no\n" } }) as const;

describe("a request to a log", () => {
  it("gives the bytes; a page that is not there is undefined, at once", async () => {
    expect(Buffer.from((await get("checkpoint"))!).toString()).toContain("stand-in.example");
    expect(await get("tile/0/000")).toBeUndefined();
    expect(log.faults.count("/tile/0/000")).toBe(1);
  });

  it("waits as long as the log asks, and no less", async () => {
    log.faults.inject("/checkpoint", status(429, { "retry-after": "7" }));
    const got = get("checkpoint");
    expect(await clock.untilSleeping(() => true)).toBe(7_000);
    expect(log.faults.count("/checkpoint")).toBe(1);
    clock.advance(7_000);
    expect(await got).toBeDefined();
  });

  it("gives up when the log wants to be left alone for long", async () => {
    log.faults.inject("/checkpoint", status(429, { "retry-after": "3600" }));
    await expect(get("checkpoint")).rejects.toThrow("status 429");
    expect(log.faults.count("/checkpoint")).toBe(1);
  });

  it("is made a few times and not more while the log fails", async () => {
    log.faults.inject("/checkpoint", { kind: "drop", when: "before" }, { times: 99 });
    const got = expect(get("checkpoint")).rejects.toThrow("cannot be read");
    for (let attempt = 1; attempt < maxAttempts; attempt++) clock.advance(await clock.untilSleeping(() => true));
    await got;
    expect(log.faults.count("/checkpoint")).toBe(maxAttempts);
  });

  it("does not take more than the limit, also when it is packed", async () => {
    const bomb = Buffer.from(await new Response(gzipOf(1_000_000)).arrayBuffer());
    const headers = { "content-encoding": "gzip" };
    log.faults.inject("/checkpoint", { kind: "answer", answer: { status: 200, headers, body: bomb } });
    await expect(get("checkpoint")).rejects.toThrow("longer than 10000 bytes");
    expect(log.faults.count("/checkpoint")).toBe(1);
  });

  it("waits for no answer that comes too slowly, from its first byte to its last", async () => {
    const drip = createServer((_, response) => {
      const timer = setInterval(() => response.write("."), 20);
      response.once("close", () => clearInterval(timer));
    }).listen(0, "127.0.0.1");
    await once(drip, "listening");
    const url = `http://127.0.0.1:${(drip.address() as AddressInfo).port}`;
    const http = createLogHttp({ url, fetch, clock, random: () => 0, timeoutMs: 150 });
    const got = expect(http.get("checkpoint", 10_000, never)).rejects.toThrow("was not answered within 0.15 s");
    for (let attempt = 1; attempt < maxAttempts; attempt++) clock.advance(await clock.untilSleeping(() => true));
    await got;
    drip.closeAllConnections();
    drip.close();
  });

  it("does not follow elsewhere", async () => {
    log.add(...others(1));
    log.faults.inject("/checkpoint", status(302, { location: `${log.url}/tile/0/000.p/1` }), { times: 99 });
    const got = expect(get("checkpoint")).rejects.toThrow("cannot be read");
    for (let attempt = 1; attempt < maxAttempts; attempt++) clock.advance(await clock.untilSleeping(() => true));
    await got;
  });

  it("ends with the signal, with its reason", async () => {
    log.faults.inject("/checkpoint", { kind: "silence", when: "before" });
    const stop = new AbortController();
    const got = get("checkpoint", 10_000, stop.signal);
    while (log.faults.count("/checkpoint") === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error("told to stop"));
    await expect(got).rejects.toThrow("told to stop");
  });
});

describe("the pause before another try", () => {
  const error = new AppError("upstream-unavailable", ".");
  const pause = (one: object, attempt = 0) =>
    decidePauseMs(
      { error, status: undefined, retryAfter: null, ...one },
      attempt,
      Date.parse("2026-11-21T00:00:00Z"),
      () => 1,
    );

  it.each([
    ["a connection that broke", {}, 500],
    ["a server that failed", { status: 503 }, 500],
    ["a date", { status: 503, retryAfter: "Sat, 21 Nov 2026 00:00:30 GMT" }, 30_000],
    ["a date that is over", { status: 429, retryAfter: "Fri, 20 Nov 2026 00:00:30 GMT" }, 0],
    ["the longest there is", { status: 429, retryAfter: String(maxPauseMs / 1_000) }, maxPauseMs],
    ["longer than that", { status: 429, retryAfter: String(maxPauseMs / 1_000 + 1) }, undefined],
    ["words that say nothing", { status: 429, retryAfter: "soon" }, 500],
    ["a refusal", { status: 403 }, undefined],
    ["too much", { error: new AppError("too-large", ".") }, undefined],
  ])("after %s: %j", (_, one, expected) => {
    expect(pause(one)).toBe(expected);
  });

  it("is none after the last try", () => {
    expect(pause({}, maxAttempts - 2)).toBeDefined();
    expect(pause({}, maxAttempts - 1)).toBeUndefined();
  });
});

function gzipOf(bytes: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
}
