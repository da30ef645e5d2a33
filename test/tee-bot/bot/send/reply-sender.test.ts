import { describe, expect, it } from "vitest";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { until } from "../../../support/postern.ts";
import { directChat, replyOf } from "./support/memory-outbox.ts";
import { sentAnswer, startSendingWorld, usualAnswer } from "./support/sending-world.ts";

const alice = "aaaaaaaa-1111-4111-8111-111111111111";
const bob = "cccccccc-2222-4222-8222-222222222222";
const team = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI=";
const refused = (error: string) => ({ status: 400, body: { error } });

describe("the sender of replies", () => {
  it("says everything that a reply has to say, and keeps the time by which it is known", async () => {
    await using world = await startSendingWorld({
      send: () => ({ status: 201, body: [{ timestamp: "1767225600123" }] }),
    });
    const quote = { timestamp: 5, author: alice, text: new Sensitive("What is it?") };
    const attachment = {
      name: "proof; of, today.json",
      contentType: "application/json",
      content: new Sensitive(Buffer.from("{}")),
    };
    const ids = world.outbox.put(
      replyOf(directChat(alice), "**It** is 42.", { quote, attachment }),
      replyOf({ kind: "group", group: team }, "Hello all", { edits: 7 }),
    );
    await world.untilDone();
    expect(world.outbox.done).toEqual(ids.map((id) => ({ id, timestamp: 1_767_225_600_123 })));
    const [first, second] = world.rest.calls.filter(({ path }) => path === "/v2/send").map(({ body }) => body);
    expect(first).toEqual({
      number: "+15550000001",
      recipients: [alice],
      message: "**It** is 42.",
      text_mode: "styled",
      quote_timestamp: 5,
      quote_author: alice,
      quote_message: "What is it?",
      base64_attachments: ["data:application/json;filename=proof_of_today.json;base64,e30="],
    });
    expect(second).toEqual({
      number: "+15550000001",
      recipients: ["group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="],
      message: "Hello all",
      text_mode: "styled",
      edit_timestamp: 7,
    });
  });

  it.each([
    ["a server that never answers", "hang" as const],
    ["a connection that breaks", "reset" as const],
    ["a proxy's 502", { status: 502 }],
    ["an answer that says nothing", { status: 201, body: "OK" }],
  ])("never sends again what may have gone out: %s", async (_, answer) => {
    await using world = await startSendingWorld({
      send: ({ body }) => (body["message"] === "first" ? answer : sentAnswer()),
      sendMs: answer === "hang" ? 700 : 5_000,
    });
    const [first] = world.outbox.put(replyOf(directChat(alice), "first"), replyOf(directChat(alice), "second"));
    await world.untilDone();
    expect(world.texts()).toEqual(["first", "second"]);
    expect(world.outbox.over).toEqual([{ id: first, why: "undecidable", reason: "unknown" }]);
    expect(world.sending.state().counts).toMatchObject({ sent: 1, undecidable: 1 });
  });

  it("asks a server that swallowed a reply something harmless first, and not the next reply", async () => {
    let isHanging = false;
    await using world = await startSendingWorld({
      send: ({ body }) => {
        if (body["message"] === alice) isHanging = true;
        return isHanging ? "hang" : sentAnswer();
      },
      other: (call) => (isHanging ? "hang" : usualAnswer(call)),
      sendMs: 700,
    });
    world.outbox.put(...[alice, bob, "x", "y"].map((person) => replyOf(directChat(person), person)));
    await until(() => world.rest.calls.filter(({ path }) => path === "/v1/accounts").length > 2, 10_000, "it probes");
    expect(world.texts()).toEqual([alice]);
    isHanging = false;
    await world.untilDone();
    expect([world.outbox.done.length, world.outbox.over.length]).toEqual([3, 1]);
  });

  it("risks no reply on a server that has broken since it was last heard of, behind a proxy that answers for it", async () => {
    let isBroken = true;
    await using world = await startSendingWorld({
      send: () => (isBroken ? { status: 502 } : sentAnswer()),
      other: (call) => (isBroken ? { status: 502 } : usualAnswer(call)),
    });
    world.outbox.put(replyOf(directChat(alice), "hello"));
    await until(() => world.sending.state().pause !== undefined, 10_000, "it notices");
    isBroken = false;
    await world.untilDone();
    expect([world.texts(), world.outbox.over]).toEqual([["hello"], []]);
  });

  it("waits for a server that is away, sends everything once it is back, and tries no reply meanwhile", async () => {
    await using world = await startSendingWorld();
    await world.rest.stop();
    world.outbox.put(...["1", "2", "3"].map((text) => replyOf(directChat(alice), text)));
    await until(() => world.sending.state().pause?.why === "lost", 10_000, "it notices");
    expect(world.sending.state().troubles).toMatchObject([{ kind: "unreachable" }]);
    await world.rest.start();
    await world.untilDone();
    expect(world.texts()).toEqual(["1", "2", "3"]);
    expect(world.sending.state()).toMatchObject({ pause: undefined, troubles: [] });
    expect(world.outbox.over).toEqual([]);
  });

  it("does not send through a server that has started without the account", async () => {
    let accounts: string[] = [];
    await using world = await startSendingWorld({
      other: (call) => (call.path === "/v1/accounts" ? { status: 200, body: accounts } : usualAnswer(call)),
    });
    await world.rest.stop();
    world.outbox.put(replyOf(directChat(alice), "hello"));
    await until(() => world.sending.state().pause !== undefined, 10_000, "it notices");
    await world.rest.start();
    const kinds = (): string[] => world.sending.state().troubles.map(({ kind }) => kind);
    await until(() => kinds().includes("account-absent"), 10_000, "it tells");
    expect(world.texts()).toEqual([]);
    accounts = ["+15550000001"];
    await world.untilDone();
    expect(world.outbox.done).toHaveLength(1);
  });

  it("stops all sending for a rate limit, shows a challenge's token to nobody but who asks, and goes on", async () => {
    let isLimited = true;
    const limit = { status: 429, body: { error: "rate limiting", challenge_tokens: ["secret-token"], account: "+1" } };
    await using world = await startSendingWorld({ send: () => (isLimited ? limit : sentAnswer()), factor: 5 });
    world.outbox.put(...[alice, bob].map((person) => replyOf(directChat(person), person)));
    await until(() => world.sending.state().pause?.why === "rate-limited", 10_000, "it stops");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(world.texts()).toEqual([alice]);
    expect(world.sending.challenge()?.reveal()).toBe("secret-token");
    expect(JSON.stringify([world.log.events, world.sending.state()])).not.toContain("secret-token");
    expect(world.sending.state().troubles).toMatchObject([{ kind: "challenge", count: 1 }]);
    isLimited = false;
    world.sending.retry();
    await world.untilDone(8_000); // a minute of this clock is twelve seconds
    expect(world.outbox.done).toHaveLength(2);
    expect([world.sending.challenge(), world.sending.state().troubles]).toEqual([undefined, []]);
  });

  it("keeps a reply to somebody with a new safety number, and others do not wait for it", async () => {
    let isTrusted = false;
    await using world = await startSendingWorld({
      send: ({ body }) =>
        body["message"] === "for alice" && !isTrusted
          ? refused("Failed to send message due to untrusted identities")
          : sentAnswer(),
    });
    const [first, second] = world.outbox.put(
      replyOf(directChat(alice), "for alice"),
      replyOf(directChat(alice), "for alice, too"),
      replyOf(directChat(bob), "for bob"),
    );
    await until(() => world.outbox.done.length === 1, 10_000, "bob has his");
    expect(world.sending.state().troubles).toMatchObject([{ kind: "untrusted" }]);
    isTrusted = true;
    await world.untilDone();
    expect(world.outbox.done.slice(1).map(({ id }) => id)).toEqual([first, second]);
  });

  it("gives up what nobody waits for any more, and what is refused for good", async () => {
    await using world = await startSendingWorld({
      send: ({ body }) => {
        if (body["message"] === "to nobody") return refused("The user +15550000009 is not registered.");
        return { status: 429, body: { error: "", challenge_tokens: [""] } };
      },
      ttlMs: 400_000,
      factor: 200,
    });
    const ids = world.outbox.put(replyOf(directChat("x"), "to nobody"), replyOf(directChat("z"), "late"));
    await world.untilDone();
    const whys = new Map(world.outbox.over.map(({ id, why }) => [id, why]));
    expect(ids.map((id) => whys.get(id))).toEqual(["refused", "age"]);
  });

  it("tries what was refused some times, since a server that has just started refuses what it takes later", async () => {
    let left = 3;
    await using world = await startSendingWorld({
      send: ({ body }) =>
        body["message"] === "never" || left-- > 0 ? refused("Specified account does not exist") : sentAnswer(),
    });
    world.outbox.put(replyOf(directChat(alice), "soon"));
    await world.untilDone();
    expect(world.texts()).toHaveLength(4);
    world.outbox.put(replyOf(directChat(alice), "never"));
    await world.untilDone();
    expect(world.texts().slice(4)).toHaveLength(6);
    expect(world.outbox.over).toMatchObject([{ why: "refused", reason: "refused" }]);
  });

  it("counts a group's message as sent though some were not reached, and a person's as not", async () => {
    const recipients = [{ number: null, uuid: alice, reason: "IDENTITY_FAILURE" }];
    let isTrusted = false;
    await using world = await startSendingWorld({
      send: () =>
        isTrusted ? sentAnswer() : { status: 201, body: [{ timestamp: "1767225600123", errors: { recipients } }] },
    });
    world.outbox.put(replyOf({ kind: "group", group: team }, "to all"));
    await world.untilDone();
    expect(world.sending.state()).toMatchObject({ counts: { sent: 1, partial: 1 }, troubles: [{ kind: "untrusted" }] });
    world.outbox.put(replyOf(directChat(alice), "to her"));
    await until(() => world.sending.state().counts.retried > 0, 10_000, "it is tried again");
    expect(world.outbox.done).toHaveLength(1);
    isTrusted = true;
    await world.untilDone();
    expect(world.outbox.done).toHaveLength(2);
  });

  it("does not call when it cannot store that it does, and goes on when it can again", async () => {
    await using world = await startSendingWorld();
    const { outbox } = world;
    const sending = outbox.sending.bind(outbox);
    outbox.sending = () => {
      throw new Error("The disk is full.");
    };
    outbox.put(replyOf(directChat(alice), "hello"));
    await until(() => world.log.events.some(({ event }) => event === "reply.store-failed"), 10_000, "it fails");
    expect(world.texts()).toEqual([]);
    outbox.sending = sending;
    await world.untilDone();
    expect(world.texts()).toEqual(["hello"]);
  });

  it("does not send what was taken back while it waited for its turn", async () => {
    let takeBack = (): void => {};
    await using world = await startSendingWorld({
      send: () => {
        takeBack();
        return sentAnswer();
      },
    });
    const [, second] = world.outbox.put(...[alice, bob, "x"].map((person) => replyOf(directChat(person), person)));
    takeBack = () => {
      takeBack = () => {};
      world.outbox.takeBack(second!);
    };
    await world.untilDone();
    expect([world.texts(), world.outbox.over]).toEqual([[alice, "x"], []]);
  });

  it("does not send again what it could not store the end of", async () => {
    await using world = await startSendingWorld();
    world.outbox.sent = () => {
      throw new Error("The disk is full.");
    };
    world.outbox.put(replyOf(directChat(alice), "hello"), replyOf(directChat(bob), "other"));
    await until(() => world.texts().length === 2, 10_000, "both are sent");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(world.texts()).toEqual(["hello", "other"]);
    world.outbox.crash();
    expect(world.outbox.over.map(({ why }) => why)).toEqual(["undecidable", "undecidable"]);
  });

  it("goes on in a chat when the disk takes the end of a reply later", async () => {
    await using world = await startSendingWorld();
    const { outbox } = world;
    const sent = outbox.sent.bind(outbox);
    outbox.sent = () => {
      throw new Error("The disk is full.");
    };
    outbox.put(replyOf(directChat(alice), "first"), replyOf(directChat(alice), "second"));
    await until(() => world.log.events.some(({ event }) => event === "reply.store-failed"), 10_000, "it fails");
    expect(world.texts()).toEqual(["first"]);
    outbox.sent = sent;
    await world.untilDone();
    expect(world.texts()).toEqual(["first", "second"]);
    expect(outbox.over).toEqual([]);
  });

  it("lets the call that is under way end when it has to stop, but not for ever", async () => {
    await using slow = await startSendingWorld({ send: () => ({ ...slowAnswer, afterMs: 100 }), factor: 20 });
    slow.outbox.put(replyOf(directChat(alice), "first"), replyOf(directChat(alice), "second"));
    await until(() => slow.texts().length === 1, 10_000, "it is under way");
    await slow.stop();
    expect([slow.outbox.done.length, slow.texts()]).toEqual([1, ["first"]]);

    await using hanging = await startSendingWorld({ send: () => "hang", sendMs: 20_000 });
    hanging.outbox.put(replyOf(directChat(alice), "first"));
    await until(() => hanging.texts().length === 1, 10_000, "it is under way");
    const startedAt = Date.now();
    await hanging.stop();
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(hanging.outbox.over).toMatchObject([{ why: "undecidable" }]);
  });

  it("sends no faster than it may", async () => {
    await using world = await startSendingWorld({
      factor: 1,
      settings: { limits: { sendsPerSecond: 20, sendBurst: 2 } },
    });
    const startedAt = Date.now();
    world.outbox.put(...Array.from({ length: 8 }, (_, index) => replyOf(directChat(String(index)), "x")));
    await world.untilDone();
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(280);
  });

  it("never has two calls at the server, and logs nothing of what is sent or to whom", async () => {
    await using world = await startSendingWorld({
      send: ({ body }) =>
        (body["recipients"] as string[])[0] === bob ? refused(`No ${bob} canary-text`) : sentAnswer(),
    });
    const typing = [alice, bob].map((person) => world.sending.messenger.typing("+15550000001", directChat(person)));
    world.sending.messenger.markRead("+15550000001", alice, 5);
    world.outbox.put(replyOf(directChat(alice), "canary-text"), replyOf(directChat(bob), "canary-text"));
    await world.untilDone();
    for (const one of typing) one[Symbol.dispose]();
    expect(world.rest.mostAtOnce).toBe(1);
    const written = JSON.stringify([world.log.events, world.sending.state(), world.outbox.over]);
    for (const secret of ["canary", alice, bob, "5550000001"]) expect(written).not.toContain(secret);
    expect(world.log.events.length).toBeGreaterThan(0);
  });
});

const slowAnswer = { status: 201, body: { timestamp: "1767225600123" } };
