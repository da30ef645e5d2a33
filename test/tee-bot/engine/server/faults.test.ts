import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, busyMs, demo, startEngine, type RunningEngine } from "../../../support/engine/running-engine.ts";

const chat = "/v1/chat/completions";
/** What the client may expect of an engine that it has left. */
const abortMs = 100;
/** Never ends by itself before the context is full. */
const endless = { stream: true, temperature: 2, top_k: 0, top_p: 1, min_p: 0, logit_bias: { 2: -100 } };

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startEngine([demo, { ...demo, id: "second" }]);
  await engine.call(chat, ask("Hello"));
}, busyMs);
afterAll(() => engine[Symbol.asyncDispose]());

async function openStream(): Promise<IncomingMessage> {
  const response = await engine.open(chat, ask("Tell me a story.", endless));
  await once(response, "data");
  return response;
}

async function health(): Promise<{ busy: number; waiting: number }> {
  const { models } = JSON.parse((await engine.call("/health")).body) as { models: { busy: number; waiting: number }[] };
  return models[0] ?? { busy: -1, waiting: -1 };
}

/** Milliseconds until as many are busy and wait. */
async function msUntil(busy: number, waiting: number): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const now = await health();
    if (now.busy === busy && now.waiting === waiting) return performance.now() - startedAt;
    if (performance.now() - startedAt > 5_000) throw new Error(`${now.busy} busy, ${now.waiting} waiting`);
  }
}

describe("the engine, when things go wrong,", () => {
  it("stops to make a text as soon as its reader leaves", async () => {
    const stream = await openStream();
    expect(await health()).toMatchObject({ busy: 1 });
    stream.destroy();
    expect(await msUntil(0, 0)).toBeLessThan(abortMs);
  });

  it("stops to make an answer that nobody waits for any more", async () => {
    const asked = engine.request(chat, ask("Tell me a story.", { ...endless, stream: false }));
    await msUntil(1, 0);
    asked.destroy();
    expect(await msUntil(0, 0)).toBeLessThan(abortMs);
  });

  it("stops for three that leave at once, one of which waits, and serves the next", async () => {
    const [first, second] = [await openStream(), await openStream()];
    const third = engine.open(chat, ask("What is Postern?", endless));
    third.catch(() => {});
    await msUntil(2, 1);
    const fourth = engine.call(chat, ask("What is a TEE?"));
    await msUntil(2, 2);
    first.destroy();
    second.destroy();
    (await third).destroy();
    expect((await fourth).body).toContain("A TEE is a part of the processor");
    expect(await msUntil(0, 0)).toBeLessThan(abortMs);
  });

  it("refuses whom it cannot let wait, and says when to come again", async () => {
    const streams = [await openStream(), await openStream()];
    const waiting = Array.from({ length: 32 }, () => engine.open(chat, ask("Hello", endless)));
    for (const one of waiting) one.catch(() => {});
    await msUntil(2, 32);
    const { status, headers, body } = await engine.call(chat, ask("Hello"));
    expect([status, headers["retry-after"]]).toEqual([503, "2"]);
    expect(body).toContain('"code":"overloaded"');
    for (const stream of streams) stream.destroy();
    for (const one of waiting) void one.then((response) => response.destroy());
    await msUntil(0, 0);
  });

  it("serves two models side by side", async () => {
    const answers = await Promise.all(
      ["second", demo.id].map((model) => engine.call(chat, ask("What is a TEE?", { model }))),
    );
    for (const { status, body } of answers) expect([status, body]).toEqual([200, expect.stringContaining("A TEE is")]);
  });

  it("goes on after garbage on its socket", async () => {
    for (const body of ["\0\0\0", "{", "null", '"text"', `{"model":${"[".repeat(50_000)}`])
      expect((await engine.call(chat, body)).status).toBe(400);
    expect((await engine.call(chat, ask("Hello"))).status).toBe(200);
  });

  it("is cut, not ended, for readers of an engine that is killed", async () => {
    const stream = await openStream();
    stream.resume();
    const ended = once(stream, "end").then(
      () => "ended",
      () => "cut",
    );
    process.kill(engine.child.pid, "SIGKILL");
    expect(await ended).toBe("cut");
    await expect.poll(() => engine.crashes).toEqual(["signal SIGKILL"]);
  });
});
