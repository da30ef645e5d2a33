import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ConversationStore } from "../../../../tee-bot/bot/conversations/conversation-store.ts";
import { startRedis, type Redis } from "../../../support/redis.ts";
import { contentsOf, conversationWorld, said, type ConversationWorld } from "./support/world.ts";
import type { WriterTask } from "./support/writer.ts";

let redis: Redis;
beforeAll(async () => void (redis = await startRedis()));
afterAll(() => redis[Symbol.asyncDispose]());

describe.each([["SQLite"], ["Redis"]])("conversations in %s", (kind) => {
  let world: ConversationWorld;
  let store: ConversationStore;
  const redisUrl = (): string | undefined => (kind === "Redis" ? redis.url : undefined);
  beforeEach(() => {
    world = conversationWorld({ redisUrl: redisUrl() });
    store = world.open();
  });
  afterEach(() => world[Symbol.dispose]());

  it("are given as a model takes them, with the system prompt", async () => {
    await store.append("ada", said(1, { content: "hello" }));
    await store.append("ada", said(2, { role: "assistant", content: "good day" }));
    expect(await store.messages("ada", { systemPrompt: "Be brief.", isGroup: false })).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "hello" },
      { role: "assistant", content: "good day" },
    ]);
    expect(await store.count("ada")).toBe(2);
    expect(await store.count("bob")).toBe(0);
  });

  it("keep a question with its answer, ask with it as the last, and lose both together", async () => {
    await store.append("ada", said(1));
    await store.keepExchange("ada", said(2), "an answer");
    expect(await contentsOf(store, "ada")).toEqual(["message 1", "message 2", "an answer"]);
    expect((await store.lastQuestion("ada"))?.content).toBe("message 2");
    const question = said(2, { content: "asked anew" });
    const asked = await store.messages("ada", { isGroup: false, question });
    expect(asked.map(({ content }) => content)).toEqual(["message 1", "asked anew"]);
    expect(await store.deleteExchange("ada", { person: "ada", timestamp: 2 })).toBe(true);
    expect(await contentsOf(store, "ada")).toEqual(["message 1"]);
  });

  it("keep a message once, however often it is delivered, and one to be viewed once not at all", async () => {
    expect(await store.append("ada", said(1))).toBe(true);
    expect(await store.append("ada", said(1))).toBe(false);
    expect(await store.append("ada", said(2, { isViewOnce: true }))).toBe(false);
    expect(await contentsOf(store, "ada")).toEqual(["message 1"]);
  });

  it("keep the newest 50 by default", async () => {
    for (let n = 1; n <= 53; n++) await store.append("ada", said(n));
    expect(await store.count("ada")).toBe(50);
    expect((await contentsOf(store, "ada"))[0]).toBe("message 4");
  });

  it("are over after 24 hours by default, a message with a timer earlier", async () => {
    await store.append("ada", said(1));
    await store.append("ada", said(2, { expiresInSeconds: 60 }));
    world.advance(60_000);
    expect(await contentsOf(store, "ada")).toEqual(["message 1"]);
    world.advance(24 * 3_600_000 - 60_000);
    expect(await store.count("ada")).toBe(0);
  });

  it("keep as many and as long as is configured", async () => {
    using small = world.open({ limits: { maxMessages: 2, ttlMs: 1_000 } });
    for (const n of [1, 2, 3]) await small.append("ada", said(n));
    expect(await contentsOf(small, "ada")).toEqual(["message 2", "message 3"]);
    world.advance(1_000);
    expect(await small.count("ada")).toBe(0);
  });

  it("are trimmed and cleared, and say how many messages went", async () => {
    for (const n of [1, 2, 3, 4, 5]) await store.append("ada", said(n));
    await store.append("bob", said(1));
    expect(await store.trim("ada", 3)).toBe(2);
    expect(await contentsOf(store, "ada")).toEqual(["message 3", "message 4", "message 5"]);
    expect(await store.clear("ada")).toBe(3);
    expect(await store.clear("ada")).toBe(0);
    expect([await store.count("ada"), await store.count("bob")]).toEqual([0, 1]);
    await store.append("ada", said(6));
    expect(await contentsOf(store, "ada")).toEqual(["message 6"]);
  });

  it("follow edits and deletions, of the sender's own messages only", async () => {
    await store.append("group", said(1));
    await store.append("group", said(2));
    const eve = said(1, { person: "eve" });
    expect(await store.edit("group", eve, { content: "forged", editedAt: 3 })).toBe(false);
    expect(await store.delete("group", eve)).toBe(false);
    expect(await store.edit("group", said(1), { content: "better", editedAt: 3 })).toBe(true);
    expect(await store.delete("group", said(2))).toBe(true);
    expect(await contentsOf(store, "group")).toEqual(["better"]);
  });

  it("forget a person everywhere, and nobody else", async () => {
    await store.append("ada", said(1));
    await store.append("ada", said(2, { role: "assistant" }));
    await store.append("group", said(1));
    await store.append("group", said(1, { person: "bob", content: "bob's" }));
    using others = world.open({ storageKey: new Uint8Array(32).fill(1) });
    await others.append("ada", said(1));
    expect(await store.forget("ada")).toBe(3);
    expect([await store.count("ada"), await contentsOf(store, "group")]).toEqual([0, ["bob's"]]);
    expect(await others.count("ada")).toBe(1);
    expect(world.refusals).toEqual([]);
  });

  it("are there after a restart when they are durable, and gone when they are ephemeral", async () => {
    await store.append("ada", said(1));
    store[Symbol.dispose]();
    const again = world.open();
    expect(await contentsOf(again, "ada")).toEqual(["message 1"]);
    again[Symbol.dispose]();
    using fresh = world.open({ mode: "ephemeral", storageKey: new Uint8Array(32).fill(2) });
    expect(await fresh.count("ada")).toBe(0);
    expect(world.refusals).toEqual([]);
  });

  it("refuse a message longer than Signal carries", async () => {
    await expect(store.append("ada", said(1, { content: "é".repeat(32_769) }))).rejects.toThrow("is not kept");
    expect(await store.append("ada", said(1, { content: "é".repeat(32_768) }))).toBe(true);
  });

  it("stay apart and in order when a hundred go on at once", async () => {
    const names = Array.from({ length: 100 }, (_, n) => `person-${n}`);
    const speak = async (name: string): Promise<void> => {
      const appends = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) =>
        store.append(name, said(n, { person: name, content: `${name} ${n}` })),
      );
      await Promise.all(appends);
    };
    await Promise.all(names.map(speak));
    for (const name of names)
      expect(await contentsOf(store, name)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => `${name} ${n}`));
  });

  it("lose nothing when two processes say things in the same one", async () => {
    const folder = join(world.folder, "shared");
    mkdirSync(folder);
    const task: WriterTask = {
      folder,
      redisUrl: redisUrl(),
      storageKey: Buffer.from(world.storageKey).toString("base64"),
      conversation: "group",
      messages: 60,
    };
    const script = join(import.meta.dirname, "support/writer.ts");
    const children = [1, 2].map(() => fork(script, [JSON.stringify(task)], { execArgv: [] }));
    for (const [code] of await Promise.all(children.map((child) => once(child, "exit")))) expect(code).toBe(0);
    using reader = world.open({ folder, limits: { maxMessages: 1_000, ttlMs: 3_600_000 } });
    const contents = await contentsOf(reader, "group");
    const people = [...new Set(contents.map((content) => content.split(" ")[0]))];
    expect(people).toHaveLength(2);
    for (const person of people)
      expect(contents.filter((content) => content.startsWith(person!))).toEqual(
        Array.from({ length: 60 }, (_, n) => `${person} ${n}`),
      );
    expect(world.refusals).toEqual([]);
  }, 60_000);
});
