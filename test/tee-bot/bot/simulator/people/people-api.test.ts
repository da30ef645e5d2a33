import { request } from "node:http";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { soon, startWorld, type SimulatorWorld } from "../support/world.ts";

let world: SimulatorWorld;
beforeEach(async () => {
  world = await startWorld({ deliveryReceipts: false });
});
afterEach(() => world[Symbol.asyncDispose]());

interface Listed {
  readonly messages: readonly (Record<string, unknown> & { readonly timestamp: number })[];
  readonly typing: boolean;
}

const list = async (query = "") => (await world.call("GET", `/messages${query}`)).body as Listed;
const post = async (path: string, body: object) => {
  const { status, body: answer } = await world.call("POST", path, body);
  return { status, timestamp: (answer as { timestamp?: number } | undefined)?.timestamp ?? 0 };
};
const arrived = async (count: number) => {
  await soon(() => world.hook.posted.length >= count);
  return world.hook.envelopes()[count - 1]!;
};

describe("the API of whoever plays the people", () => {
  it("sends as a person would, and answers with the timestamp of the message", async () => {
    const { status, timestamp } = await post("/messages", { text: "hello" });
    expect(status).toBe(201);
    const you = world.simulator.person("you");
    expect(await arrived(1)).toMatchObject({
      source: you.number,
      sourceNumber: you.number,
      sourceUuid: you.uuid,
      sourceName: "you",
      timestamp,
      dataMessage: { timestamp, message: "hello", expiresInSeconds: 0, isExpirationUpdate: false, viewOnce: false },
    });
  });

  it("lists a conversation, oldest first, from the person's side", async () => {
    const { timestamp } = await post("/messages", { text: "hello" });
    await world.send({ message: "*hi*", text_mode: "styled" });
    await post("/messages", { text: "of alice", from: "alice" });
    expect(await list()).toMatchObject({
      messages: [
        {
          from: "you",
          text: "hello",
          styles: [],
          timestamp,
          edited: false,
          deleted: false,
          quote: null,
          attachments: [],
        },
        { from: "bot", text: "hi", styles: ["0:2:ITALIC"] },
      ],
      typing: false,
    });
    expect((await list("?from=alice")).messages).toMatchObject([{ from: "you", text: "of alice" }]);
  });

  it("has groups, where others have names and @bot is a mention", async () => {
    await post("/messages", { text: "hey @bot and @bot", from: "alice", group: "team" });
    await post("/messages", { text: "I am here", group: "team" });
    const { dataMessage } = await arrived(1);
    const { uuid, number } = world.simulator.account;
    expect(dataMessage).toMatchObject({
      message: "hey ￼ and ￼",
      mentions: [
        { name: number, number, uuid, start: 4, length: 1 },
        { name: number, number, uuid, start: 10, length: 1 },
      ],
      groupInfo: { groupId: world.simulator.groupIds("team").internal, groupName: "team", type: "DELIVER" },
    });
    expect((await list("?group=team")).messages.map(({ from }) => from)).toEqual(["alice", "you"]);
    expect((await list("?group=team&from=alice")).messages.map(({ from }) => from)).toEqual(["you", "You"]);
    expect((await list()).messages).toEqual([]);
  });

  it("takes a mention in a direct conversation as text", async () => {
    await post("/messages", { text: "@bot" });
    expect((await arrived(1)).dataMessage?.message).toBe("@bot");
  });

  it("edits, deletes, reacts and quotes, and tells the bot of each", async () => {
    await world.send({ message: "answer" });
    const [answer] = (await list()).messages;
    const quoting = await post("/messages", { text: "why?", quote: answer!.timestamp });
    const { number, uuid } = world.simulator.account;
    expect((await arrived(1)).dataMessage).toMatchObject({
      quote: { id: answer!.timestamp, author: number, authorUuid: uuid, text: "answer" },
    });
    const edited = await post("/messages/edit", { timestamp: quoting.timestamp, text: "why not?" });
    expect(await arrived(2)).toMatchObject({
      timestamp: edited.timestamp,
      editMessage: { targetSentTimestamp: quoting.timestamp, dataMessage: { message: "why not?" } },
    });
    await post("/messages/edit", { timestamp: quoting.timestamp, text: "why at all?" });
    expect(await arrived(3)).toMatchObject({ editMessage: { targetSentTimestamp: edited.timestamp } });
    await post("/messages/reaction", { timestamp: answer!.timestamp, emoji: "👎" });
    expect((await arrived(4)).dataMessage).toMatchObject({
      message: null,
      reaction: { emoji: "👎", targetAuthorUuid: uuid, targetSentTimestamp: answer!.timestamp, isRemove: false },
    });
    await post("/messages/reaction", { timestamp: answer!.timestamp, emoji: "👎", remove: true });
    expect((await arrived(5)).dataMessage).toMatchObject({ reaction: { isRemove: true } });
    await post("/messages/delete", { timestamp: quoting.timestamp });
    expect((await arrived(6)).dataMessage).toMatchObject({ remoteDelete: { timestamp: quoting.timestamp } });
    expect((await list()).messages).toMatchObject([
      { text: "answer", reactions: [] },
      { text: "", edited: true, deleted: true },
    ]);
  });

  it("sets timers, types, and reads", async () => {
    await post("/messages/timer", { seconds: 3_600 });
    expect((await arrived(1)).dataMessage).toMatchObject({
      expiresInSeconds: 3_600,
      isExpirationUpdate: true,
      message: null,
    });
    await post("/messages", { text: "gone in an hour" });
    expect((await arrived(2)).dataMessage).toMatchObject({ expiresInSeconds: 3_600 });
    await post("/messages/typing", { typing: true, group: "team" });
    expect(await arrived(3)).toMatchObject({
      typingMessage: { action: "STARTED", groupId: world.simulator.groupIds("team").internal },
    });
    await world.send({ message: "answer" });
    await post("/messages/read", {});
    const answer = (await list()).messages.at(-1)!;
    expect(await arrived(4)).toMatchObject({ receiptMessage: { isRead: true, timestamps: [answer.timestamp] } });
    expect(answer).toMatchObject({ read: true });
    await post("/messages/read", {});
    await post("/messages/typing", { typing: false });
    expect(await arrived(5)).toMatchObject({ typingMessage: { action: "STOPPED" } });
  });

  it("sends stickers, view-once pictures and hidden numbers as Signal does", async () => {
    await post("/messages", { sticker: "9a32eda01a7a28574f2eb48668ae0dc4:3" });
    expect((await arrived(1)).dataMessage).toMatchObject({
      message: null,
      sticker: { packId: "9a32eda01a7a28574f2eb48668ae0dc4", stickerId: 3 },
    });
    const attachments = [{ base64: btoa("x"), contentType: "image/png" }];
    await post("/messages", { viewOnce: true, attachments });
    expect((await arrived(2)).dataMessage).toMatchObject({
      viewOnce: true,
      attachments: [{ contentType: "image/png" }],
    });
    expect(await world.call("PUT", "/messages/people/you", { hidesNumber: true })).toMatchObject({ status: 204 });
    await post("/messages", { text: "who am I?" });
    const { uuid } = world.simulator.person("you");
    expect(await arrived(3)).toMatchObject({ source: uuid, sourceNumber: null, sourceUuid: uuid });
  });

  it.each([
    ["/messages", {}, 400],
    ["/messages", { text: "x", color: "red" }, 400],
    ["/messages", { text: "x", from: "bot" }, 400],
    ["/messages", { text: "x", from: "" }, 400],
    ["/messages", { text: "x", group: "a/b" }, 400],
    ["/messages", { text: "x", quote: 5 }, 404],
    ["/messages", { text: "x".repeat(1_000_001) }, 400],
    ["/messages", { attachments: [{ base64: "%" }] }, 400],
    ["/messages/edit", { timestamp: 5, text: "x" }, 404],
    ["/messages/timer", { seconds: -1 }, 400],
    ["/messages/other", {}, 404],
  ])("refuses %s %j with %i", async (path, body, status) => {
    expect(await world.call("POST", path, body)).toMatchObject({
      status,
      body: { status, detail: expect.any(String) as string },
    });
    expect(world.simulator.conversation().messages).toEqual([]);
  });

  it("refuses to change the bot's messages", async () => {
    await world.send({ message: "mine" });
    const [{ timestamp }] = (await list()).messages as [{ timestamp: number }];
    expect(await post("/messages/edit", { timestamp, text: "yours" })).toMatchObject({ status: 400 });
    expect(await post("/messages/delete", { timestamp })).toMatchObject({ status: 400 });
    expect((await list()).messages).toMatchObject([{ text: "mine" }]);
  });

  it.each([
    [{ host: "evil.example" }, 403],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "http://localhost:3000" }, 200],
  ])("lets in who is on this machine only: %j", async (headers, status) => {
    const { port } = new URL(world.simulator.url);
    const asked = request({ port, host: "127.0.0.1", path: "/messages", headers }).end();
    const [response] = (await once(asked, "response")) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(status);
  });

  it("goes on while the REST server is down", async () => {
    world.simulator.crash();
    expect(await post("/messages", { text: "are you there?" })).toMatchObject({ status: 201 });
    expect((await list()).messages).toMatchObject([{ text: "are you there?", delivered: false }]);
  });

  it("names the people, the groups, and what is lost", async () => {
    await post("/messages", { text: "hello", from: "alice", group: "team" });
    await arrived(1);
    const { number, uuid } = world.simulator.person("alice");
    expect((await world.call("GET", "/messages/people")).body).toEqual({
      people: [{ name: "alice", number, uuid, hidesNumber: false }],
      groups: [{ name: "team", id: world.simulator.groupIds("team").internal, members: ["alice"] }],
    });
    world.hook.answer = () => ({ status: 500 });
    const { timestamp } = await post("/messages", { text: "lost", from: "alice" });
    await soon(() => world.simulator.lost.length > 0);
    expect((await world.call("GET", "/messages/lost")).body).toEqual({
      lost: [{ from: "alice", timestamp, kind: "dataMessage", why: "the webhook answered 500", mayHaveArrived: false }],
    });
    expect(await world.call("POST", "/messages/people/alice/reinstall")).toMatchObject({ status: 204 });
  });
});
