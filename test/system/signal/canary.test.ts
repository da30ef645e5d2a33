/**
 * Marked secrets go through every way there is, errors and a crash included; afterwards nothing that a process has said,
 * counted or kept has any of them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { echo } from "../../support/echo-model.ts";
import { startSignalWorld, type SignalWorld } from "../../support/signal-world.ts";
import { behaviours, type Behaviour } from "../../support/upstream/behaviours.ts";
import { startUpstream, type Upstream } from "../../support/upstream/upstream.ts";

const mark = "canary";
const person = `${mark}-person`;
const answerMs = 60_000;
/** Attempts at a model that is away end with a sentence. */
const attempts = 2;

let upstream: Upstream;
let world: SignalWorld;

beforeAll(async () => {
  upstream = await startUpstream({ models: ["echo"], behaviour: echo() });
  const signal = { receive: { by: "own-process", attempts }, progressive: true };
  world = await startSignalWorld({ upstream, signal, environment: { LOG_LEVEL: "debug" } });
}, 120_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

/** Resolves when the bot has said more. */
async function ask(text: string, more: object = {}): Promise<void> {
  const before = (await world.phones.conversation(person)).filter(({ from }) => from === "bot").length;
  await world.phones.write(person, text, more);
  const said = async (): Promise<number> =>
    (await world.phones.conversation(person)).filter(({ from }) => from === "bot").length;
  await expect.poll(said, { timeout: answerMs, message: `an answer to ${text}` }).toBeGreaterThan(before);
}

const failing = (name: keyof typeof behaviours): Behaviour => behaviours[name];

it("keeps what people write, and who they are, out of everything that others see", { timeout: 300_000 }, async () => {
  await ask(`${mark}-question`);
  await ask(`!verify ${mark}-words`);
  await ask(`!model ${mark}-model`);
  await ask(`!${mark}`);
  const image = Buffer.from(`${mark}-image`).toString("base64");
  await ask(`${mark}-caption`, { attachments: [{ base64: image, contentType: "image/png", filename: `${mark}.png` }] });
  for (const behaviour of ["content-refused", "key-refused", "closed-mid-event", "failing-500"] as const) {
    upstream.behave(failing(behaviour));
    await ask(`${mark}-${behaviour}`);
  }
  upstream.behave(echo());
  await world.kill("redis");
  await world.phones.write(person, `${mark}-without-redis`);
  await world.kill("node");
  await world.phones.write(person, `${mark}-without-node`);
  await world.start("redis");
  await world.start("node");
  const answers = async (): Promise<string> =>
    (await world.phones.conversation(person)).map(({ text }) => text).join("\n");
  await expect.poll(answers, { timeout: answerMs }).toContain(`said: ${mark}-without-node`);
  await ask(`${mark}-the-last`);

  const { number, uuid } = await world.phones.person(person);
  const secrets = [mark, number, uuid];
  const seen: [where: string, what: string][] = [
    ["what the processes said", world.said],
    ["the metrics", await world.metrics()],
    ["what the operator is told", JSON.stringify(await world.report())],
    ["Redis", await contentOf(world.redis.url)],
    ...filesBelow(world.state).map((path): [string, string] => [path, readFileSync(path, "latin1")]),
  ];
  expect(world.said.length).toBeGreaterThan(1_000);
  expect(seen.length).toBeGreaterThan(8);
  for (const [where, what] of seen)
    for (const secret of secrets)
      for (const form of [
        secret,
        Buffer.from(secret).toString("base64").slice(0, -4),
        Buffer.from(secret).toString("hex"),
      ])
        expect.soft(what.includes(form), `${where} has ${form}`).toBe(false);
});

/** All keys and values. */
async function contentOf(url: string): Promise<string> {
  const client = createClient({ url });
  await client.connect();
  try {
    const parts: string[] = [];
    for await (const keys of client.scanIterator())
      for (const key of keys) {
        const value = await client.sendCommand<string>(["DUMP", key]);
        parts.push(key, value);
      }
    expect(parts.length).toBeGreaterThan(0);
    return parts.join("\n");
  } finally {
    client.destroy();
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
