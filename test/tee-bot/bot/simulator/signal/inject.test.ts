import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { soon, startWorld, type SimulatorWorld } from "../support/world.ts";
import { signalFixture } from "../support/signal-fixtures.ts";

let world: SimulatorWorld;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const carol = "cccccccc-1111-4111-8111-111111111111";
const line = (dataMessage: object, envelope: object = {}) =>
  JSON.stringify({
    jsonrpc: "2.0",
    method: "receive",
    params: {
      envelope: { sourceUuid: carol, sourceNumber: null, sourceName: "Carol", timestamp: 5, dataMessage, ...envelope },
      account: "+15550000001",
    },
  });

describe("a line of signal-cli that is put in", () => {
  it("is posted byte for byte, and makes its sender known", async () => {
    const text = line({ message: "hello  there" });
    world.simulator.inject(text);
    await soon(() => world.hook.posted.length === 1);
    expect(world.hook.posted[0]?.body).toBe(`${text}\n`);
    expect(world.simulator.conversation("Carol").messages).toMatchObject([{ from: "you", text: "hello  there" }]);
    expect(await world.send({ recipients: [carol], message: "hi Carol" })).toMatchObject({ status: 201 });
    expect(world.simulator.conversation("Carol").messages.at(-1)).toMatchObject({ from: "bot", text: "hi Carol" });
  });

  it("makes a group known, and its files", async () => {
    const groupId = Buffer.alloc(32, 9).toString("base64");
    const attachments = [{ id: "a.jpg", contentType: "image/jpeg", size: 3 }];
    const groupInfo = { groupId, groupName: "Friends" };
    world.simulator.inject(line({ message: null, attachments, groupInfo }), { "a.jpg": Buffer.from("abc") });
    await soon(() => world.hook.posted.length === 1);
    expect(world.simulator.groupIds("Friends").internal).toBe(groupId);
    expect(await world.call("GET", "/v1/attachments/a.jpg")).toMatchObject({ status: 200, body: "abc" });
  });

  it("is made one line of, where it has several", async () => {
    const value = JSON.parse(line({ message: "hello" })) as object;
    world.simulator.inject(JSON.stringify(value, null, 2));
    world.simulator.inject(value);
    await soon(() => world.hook.posted.length === 2);
    expect(world.hook.posted.map(({ body }) => body)).toEqual(Array(2).fill(`${JSON.stringify(value)}\n`));
  });

  it("is refused where it has no envelope", () => {
    expect(() => world.simulator.inject({ jsonrpc: "2.0", id: 1, result: {} })).toThrow(/no line of signal-cli/);
    expect(() => world.simulator.inject("no JSON")).toThrow(SyntaxError);
  });

  const folder = signalFixture("envelopes");
  it.skipIf(!folder)("may be any of those that are known (skipped without ../shared/fixtures/signal)", async () => {
    const lines = readdirSync(folder!)
      .filter((name) => name.endsWith(".json"))
      .map((name) => JSON.parse(readFileSync(join(folder!, name), "utf8")) as object);
    expect(lines.length).toBeGreaterThan(25);
    for (const value of lines) world.simulator.inject(value);
    await soon(() => world.hook.posted.length === lines.length);
    expect(world.hook.posted.map(({ body }) => JSON.parse(body) as object)).toEqual(lines);
    expect(world.simulator.lost).toEqual([]);
    expect(world.simulator.conversation("Alice").messages.length).toBeGreaterThan(5);
  });
});
