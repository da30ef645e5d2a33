import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import type { AnswerProof } from "../../../../tee-bot/gateway/providers/provider.ts";
import type { Route } from "../../../../tee-bot/gateway/routing/route.ts";
import type { RequestRecord } from "../../../../tee-bot/gateway/tracking/track.ts";
import { until } from "../../../support/postern.ts";
import { openTestLedger, type TestLedger, type TestLedgerOptions } from "../../support/ledger.ts";
import { recordingLog } from "../../support/log.ts";
import { attemptRecord, trackedCall } from "../../support/tracked-call.ts";

let stack = new DisposableStack();
afterEach(() => {
  stack.dispose();
  stack = new DisposableStack();
});
const open = (options: TestLedgerOptions = {}): TestLedger => stack.use(openTestLedger(options));
const route = {
  candidates: [{ provider: { id: "ollama" }, model: "m", reason: "local" }],
  passedOver: [{ provider: "near", reason: "privacy rule local" }],
} as unknown as Route;

const proof: AnswerProof = {
  provider: "near",
  model: "m",
  evidence: [{ id: "model-quote", outcome: "pass", detail: "Good." }],
  answer: { id: "answer-signature", outcome: "pass", detail: "Signed." },
  session: "ab".repeat(32),
};

function note({ tracker }: TestLedger, id: string): void {
  tracker.begin(trackedCall(id)).end({ status: 200 });
}

/** Of version 1 of the file, with a call that was answered and one that was not. */
const oldRequests = `
  CREATE TABLE requests (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, surface TEXT NOT NULL, endpoint TEXT NOT NULL,
    key TEXT, model TEXT NOT NULL, stream INTEGER NOT NULL, provider TEXT, upstream_model TEXT, status INTEGER NOT NULL,
    error TEXT, failed TEXT, queued_ms REAL NOT NULL, ttft_ms REAL, duration_ms REAL NOT NULL, prompt_tokens INTEGER,
    completion_tokens INTEGER, tokens_estimated INTEGER, detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX requests_by_id ON requests (id);
  INSERT INTO requests VALUES
    (1, 'req_1', 1795262400000, 'local', 'chat', NULL, 'm', 1, 'p', 'u', 200, NULL, NULL, 0.5, 1.25, 2.5, 3, 4, 0,
      '[[["p","u",0.1,null,2,200,"answered",null]],[["p","u","local"]],[["q","asleep"]]]'),
    (2, 'req_2', 1795262400001, 'public', 'chat', 'key_1', 'm', 0, NULL, NULL, 503, 'no_provider', 'gateway', 0, NULL, 1, NULL,
      NULL, NULL, '[[],[],[]]')`;

