import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { Sensitive } from "../../../../shared/sensitive.ts";
import type { MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import type { Mailbox } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { startReceiver, type Receiver } from "../../../../tee-bot/bot/receive/receiver.ts";
import { signalSettingsSchema } from "../../../../tee-bot/bot/settings.ts";
import {
  startSignalSimulator,
  type SignalSimulator,
  type SignalSimulatorOptions,
} from "../../../../tee-bot/bot/simulator/simulator.ts";
import { freePort } from "../../../support/postern.ts";
import { account, alice } from "../support/events.ts";
import { MailWorld } from "../support/mail-world.ts";

const secret = new Sensitive("s3cret-with-32-characters-or-more");
const slow = { timeout: 15_000 };
let stack: AsyncDisposableStack;
let world: MailWorld;
let box: Mailbox;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  world = stack.use(new MailWorld());
  box = world.open({ clock: systemClock });
});
afterEach(() => stack.disposeAsync());

async function start(api: string, receive: object = {}, number?: string): Promise<Receiver> {
  const settings = signalSettingsSchema.parse({ api, account: number, receive: { port: 0, ...receive } });
  const options = { settings, slot: box, secret, fetch, clock: systemClock, log: world.log, random: Math.random };
  return stack.use(await startReceiver(options));
}

const simulate = async (options: SignalSimulatorOptions): Promise<SignalSimulator> =>
  stack.use(await startSignalSimulator(options));

/** Texts of all that is in the mailbox, in order; it is answered with nothing. */
function takeTexts(): string[] {
  const texts: string[] = [];
  for (let [mail] = box.take(1); mail; [mail] = box.take(1)) {
    texts.push((mail.event as MessageEvent).text.reveal());
    box.answer(mail, []);
  }
  return texts;
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `message ${index}`);

describe("a receiver", () => {
  it("takes each message once by its webhook and its WebSocket, doubled ones too", async () => {
    const port = await freePort();
    const hook = `http://postern:${secret.reveal()}@127.0.0.1:${port}/hooks/signal`;
    const simulator = await simulate({ hook });
    const receiver = await start(simulator.url, { port }, simulator.account.number);
    expect(receiver.url.reveal()).toBe(hook);
    await expect.poll(() => receiver.state().fetching, slow).toBe("listening");
    simulator.faults.duplicate = true;
    for (const text of numbered(50)) simulator.phone().write({ text });
    await expect.poll(() => receiver.state().stored, slow).toBe(50);
    await expect.poll(() => receiver.state().known, slow).toBe(150);
    expect(takeTexts()).toEqual(numbered(50));
    expect(simulator.lost).toEqual([]);
  });

  it("takes by its WebSocket what no webhook brings, and is back after the REST server was away", async () => {
    const simulator = await simulate({});
    const receiver = await start(simulator.url, {}, simulator.account.number);
    await expect.poll(() => receiver.state().fetching, slow).toBe("listening");
    simulator.phone().write({ text: "before" });
    await expect.poll(() => box.state().waiting, slow).toBe(1);
    simulator.crash();
    await expect.poll(() => receiver.state().fetching, slow).toBe("connecting");
    simulator.restart();
    await expect.poll(() => receiver.state().fetching, slow).toBe("listening");
    simulator.phone().write({ text: "afterwards" });
    await expect.poll(() => box.state().waiting, slow).toBe(2);
    expect(takeTexts()).toEqual(["before", "afterwards"]);
  });

  it("listens from when the first webhook tells which number is the bot's", async () => {
    const port = await freePort();
    const hook = `http://postern:${secret.reveal()}@127.0.0.1:${port}/hooks/signal`;
    const simulator = await simulate({ hook });
    const receiver = await start(simulator.url, { port });
    expect(receiver.state().fetching).toBe("off");
    simulator.phone().write({ text: "first" });
    await expect.poll(() => receiver.state().fetching, slow).toBe("listening");
    expect(takeTexts()).toEqual(["first"]);
  });

  it("polls where there is neither webhook nor WebSocket, and then only", async () => {
    const simulator = await simulate({ mode: "normal" });
    const receiver = await start(simulator.url, {}, simulator.account.number);
    await expect.poll(() => receiver.state().fetching, slow).toBe("polling");
    for (const text of numbered(5)) simulator.phone().write({ text });
    await expect.poll(() => box.state().waiting, slow).toBe(5);
    expect(takeTexts()).toEqual(numbered(5));
  });

  it("wants nothing but the webhook where the settings say so", async () => {
    const simulator = await simulate({});
    const receiver = await start(simulator.url, { websocket: false }, simulator.account.number);
    await expect.poll(() => receiver.state().fetching, slow).toBe("off");
    simulator.phone().write({ text: "to nobody" });
    await expect.poll(() => simulator.lost.length, slow).toBe(1);
    expect(receiver.publicHook).toBeUndefined();
    expect((await start(simulator.url, { public: true })).publicHook).toBeDefined();
  });

  it("stores what is being posted while it stops", async () => {
    const receiver = await start("http://127.0.0.1:1", { websocket: false });
    const timestamp = Date.now();
    const envelope = { sourceUuid: alice, timestamp, dataMessage: { timestamp, message: "the last one" } };
    const body = JSON.stringify({ method: "receive", params: { envelope, account } });
    const { host, pathname, username, password } = new URL(receiver.url.reveal());
    const [hostname, port] = host.split(":");
    const headers = { "content-type": "application/json", "content-length": body.length };
    const request = httpRequest({
      hostname,
      port,
      path: pathname,
      method: "POST",
      auth: `${username}:${password}`,
      headers,
    });
    request.write(body.slice(0, 20));
    await sleep(100);
    const stopped = receiver[Symbol.asyncDispose]();
    await sleep(100);
    request.end(body.slice(20));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    await stopped;
    expect(takeTexts()).toEqual(["the last one"]);
  });

  it("says which port another program has", async () => {
    const first = await start("http://127.0.0.1:1");
    await expect(start("http://127.0.0.1:1", { port: first.port })).rejects.toThrow(
      `Port ${first.port} for the webhook of Signal cannot be used`,
    );
  });
});
