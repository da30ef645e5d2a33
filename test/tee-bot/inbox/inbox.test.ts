import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startEdgeInbox, type EdgeInbox } from "./edge-inbox.ts";
import { systemClock } from "../../../shared/clock.ts";
import { toBase64 } from "../../../shared/inbox/webhook-signature.ts";
import type { HookDelivery, HookHandler } from "../../../tee-bot/inbox/hook.ts";
import { readOrCreateInboxKey } from "../../../tee-bot/inbox/inbox-key.ts";
import { Inbox } from "../../../tee-bot/inbox/inbox.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { recordingLog } from "../support/log.ts";

let stack: AsyncDisposableStack;
let edge: EdgeInbox;
let directory: string;
let log: ReturnType<typeof recordingLog>;
let epoch: number | undefined;
let stop: AbortController;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  edge = stack.use(await startEdgeInbox());
  directory = stack.use(temporaryFolder()).path;
  log = recordingLog();
  epoch = 1;
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await stack.disposeAsync();
});

const markPath = () => join(directory, "inbox.json");

function newInbox(): Inbox {
  return new Inbox({
    node: edge.node,
    edge: edge.client,
    key: () => Promise.resolve(readOrCreateInboxKey(join(directory, "inbox.key"))),
    path: markPath(),
    epoch: () => epoch,
    clock: systemClock,
    log,
    random: Math.random,
  });
}

/** Runs an inbox with these handlers until the edge has heard of it. */
async function started(handlers: Record<string, HookHandler["onHook"]>): Promise<{ ended: Promise<void> }> {
  const inbox = newInbox();
  for (const [hook, onHook] of Object.entries(handlers)) inbox.take(hook, { onHook });
  const ended = inbox.run(stop.signal);
  await until(() => edge.declarations.length > 0, 5_000, "the inbox is declared");
  return { ended };
}

const textOf = ({ body }: HookDelivery) => Buffer.from(body).toString();
const outcomesOf = (hook: string) =>
  edge.outcomes.filter((one) => one.hook === hook).map(({ sequence, outcome }) => [sequence, outcome]);

/** Remembers what it was given, and resolves at once. */
function recorder(): { seen: string[]; onHook: HookHandler["onHook"] } {
  const seen: string[] = [];
  return { seen, onHook: (_hook, delivery) => (seen.push(textOf(delivery)), Promise.resolve()) };
}