describe("the request tracker", () => {
  it("remembers a call from its beginning to its end", () => {
    const ledger = open();
    const startedAt = performance.now();
    const track = ledger.tracker.begin(trackedCall("req_1", { startedAt, model: "fast", stream: true }));
    track.keyed("key_1");
    track.queued(7);
    track.routed(route);
    track.attempted(
      attemptRecord({ provider: "lm-studio", status: 503, outcome: "status 503", decided: "next provider" }),
    );
    track.attempted(attemptRecord());
    track.firstByte();
    expect(ledger.tracker.find("req_1")).toBeUndefined();
    track.end({ status: 200, tokens: { prompt: 1, completion: 2, estimated: true } });
    const record = ledger.tracker.find("req_1");
    expect(record).toMatchObject({
      at: ledger.clock.now(),
      surface: "public",
      endpoint: "chat",
      key: "key_1",
      model: "fast",
      stream: true,
      provider: "ollama",
      upstreamModel: "m",
      status: 200,
      queuedMs: 7,
      tokens: { prompt: 1, completion: 2, estimated: true },
      route: { candidates: [{ provider: "ollama", model: "m", reason: "local" }], passedOver: route.passedOver },
    });
    expect(record?.attempts.map(({ provider }) => provider)).toEqual(["lm-studio", "ollama"]);
    expect(record?.ttftMs).toBeGreaterThanOrEqual(0);
    expect(record?.durationMs).toBeGreaterThanOrEqual(record?.ttftMs ?? Infinity);
    expect(() => track.end({ status: 200 })).toThrow("already");
  });

  it("has a record again after a restart as it was, to the hundredth of a millisecond", () => {
    let ledger = open();
    const one = ledger.tracker.begin(trackedCall("req_1"));
    one.routed(route);
    one.attempted(
      attemptRecord({ firstByteMs: undefined, status: undefined, outcome: "upstream_timeout", decided: "given up" }),
    );
    one.end({ status: 504, error: "upstream_timeout", failed: "upstream" });
    const before = ledger.tracker.find("req_1");
    ledger = stack.use(ledger.reopen());
    const after = ledger.tracker.find("req_1");
    expect(after).toEqual({ ...before, durationMs: expect.closeTo(before?.durationMs ?? 0, 1) as number });
  });

  it("writes at once when many calls have ended, and lets go of them", async () => {
    const ledger = open();
    for (let number = 0; number < 300; number++) note(ledger, `req_${number}`);
    const other = stack.adopt(new DatabaseSync(ledger.path, { readOnly: true }), (one) => one.close());
    const written = (): number => Number(other.prepare("SELECT sum(count) AS n FROM request_batches").get()?.["n"]);
    await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
    expect(written()).toBe(200);
    expect(ledger.tracker.find("req_299")?.status).toBe(200);
    expect(written()).toBe(300);
  });

  it("forgets what a signature has shown when it forgets the call", () => {
    const ledger = open({ settings: { requests: { keep: 1, days: 1 } } });
    const track = ledger.tracker.begin(trackedCall("req_1"));
    track.end({ status: 200 });
    track.proved(proof);
    expect(ledger.tracker.find("req_1")?.proof).toEqual(proof);
    ledger.clock.advance(86_400_001);
    note(ledger, "req_2");
    expect(ledger.tracker.find("req_1")).toBeUndefined();
    ledger.clock.advance(86_400_001);
    note(ledger, "req_3");
    expect(ledger.tracker.list(10).map(({ id }) => id)).toEqual(["req_3"]);
    const other = stack.adopt(new DatabaseSync(ledger.path, { readOnly: true }), (one) => one.close());
    expect(other.prepare("SELECT count(*) AS n FROM request_proofs").get()).toEqual({ n: 0 });
  });

  it("brings the log of an earlier version with it", () => {
    let ledger = open();
    const old = stack.adopt(new DatabaseSync(ledger.path), (one) => one.close());
    old.exec(`DROP TABLE request_batches; DROP TABLE request_proofs; ${oldRequests}; PRAGMA user_version = 1`);
    ledger = stack.use(ledger.reopen());
    expect(ledger.tracker.list(10).map(({ id }) => id)).toEqual(["req_2", "req_1"]);
    expect(ledger.tracker.find("req_1")).toEqual({
      id: "req_1",
      at: 1_795_262_400_000,
      surface: "local",
      endpoint: "chat",
      key: undefined,
      model: "m",
      stream: true,
      provider: "p",
      upstreamModel: "u",
      status: 200,
      error: undefined,
      failed: undefined,
      queuedMs: 0.5,
      ttftMs: 1.25,
      durationMs: 2.5,
      tokens: { prompt: 3, completion: 4, estimated: false },
      attempts: [
        {
          provider: "p",
          model: "u",
          startedMs: 0.1,
          firstByteMs: undefined,
          endedMs: 2,
          status: 200,
          outcome: "answered",
          decided: undefined,
        },
      ],
      route: {
        candidates: [{ provider: "p", model: "u", reason: "local" }],
        passedOver: [{ provider: "q", reason: "asleep" }],
      },
    });
    expect(ledger.tracker.find("req_2")).toMatchObject({ status: 503, tokens: undefined, error: "no_provider" });
  });

  it("adds what an answer's signature has shown, whenever that is known, and has it after a restart", () => {
    const first = open();
    const before = first.tracker.begin(trackedCall("req_before"));
    before.proved(proof);
    before.end({ status: 200 });
    const pending = first.tracker.begin(trackedCall("req_pending"));
    pending.end({ status: 200 });
    pending.proved(proof);
    const written = first.tracker.begin(trackedCall("req_written"));
    written.end({ status: 200 });
    expect(first.tracker.find("req_written")?.proof).toBeUndefined();
    written.proved(proof);
    note(first, "req_unproved");
    const ids = ["req_before", "req_pending", "req_written"];
    for (const id of ids) expect(first.tracker.find(id)?.proof).toEqual(proof);
    const again = stack.use(first.reopen()).tracker;
    for (const id of ids) expect(again.find(id)?.proof).toEqual(proof);
    expect(again.find("req_unproved")?.proof).toBeUndefined();
  });

  it("counts answers by what their signatures have shown", async () => {
    const { tracker } = open();
    tracker.begin(trackedCall("req_1")).proved(proof);
    const track = tracker.begin(trackedCall("req_2"));
    track.end({ status: 200 });
    track.proved({ ...proof, answer: { ...proof.answer, outcome: "fail" } });
    const text = await tracker.metrics.registry.metrics();
    expect(text).toContain('proofs_total{provider="near",outcome="fail"} 1');
    expect(text).not.toContain('outcome="pass"');
  });

  it("finds a call while nothing can be written", () => {
    const ledger = open();
    const other = stack.adopt(new DatabaseSync(ledger.path), (one) => one.close());
    other.exec("BEGIN IMMEDIATE");
    note(ledger, "req_1");
    expect(ledger.tracker.find("req_1")?.status).toBe(200);
    other.exec("ROLLBACK");
  });

  it("cuts the name of a model that is a novel", () => {
    const ledger = open();
    ledger.tracker.begin(trackedCall("req_1", { model: "x".repeat(1 << 20) })).end({ status: 404 });
    expect(ledger.tracker.find("req_1")?.model).toBe(`${"x".repeat(200)}…`);
  });

  it("keeps the newest thousand in memory and all on disk, and lists the newest first, page by page", () => {
    const ledger = open();
    for (let count = 0; count < 1_500; count++) note(ledger, `req_${count}`);
    expect(ledger.tracker.find("req_0")?.status).toBe(200);
    const ids = (records: RequestRecord[]): string[] => records.map(({ id }) => id);
    expect(ids(ledger.tracker.list(2))).toEqual(["req_1499", "req_1498"]);
    expect(ids(ledger.tracker.list(3, "req_1"))).toEqual(["req_0"]);
    expect(ids(ledger.tracker.list(2, "req_700"))).toEqual(["req_699", "req_698"]);
    expect(ledger.tracker.list(2, "req_unknown")).toEqual([]);
  });

  it("keeps as many on disk as it is told, or a row of them more, and no older ones", () => {
    let ledger = open({ settings: { requests: { keep: 250, days: 1 } } });
    for (let count = 0; count < 1_250; count++) note(ledger, `req_${count}`);
    expect(ledger.tracker.list(1_000)).toHaveLength(250);
    ledger = stack.use(ledger.reopen());
    for (let count = 1_250; count < 1_449; count++) note(ledger, `req_${count}`);
    expect(ledger.tracker.list(1_000)).toHaveLength(449);
    note(ledger, "req_1449");
    expect(
      ledger.tracker
        .list(1_000)
        .map(({ id }) => id)
        .at(-1),
    ).toBe("req_1200");
    ledger.clock.advance(86_400_001);
    note(ledger, "req_new");
    expect(ledger.tracker.list(1_000).map(({ id }) => id)).toEqual(["req_new"]);
  });

  it("writes what has ended within half a second, without being asked", async () => {
    const ledger = open();
    note(ledger, "req_1");
    const other = open({ path: ledger.path });
    await until(() => other.tracker.find("req_1") !== undefined, 2_000, "another process sees it");
  });

  it("tells listeners what has ended, together, and lets one go that fails", async () => {
    const log = recordingLog();
    const ledger = open({ log });
    const heard: string[] = [];
    let missed = 0;
    const end = ledger.tracker.onRecord((records, more) => {
      heard.push(...records.map(({ id }) => id));
      missed += more;
    });
    ledger.tracker.onRecord(() => {
      throw new Error("a listener's own fault");
    });
    for (let count = 0; count < 250; count++) note(ledger, `req_${count}`);
    expect(heard).toEqual([]);
    await until(() => heard.length > 0, 2_000, "the first are told");
    expect({ heard: heard.length, missed }).toEqual({ heard: 200, missed: 50 });
    note(ledger, "req_last");
    await until(() => heard.at(-1) === "req_last", 2_000, "the last is told");
    expect(log.events.filter(({ event }) => event === "record-feed.failed")).toHaveLength(1);
    end();
    note(ledger, "req_unheard");
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(heard.at(-1)).toBe("req_last");
  });
});
