import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { number, soon, startWorld, type SimulatorWorld } from "../support/world.ts";

let world: SimulatorWorld;
beforeEach(async () => {
  world = await startWorld({ deliveryReceipts: false });
});
afterEach(() => world[Symbol.asyncDispose]());

interface Event {
  readonly event: string;
  readonly data: unknown;
}

/** Comments are passed over. */
async function listen(query = ""): Promise<{ events: Event[]; leave: () => void }> {
  const leaving = new AbortController();
  const response = await fetch(`${world.simulator.url}/messages/events${query}`, { signal: leaving.signal });
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const events: Event[] = [];
  void (async () => {
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (text + chunk).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
        if (event !== undefined) events.push({ event, data: JSON.parse(data!) });
      }
    }
  })().catch(() => {});
  return { events, leave: () => leaving.abort() };
}

describe("the events of a conversation", () => {
  it("are its messages, new and changed, and whether the bot types", async () => {
    const { events } = await listen();
    const typing = { recipient: world.simulator.person("you").uuid };
    const timestamp = world.simulator.phone().write({ text: "hello" });
    await soon(() => events.length === 2);
    expect(events).toMatchObject([
      { event: "message", data: { from: "you", text: "hello", timestamp, delivered: false } },
      { event: "message", data: { timestamp, delivered: true } },
    ]);
    await world.call("PUT", `/v1/typing-indicator/${number}`, typing);
    await world.call("PUT", `/v1/typing-indicator/${number}`, typing);
    await world.send({ message: "answer" });
    world.simulator.phone().setTimer(60);
    await soon(() => events.length >= 6);
    expect(events.slice(2)).toMatchObject([
      { event: "typing", data: { typing: true } },
      { event: "typing", data: { typing: false } },
      { event: "message", data: { from: "bot", text: "answer" } },
      { event: "timer", data: { expiresInSeconds: 60 } },
    ]);
  });

  it("are those of one conversation", async () => {
    const [own, team] = [await listen("?from=alice"), await listen("?from=alice&group=team")];
    world.simulator.phone("bob").write({ text: "not for alice" });
    world.simulator.phone("bob", "team").write({ text: "for the team" });
    world.simulator.phone("alice").write({ text: "alone" });
    await soon(() => own.events.length > 0 && team.events.length > 0);
    expect(own.events[0]).toMatchObject({ data: { from: "you", text: "alone" } });
    expect(team.events[0]).toMatchObject({ data: { from: "bob", text: "for the team" } });
  });

  it("end for so many readers as there may be, and have room again when one leaves", async () => {
    const readers = await Promise.all(Array.from({ length: 64 }, () => listen()));
    const statusOfOneMore = async () => {
      const { status, body } = await fetch(`${world.simulator.url}/messages/events`);
      await body?.cancel();
      return status;
    };
    expect(await statusOfOneMore()).toBe(503);
    readers[0]!.leave();
    await soon(async () => (await statusOfOneMore()) === 200);
  });
});
