import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { soon, startWorld, type SimulatorWorld } from "../support/world.ts";

/** Long enough for what must not happen to have happened. */
const pauseMs = 150;
const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs));

let world: SimulatorWorld;
beforeEach(async () => {
  world = await startWorld({ deliveryReceipts: false });
});
afterEach(() => world[Symbol.asyncDispose]());

const write = (...texts: string[]) => texts.forEach((text) => world.simulator.phone().write({ text }));
const arrived = (count: number) => soon(() => world.hook.texts().length >= count);

describe("the container of signal-cli and the REST server", () => {
  it("posts each message once, in order, one after another", async () => {
    let open = 0;
    let most = 0;
    world.hook.answer = async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open--;
      return { status: 201 };
    };
    const texts = Array.from({ length: 30 }, (_, index) => `message ${index}`);
    write(...texts);
    await arrived(texts.length);
    expect(world.hook.texts()).toEqual(texts);
    expect(most).toBe(1);
    expect(world.simulator.lost).toEqual([]);
  });

  it("reads no answer while a webhook is open, so that a hook which sends first waits for itself", async () => {
    let sent: Promise<unknown> | undefined;
    let finished = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    world.hook.answer = async () => {
      sent = world.send({ message: "from the hook" }).then(() => (finished = true));
      await promise;
      return { status: 200 };
    };
    write("hello");
    await arrived(1);
    await pause();
    expect(finished).toBe(false);
    expect(world.simulator.conversation().messages.map(({ text }) => text)).toEqual(["hello", "from the hook"]);
    resolve();
    await sent;
    expect(finished).toBe(true);
  });

  it.each([202, 204, 400, 500])("tries a webhook once, and loses what is answered with %i", async (status) => {
    world.hook.answer = () => ({ status });
    write("lost");
    await soon(() => world.simulator.lost.length === 1);
    world.hook.answer = () => ({ status: 200 });
    write("taken");
    await arrived(2);
    expect(world.hook.texts()).toEqual(["lost", "taken"]);
    expect(world.simulator.lost).toMatchObject([{ from: "you", why: `the webhook answered ${status}` }]);
    // The sender sees two ticks all the same.
    expect(world.simulator.conversation().messages[0]).toMatchObject({ text: "lost", delivered: true });
  });

  it("loses what comes while nobody listens at the webhook", async () => {
    await world.hook[Symbol.asyncDispose]();
    write("lost");
    await soon(() => world.simulator.lost.length === 1);
    expect(world.simulator.lost[0]?.why).toMatch(/^the webhook could not be called: /);
    expect(world.simulator.waiting).toBe(0);
  });

  it("keeps at Signal what comes while it is down, and posts it when it is back", async () => {
    world.simulator.crash();
    expect(world.simulator.isUp).toBe(false);
    write("one", "two");
    await pause();
    expect(world.hook.posted).toEqual([]);
    expect(world.simulator.waiting).toBe(2);
    await expect(world.call("GET", "/v1/health")).rejects.toThrow();
    world.simulator.restart();
    await arrived(2);
    expect(world.hook.texts()).toEqual(["one", "two"]);
    expect(await world.call("GET", "/v1/health")).toMatchObject({ status: 204 });
  });

  it("loses in a crash what it had taken, and says which message may have arrived", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.hook.answer = () => promise.then(() => ({ status: 200 }));
    write("one", "two", "three");
    await arrived(1);
    await soon(() => world.simulator.waiting === 0);
    world.simulator.crash();
    resolve();
    expect(world.simulator.lost.map(({ mayHaveArrived }) => mayHaveArrived)).toEqual([true, false, false]);
    world.simulator.restart();
    await pause();
    expect(world.hook.texts()).toEqual(["one"]);
  });

  it("accounts for each message of a burst, however often it dies in it", async () => {
    const { simulator, hook } = world;
    const people = Array.from({ length: 10 }, (_, index) => `person ${index}`);
    const sent: number[] = [];
    for (let round = 1; round <= 4; round++) {
      for (const person of people)
        for (let count = 0; count < 10; count++) sent.push(simulator.phone(person).write({ text: person }));
      await arrived(round * 20);
      simulator.crash();
      await pause(); // what was on its way to the hook has come
      if (round === 4) break;
      simulator.restart();
    }
    simulator.restart();
    await soon(() => simulator.waiting === 0);
    await pause();
    const posted = hook.envelopes().map(({ timestamp }) => timestamp);
    const surelyLost = simulator.lost.filter(({ mayHaveArrived }) => !mayHaveArrived).map(({ timestamp }) => timestamp);
    const unsure = simulator.lost.filter(({ mayHaveArrived }) => mayHaveArrived).map(({ timestamp }) => timestamp);
    expect(posted).toEqual([...new Set(posted)]);
    expect(surelyLost.length).toBeGreaterThan(0);
    expect(posted.filter((timestamp) => surelyLost.includes(timestamp))).toEqual([]);
    expect(unsure.length).toBeLessThanOrEqual(4);
    expect([...new Set([...posted, ...surelyLost, ...unsure])].toSorted((one, other) => one - other)).toEqual(sent);
  });

  it("takes no more from Signal than the connection between its halves holds", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.hook.answer = () => promise.then(() => ({ status: 200 }));
    write(...Array.from({ length: 50 }, (_, index) => `message ${index}`));
    await arrived(1);
    await pause();
    expect(world.simulator.waiting).toBeGreaterThan(30);
    resolve();
    await arrived(50);
  });

  it("emits twice, or out of order, when it is told to", async () => {
    world.simulator.crash();
    write("a", "b", "c", "d");
    world.simulator.faults.reorder = true;
    world.simulator.restart();
    await arrived(4);
    expect(world.hook.texts()).toEqual(["b", "a", "d", "c"]);
    world.simulator.faults.clear();
    world.simulator.faults.duplicate = true;
    write("twice");
    await arrived(6);
    expect(world.hook.texts().slice(4)).toEqual(["twice", "twice"]);
    expect(world.hook.posted[4]?.body).toBe(world.hook.posted[5]?.body);
  });

  it("dies under concurrent calls when it is told to, as the real one does by chance", async () => {
    world.simulator.faults.crashAtCalls = 3;
    world.simulator.faults.callMs = 1_000; // long enough for all to come
    const calls = await Promise.allSettled(["a", "b", "c"].map((message) => world.send({ message })));
    expect(calls.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(world.simulator.isUp).toBe(false);
    world.simulator.restart();
    world.simulator.faults.callMs = 0;
    for (const message of ["a", "b", "c"]) expect(await world.send({ message })).toMatchObject({ status: 201 });
  });

  it("answers nothing when it hangs, and late when it is slow", async () => {
    const { faults } = world.simulator;
    faults.callMs = 100;
    const startedAt = performance.now();
    await world.send({ message: "late" });
    expect(performance.now() - startedAt).toBeGreaterThan(90);
    faults.clear();
    faults.hang = true;
    const call = fetch(`${world.simulator.url}/v1/accounts`, { signal: AbortSignal.timeout(pauseMs) });
    await expect(call).rejects.toThrow(/timeout/);
  });
});