describe("the node's inbox", () => {
  it("declares its hooks with their terms, and its key", async () => {
    const inbox = newInbox();
    const secret = `whsec_${toBase64(new Uint8Array(32))}`;
    inbox.take("a", recorder(), { secret, maxBytes: 100 });
    inbox.take("b", recorder());
    void inbox.run(stop.signal);
    await until(() => edge.declarations.length > 0, 5_000, "the inbox is declared");
    expect(edge.declarations[0]).toMatchObject({
      epoch: 1,
      hooks: [{ name: "a", secret, maxBytes: 100 }, { name: "b" }],
    });
    expect(JSON.parse(readFileSync(markPath(), "utf8"))).toEqual({ hooks: ["a", "b"] });
  });

  it("hands webhooks over in the order of each hook, and tells the edge once they are done", async () => {
    const [a, b] = [recorder(), recorder()];
    await started({ a: a.onHook, b: b.onHook });
    for (let n = 1; n <= 5; n++) for (const hook of ["a", "b"]) await edge.put(hook, `${hook}${n}`);
    await until(() => edge.outcomes.length >= 10, 10_000, "all are done");
    expect(a.seen).toEqual(["a1", "a2", "a3", "a4", "a5"]);
    expect(b.seen).toEqual(["b1", "b2", "b3", "b4", "b5"]);
    expect(edge.outcomes.every(({ outcome }) => outcome === "done")).toBe(true);
  });

  it("hands over all of a webhook", async () => {
    const given: HookDelivery[] = [];
    await started({ a: (_hook, delivery) => (given.push(delivery), Promise.resolve()) });
    await edge.put("a", "text");
    await until(() => given.length > 0, 5_000, "it is there");
    expect(given[0]).toEqual({
      id: "msg_1",
      receivedAt: 1_700_000_000_000,
      headers: { "content-type": "text/plain" },
      body: Uint8Array.from(Buffer.from("text")),
      attempt: 1,
    });
  });

  it("has a failed one come again before those behind it, and goes on with other hooks", async () => {
    const [a, b] = [recorder(), recorder()];
    let failures = 2;
    await started({
      a: (hook, delivery, signal) =>
        textOf(delivery) === "a2" && failures-- > 0
          ? Promise.reject(new Error("it says canary"))
          : a.onHook(hook, delivery, signal),
      b: b.onHook,
    });
    for (const text of ["a1", "a2", "a3"]) await edge.put("a", text);
    await edge.put("b", "b1");
    await until(() => a.seen.length + b.seen.length >= 4, 10_000, "all have come");
    expect(a.seen).toEqual(["a1", "a2", "a3"]);
    expect(b.seen).toEqual(["b1"]);
    await until(() => outcomesOf("a").length >= 5, 5_000, "all is told");
    expect(outcomesOf("a").map(([, outcome]) => outcome)).toEqual(["done", "failed", "failed", "done", "done"]);
    expect(JSON.stringify(log.events)).not.toContain("canary");
  });

  it("is not held up by a slow handler of another hook, and asks for no more of that one", async () => {
    const b = recorder();
    const slow = Promise.withResolvers<void>();
    await started({ a: () => slow.promise, b: b.onHook });
    await edge.put("a", "a1");
    await until(() => edge.requests.some((one) => one.includes("except=a")), 5_000, "a is busy");
    await edge.put("b", "b1");
    await until(() => b.seen.length > 0, 5_000, "b has come");
    expect(outcomesOf("a")).toEqual([]);
    slow.resolve();
    await until(() => outcomesOf("a").length > 0, 5_000, "a is done");
  });

  it("gives up what it cannot open, and what its edge has not signed, and goes on behind it", async () => {
    const a = recorder();
    await started({ a: a.onHook });
    const { x = "" } = generateKeyPairSync("x25519").publicKey.export({ format: "jwk" });
    await edge.put("a", "to another key", { key: Uint8Array.from(Buffer.from(x, "base64url")) });
    await edge.put("a", "of another hook", { hook: "b" });
    await edge.put("a", "by somebody else", { signature: "v1,AAAA" });
    await edge.put("a", "good");
    await until(() => edge.outcomes.length >= 4, 5_000, "all is told");
    expect(a.seen).toEqual(["good"]);
    expect(outcomesOf("a").map(([, outcome]) => outcome)).toEqual(["refused", "refused", "refused", "done"]);
    expect(log.events.filter(({ event }) => event === "webhook.refused")).toHaveLength(3);
  });

  it("tells again what the edge did not hear, and handles nothing twice for it", async () => {
    const a = recorder();
    await started({ a: a.onHook });
    edge.faults.push({ path: "/outcomes", fault: "overloaded" }, { path: "/outcomes", fault: "lost answer" });
    await edge.put("a", "a1");
    await until(() => edge.outcomes.length >= 2, 10_000, "it is told again");
    expect(a.seen).toEqual(["a1"]);
    expect(log.events.filter(({ event }) => event === "outcomes.untold").length).toBeGreaterThanOrEqual(2);
  });

  it("waits until it is registered, and declares itself anew with each registration", async () => {
    epoch = undefined;
    const a = recorder();
    const inbox = newInbox();
    inbox.take("a", a);
    void inbox.run(stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(edge.requests).toEqual([]);
    epoch = 3;
    await until(() => edge.declarations.length === 1, 5_000, "the inbox is declared");
    epoch = 4;
    await until(() => edge.declarations.length === 2, 5_000, "the inbox is declared anew");
    expect(edge.declarations.map((one) => one.epoch)).toEqual([3, 4]);
  });

  it("declares itself again to an edge that knows nothing of it", async () => {
    await started({ a: recorder().onHook });
    edge.faults.push({ path: "/inbox", fault: "not-found" });
    await until(() => edge.declarations.length === 2, 5_000, "the inbox is declared again");
  });

  it("goes on after the edge was away, or has refused it", async () => {
    const a = recorder();
    await started({ a: a.onHook });
    for (const fault of ["overloaded", "lost answer", "epoch-superseded", "internal"] as const)
      edge.faults.push({ path: "/inbox", fault });
    await edge.put("a", "a1");
    await until(() => a.seen.length > 0, 15_000, "it has come");
  });

  it("tells when more was given up than before, once", async () => {
    await started({ a: recorder().onHook });
    edge.dead = 2;
    const told = () => log.events.filter(({ event }) => event === "inbox.dead");
    await until(() => told().length > 0, 5_000, "it is told");
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(told()).toHaveLength(1);
  });

  it("finishes what is in hand when the node stops, and tells it", async () => {
    const reached = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const { ended } = await started({ a: () => (reached.resolve(), finish.promise) });
    await edge.put("a", "a1");
    await reached.promise;
    finish.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await ended;
    await until(() => outcomesOf("a").length > 0, 5_000, "it is told");
    expect(outcomesOf("a")).toEqual([[1, "done"]]);
  });

  it("says nothing of what it did not finish when the node stops", async () => {
    const reached = Promise.withResolvers<void>();
    await started({ a: () => (reached.resolve(), new Promise<void>(() => {})) });
    await edge.put("a", "a1");
    await reached.promise;
    stop.abort();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(edge.outcomes).toEqual([]);
  });

  it("asks nothing of the edge where no hook is taken", async () => {
    await newInbox().run(stop.signal);
    expect(edge.requests).toEqual([]);
    expect(existsSync(join(directory, "inbox.key"))).toBe(false);
  });

  it("tells the edge once when no hook is taken any more", async () => {
    writeFileSync(markPath(), "{}");
    await newInbox().run(stop.signal);
    expect(edge.declarations.map(({ hooks }) => hooks)).toEqual([[]]);
    await newInbox().run(stop.signal);
    expect(edge.requests).toHaveLength(1);
  });

  it("lets a hook be taken once", () => {
    const inbox = newInbox();
    inbox.take("a", recorder());
    expect(() => inbox.take("a", recorder())).toThrow("name-taken");
  });
});
