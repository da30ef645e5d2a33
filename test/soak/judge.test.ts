import { describe, expect, it } from "vitest";
import type { Disturbance, Exchange } from "./exchange.ts";
import { isExcused, judge, type Observations } from "./judge.ts";

const exchange = (changes: Partial<Exchange> = {}): Exchange => ({
  kind: "download",
  node: "node-1",
  relay: "relay-a",
  forwarded: false,
  startedAt: 1_000,
  endedAt: 2_000,
  bytes: 0,
  outcome: "failed",
  detail: "read ECONNRESET",
  ...changes,
});
const killed = (changes: Partial<Disturbance> = {}): Disturbance => ({
  what: "kill relay-a",
  from: 1_500,
  until: 3_000,
  relays: ["relay-a"],
  nodes: [],
  endsCleanly: true,
  ...changes,
});

describe("a failure", () => {
  it("is excused by a fault of its relay or its node in its time", () => {
    expect(isExcused(exchange(), [killed()])).toBe(true);
    expect(isExcused(exchange(), [killed({ relays: [], nodes: ["node-1"] })])).toBe(true);
    expect(isExcused(exchange(), [killed({ until: undefined })])).toBe(true);
  });

  it("is not excused by a fault elsewhere, before or after it", () => {
    expect(isExcused(exchange(), [])).toBe(false);
    expect(isExcused(exchange(), [killed({ relays: ["relay-b"], nodes: ["node-2"] })])).toBe(false);
    expect(isExcused(exchange(), [killed({ from: 0, until: 999 })])).toBe(false);
    expect(isExcused(exchange(), [killed({ from: 2_001 })])).toBe(false);
  });

  it("of a forwarded visitor is excused by a fault of any relay, for it may be the other one", () => {
    const elsewhere = [killed({ relays: ["relay-b"] })];
    expect(isExcused(exchange({ forwarded: true }), elsewhere)).toBe(true);
    expect(isExcused(exchange({ forwarded: true }), [killed({ relays: [], nodes: ["node-2"] })])).toBe(false);
    expect(isExcused(exchange({ forwarded: true, outcome: "short" }), elsewhere)).toBe(false);
  });

  it("that is a wrong byte is never excused", () => {
    expect(isExcused(exchange({ outcome: "corrupt" }), [killed()])).toBe(false);
  });

  it("that looks like the end is excused only by a kill of the visitor's own relay", () => {
    const short = exchange({ outcome: "short" });
    expect(isExcused(short, [killed()])).toBe(true);
    expect(isExcused(short, [killed({ relays: [], nodes: ["node-1"] })])).toBe(false);
    expect(isExcused(short, [killed({ endsCleanly: false })])).toBe(false);
  });
});

describe("a soak", () => {
  const counts = new Map([["download", { done: 9, failed: 0, short: 0, corrupt: 0 }]]);
  const well: Observations = { counts, unexcused: [], stuck: [], lingering: [], incidents: [], series: [] };

  it("passes when nothing was wrong", () => {
    expect(judge(well)).toEqual({ ok: true, findings: [], growths: [] });
  });

  it("fails for each thing that was wrong, and says it", () => {
    const growing = Array.from({ length: 9 }, (_, at) => ({ at: at * 600_000, value: 100 + 10 * at }));
    const wrongs: Partial<Observations>[] = [
      { counts: new Map() },
      { unexcused: [exchange()] },
      { stuck: ["node-1"] },
      { lingering: ["relay-a"] },
      { incidents: ["edge"] },
      { series: [{ name: "edge", unit: "MiB", limitPerHour: 48, samples: growing }] },
    ];
    for (const wrong of wrongs)
      expect(judge({ ...well, ...wrong })).toMatchObject({ ok: false, findings: { length: 1 } });
  });
});