describe("a container that restarts by itself", () => {
  it("is back after a while", async () => {
    await using own = await startWorld({ restartAfterMs: 50 });
    own.simulator.crash();
    expect(own.simulator.isUp).toBe(false);
    await soon(() => own.simulator.isUp);
    expect(await own.call("GET", "/v1/accounts")).toMatchObject({ status: 200 });
  });
});

describe("normal mode", () => {
  it("receives when it is polled, and has no webhook", async () => {
    await using own = await startWorld({ mode: "normal" });
    for (const text of ["one", "two", "three"]) own.simulator.phone().write({ text });
    const poll = async (query: string): Promise<unknown[]> => {
      const { status, body } = await own.call("GET", `/v1/receive/+15550000001${query}`);
      expect(status).toBe(200);
      const messages = JSON.parse(String(body)) as {
        envelope: { dataMessage: { message: string } };
        account: string;
      }[];
      return messages.map(({ envelope, account }) => [account, envelope.dataMessage.message]);
    };
    expect(await poll("?max_messages=2&timeout=1")).toEqual([
      ["+15550000001", "one"],
      ["+15550000001", "two"],
    ]);
    expect(await poll("?timeout=0")).toEqual([["+15550000001", "three"]]);
    const startedAt = performance.now();
    expect(await poll("")).toEqual([]);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(own.hook.posted).toEqual([]);
    expect(await own.call("GET", "/v1/about")).toMatchObject({ body: { mode: "normal" } });
  });

  it("answers a poll as soon as there is something, and does one call after another meanwhile", async () => {
    await using own = await startWorld({ mode: "normal", deliveryReceipts: false });
    const poll = own.call("GET", "/v1/receive/+15550000001?timeout=20");
    await pause();
    const sent = own.send({ message: "waits for the poll" });
    await pause();
    expect(own.simulator.conversation().messages).toEqual([]);
    own.simulator.phone().write({ text: "now" });
    expect(JSON.parse(String((await poll).body))).toHaveLength(1);
    expect(await sent).toMatchObject({ status: 201 });
  });
});
