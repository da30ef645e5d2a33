import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openaiClient } from "../../../support/clients/openai-client.ts";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { until } from "../../../support/postern.ts";
import { answerText } from "../../../support/upstream/content.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";

const count = process.env["SLOW"] ? 10_000 : 1_500;
const atOnce = 50;
const longestStayMs = 30;
const models = [
  "normal",
  "paced",
  "silent",
  "silent-after-head",
  "stalling",
  "closed-mid-event",
  "failing-503",
] as const;

const stack = new AsyncDisposableStack();
let upstream: Upstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = stack.use(await startUpstream());
  const providers = Object.fromEntries(models.map((name) => [name, { baseUrl: upstream.baseUrl, models: [name] }]));
  gateway = stack.use(await startGateway({ providers }));
});
afterAll(() => stack.disposeAsync());

/** Sends a request, or a part of one, and leaves after a moment, by an end or by a reset. */
async function comeAndGo(index: number): Promise<void> {
  const socket = connect(Number(new URL(gateway.origin).port), "127.0.0.1");
  const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  const body = JSON.stringify({ model: models[index % models.length], stream: index % 3 !== 0, messages: [] });
  const whole = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  socket.write(index % 5 === 0 ? whole.slice(0, Math.floor(Math.random() * whole.length)) : whole);
  socket.resume();
  await sleep(Math.random() * longestStayMs);
  if (index % 2 === 0) socket.destroy();
  else socket.resetAndDestroy();
  await closed;
}

const openFiles = (): number => readdirSync("/proc/self/fd").length;

describe("clients that leave whenever they like", () => {
  it(`leave nothing behind, ${count} of them`, async () => {
    await Promise.all(Array.from({ length: 10 }, (_, index) => comeAndGo(index)));
    const before = openFiles();
    let next = 0;
    const visitor = async (): Promise<void> => {
      while (next < count) await comeAndGo(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, visitor));

    await until(() => upstream.connections <= models.length * 4, 5_000, "calls at the provider are over");
    await until(() => openFiles() <= before + models.length * 4, 5_000, "no connection is left open");
    const told = await openaiClient({ baseUrl: gateway.baseUrl }).ask({ model: "normal", stream: true });
    expect(told.text).toBe(answerText);
  }, 120_000);
});
