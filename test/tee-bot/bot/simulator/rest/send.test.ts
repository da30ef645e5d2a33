import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { number, soon, startWorld, type SimulatorWorld } from "../support/world.ts";
import { signalFixture } from "../support/signal-fixtures.ts";

let world: SimulatorWorld;
beforeEach(async () => {
  world = await startWorld({ deliveryReceipts: false });
});
afterEach(() => world[Symbol.asyncDispose]());

const shown = () => world.simulator.conversation().messages;
const uuid = (name = "you") => world.simulator.person(name).uuid;
const timestampOf = ({ body }: { body: unknown }) => Number((body as { timestamp: string }).timestamp);
const refused = { status: 400, body: { error: expect.any(String) as string } };

describe("POST /v2/send", () => {
  it("answers with a timestamp in a string, each a later one, also within one millisecond", async () => {
    const answers = [];
    for (let count = 0; count < 5; count++) answers.push(await world.send({ message: String(count) }));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    for (const { body } of answers) expect(body).toEqual({ timestamp: expect.stringMatching(/^\d{13}$/) as string });
    const timestamps = answers.map(timestampOf);
    expect(new Set(timestamps).size).toBe(5);
    expect(timestamps).toEqual(timestamps.toSorted((one, other) => one - other));
    expect(shown().map(({ timestamp }) => timestamp)).toEqual(timestamps);
  });

  it("answers with an array as releases after 0.100 do", async () => {
    await using later = await startWorld({ answerForm: "array" });
    expect(await later.send({})).toEqual({ status: 201, body: [{ timestamp: expect.any(String) as string }] });
  });

  it("shows the text as telephones do: with its styles, or as it was written", async () => {
    await world.send({ message: "**bold** 2*3*4", text_mode: "styled" });
    await world.send({ message: "**plain**" });
    expect(shown().map(({ text, styles }) => ({ text, styles }))).toEqual([
      { text: "bold 234", styles: ["0:4:BOLD", "6:1:ITALIC"] },
      { text: "**plain**", styles: [] },
    ]);
  });

  it("cuts what is longer than telephones show", async () => {
    await world.send({ message: `${"x".repeat(64 * 1024 - 1)}é tail` });
    expect(shown()[0]?.text).toBe("x".repeat(64 * 1024 - 1));
  });

  it("reaches people by number, uuid and group, and nobody by a number that is hidden", async () => {
    const you = world.simulator.person("you");
    expect(await world.send({ recipients: [you.number], message: "by number" })).toMatchObject({ status: 201 });
    world.simulator.phone("you", "team").write({ text: "hello" });
    await world.send({ recipients: [world.simulator.groupIds("team").rest], message: "to all" });
    expect(shown().map(({ text }) => text)).toEqual(["by number"]);
    expect(world.simulator.conversation("you", "team").messages.map(({ text }) => text)).toEqual(["hello", "to all"]);
    await world.call("PUT", "/messages/people/you", { hidesNumber: true });
    expect(await world.send({ recipients: [you.number] })).toEqual({
      status: 400,
      body: { error: `The user ${you.number} is not registered.` },
    });
    expect(await world.send({ recipients: [you.uuid] })).toMatchObject({ status: 201 });
  });

  it("carries a quote, mentions, attachments and view-once", async () => {
    const asked = world.simulator.phone().write({ text: "why?" });
    const png = Buffer.from("89504e470d0a1a0a00", "hex").toString("base64");
    await world.send({
      message: "￼ so",
      quote_timestamp: asked,
      quote_author: uuid(),
      quote_message: "why?",
      mentions: [{ start: 0, length: 1, author: uuid() }],
      base64_attachments: [`data:text/plain;filename=proof.txt;base64,${btoa("proof")}`, png],
      view_once: true,
    });
    const [, answer] = shown();
    expect(answer).toMatchObject({
      from: "bot",
      quote: { timestamp: asked, author: "you", text: "why?" },
      mentions: [{ start: 0, length: 1, name: "you" }],
      attachments: [
        { contentType: "text/plain", filename: "proof.txt", size: 5 },
        { contentType: "image/png", filename: null, size: 9 },
      ],
      viewOnce: true,
    });
    const seen = await world.call("GET", `/messages/attachments/${answer!.attachments[0]!.id}`);
    expect(seen).toEqual({ status: 200, body: "proof" });
  });

  it("edits the newest version, ten times at most, and says nothing of an edit that telephones refuse", async () => {
    const first = timestampOf(await world.send({ message: "version 0" }));
    let newest = first;
    for (let edit = 1; edit <= 10; edit++)
      newest = timestampOf(await world.send({ message: `version ${edit}`, edit_timestamp: newest }));
    expect(shown()).toMatchObject([{ text: "version 10", timestamp: first, edited: true }]);
    expect(await world.send({ message: "version 11", edit_timestamp: newest })).toMatchObject({ status: 201 });
    expect(await world.send({ message: "no", edit_timestamp: first })).toMatchObject({ status: 201 });
    expect(shown()).toMatchObject([{ text: "version 10" }]);
    expect(world.simulator.refused.map(({ why }) => why)).toEqual([
      "edit number 11",
      `an edit of version ${first}; the newest is ${newest}`,
    ]);
  });

  it("puts the conversation's timer on the answer, which disappears", async () => {
    world.simulator.phone().setTimer(1);
    await world.send({ message: "soon gone" });
    expect(shown()).toMatchObject([{ text: "soon gone", expiresInSeconds: 1 }]);
    await soon(() => shown().length === 0);
  });

  it("has each telephone tell what it got", async () => {
    await using telling = await startWorld();
    const timestamp = timestampOf(await telling.send({}));
    await soon(() => telling.hook.posted.length === 1);
    expect(telling.hook.envelopes()[0]).toMatchObject({
      receiptMessage: { isDelivery: true, isRead: false, timestamps: [timestamp] },
    });
  });

  it.each([
    ["no JSON", "{", "Couldn't process request - invalid request"],
    ["an unknown field", { text: "x" }, "Couldn't process request - invalid request"],
    ["a number for a text", { message: 5 }, "Couldn't process request - invalid request"],
    ["no recipients", { recipients: [] }, "Couldn't process request - please provide at least one recipient"],
    ["no number", { number: "" }, "Couldn't process request - please provide a valid number"],
    ["another's number", { number: "+15550000009" }, "Specified account does not exist"],
    [
      "a sticker without its number",
      { sticker: "abc" },
      "Couldn't process request - please provide valid sticker delimiter",
    ],
    [
      "nothing",
      { message: "" },
      "Sending empty message is not allowed, either a message, attachment or sticker must be given.",
    ],
    ["view-once without a picture", { view_once: true }, "'view_once' can only be set for image attachments!"],
    ["a quote of nobody", { quote_timestamp: 1 }, "Quote author parameter is missing"],
    ["an unknown number", { recipients: ["+15550000009"] }, "The user +15550000009 is not registered."],
    [
      "a group and a number",
      { recipients: ["+15550000009", `group.${btoa(btoa("g".repeat(32)))}`] },
      "Signal Messenger Groups and phone numbers cannot be specified together in one request! Please split them up into multiple REST API calls.",
    ],
    [
      "two groups",
      { recipients: [`group.${btoa(btoa("g".repeat(32)))}`, `group.${btoa(btoa("h".repeat(32)))}`] },
      "A signal message cannot be sent to more than one group at once! Please use multiple REST API calls for that.",
    ],
  ])("refuses %s", async (_, fields, error) => {
    const answer = typeof fields === "string" ? await world.call("POST", "/v2/send", fields) : await world.send(fields);
    expect(answer).toEqual({ status: 400, body: { error } });
    expect(shown()).toEqual([]);
  });

  it("refuses attachments that are no base64, and previews of what is not in the text", async () => {
    expect(await world.send({ base64_attachments: ["%%%"] })).toEqual(refused);
    expect(await world.send({ link_preview: { url: "https://example.com" } })).toEqual(refused);
    expect(await world.send({ message: "http://a.b", link_preview: { url: "http://a.b" } })).toEqual(refused);
  });
});

describe("a send that goes wrong", () => {
  const group = (own: SimulatorWorld) => {
    for (const name of ["alice", "bob"]) own.simulator.phone(name, "team").write({ text: "here" });
    return { recipients: [own.simulator.groupIds("team").rest] };
  };

  it("is a 429 with the token of a challenge, until the challenge is solved", async () => {
    world.simulator.faults.failSends({ kind: "rate-limited", token: "26cc" }, Number.POSITIVE_INFINITY);
    for (let count = 0; count < 2; count++)
      expect(await world.send({})).toEqual({
        status: 429,
        body: {
          error: expect.stringContaining("rate limiting") as string,
          challenge_tokens: ["26cc"],
          account: number,
        },
      });
    const solve = (challenge_token: string, captcha: string) =>
      world.call("POST", `/v1/accounts/${number}/rate-limit-challenge`, { challenge_token, captcha });
    expect(await solve("other", "signalcaptcha://x")).toEqual(refused);
    expect(await solve("26cc", "x")).toEqual(refused);
    expect(await solve("26cc", "signalcaptcha://x")).toEqual({ status: 204, body: undefined });
    expect(await world.send({})).toMatchObject({ status: 201 });
  });

  it("has one empty token where no captcha helps", async () => {
    world.simulator.faults.failSends({ kind: "rate-limited" });
    expect(await world.send({})).toMatchObject({ status: 429, body: { challenge_tokens: [""] } });
    expect(await world.send({})).toMatchObject({ status: 201 });
  });

  it.each([
    ["object", "Failed to send message due to untrusted identities"],
    ["array", "Unable to complete request due to untrusted recipient keys"],
  ] as const)(
    "is refused for a key that is not trusted, in the words of the release (%s)",
    async (answerForm, error) => {
      await using own = await startWorld({ answerForm });
      own.simulator.faults.failSends({ kind: "untrusted" });
      expect(await own.send({})).toEqual({ status: 400, body: { error } });
      own.simulator.reinstall("you");
      expect(await own.send({})).toEqual({ status: 400, body: { error } });
      const { body } = await own.call("GET", `/v1/identities/${number}`);
      const { uuid: who, safety_number } = (body as { uuid: string; status: string; safety_number: string }[]).find(
        ({ status }) => status === "UNTRUSTED",
      )!;
      const trust = (request: object) => own.call("PUT", `/v1/identities/${number}/trust/${who}`, request);
      expect(await trust({ verified_safety_number: "0".repeat(60) })).toEqual(refused);
      expect(await trust({ verified_safety_number: safety_number })).toEqual({ status: 204, body: undefined });
      expect(await own.send({})).toMatchObject({ status: 201 });
    },
  );

  it("does not reach some of a group, which the older answer hides", async () => {
    const reasons = { bob: "IDENTITY_FAILURE" } as const;
    world.simulator.faults.failSends({ kind: "partial", reasons });
    expect(await world.send(group(world))).toEqual({
      status: 201,
      body: { timestamp: expect.any(String) as string },
    });
    const texts = (who: string) => world.simulator.conversation(who, "team").messages.map(({ text }) => text);
    expect(texts("alice")).toContain("hello");
    expect(texts("bob")).not.toContain("hello");

    await using later = await startWorld({ answerForm: "array" });
    later.simulator.faults.failSends({ kind: "partial", reasons });
    const { number: bobsNumber, uuid: bobsUuid } = later.simulator.person("bob");
    expect(await later.send(group(later))).toEqual({
      status: 201,
      body: [
        {
          timestamp: expect.any(String) as string,
          errors: { recipients: [{ number: bobsNumber, uuid: bobsUuid, reason: "IDENTITY_FAILURE" }] },
        },
      ],
    });
  });

  it("is one that failed when it reached nobody", async () => {
    const [rest] = group(world).recipients;
    const fail = (alice: "NETWORK_FAILURE" | "RATE_LIMIT_FAILURE", bob: typeof alice) => {
      world.simulator.faults.failSends({ kind: "partial", reasons: { alice, bob } });
      return world.send({ recipients: [rest] });
    };
    expect(await fail("RATE_LIMIT_FAILURE", "RATE_LIMIT_FAILURE")).toMatchObject({ status: 429 });
    expect(await fail("NETWORK_FAILURE", "RATE_LIMIT_FAILURE")).toEqual({
      status: 400,
      body: { error: "Failed to send message" },
    });
    expect(world.simulator.conversation("alice", "team").messages.map(({ text }) => text)).toEqual(["here", "here"]);
  });

  it.each([true, false])("never gets an answer when it hangs, delivered or not (%s)", async (delivered) => {
    world.simulator.faults.failSends({ kind: "hang", delivered });
    const body = JSON.stringify({ number, recipients: [uuid()], message: "hello" });
    const init = { method: "POST", body, signal: AbortSignal.timeout(500) };
    await expect(fetch(`${world.simulator.url}/v2/send`, init)).rejects.toThrow(/timeout/);
    if (delivered) await soon(() => shown().length === 1);
    expect(await world.send({ message: "next" })).toMatchObject({ status: 201 });
    expect(shown().map(({ text }) => text)).toEqual(delivered ? ["hello", "next"] : ["next"]);
  });

  it.each([true, false])("loses its answer when the server dies with it, delivered or not (%s)", async (delivered) => {
    world.simulator.faults.failSends({ kind: "crash", delivered });
    await expect(world.send({})).rejects.toThrow("fetch failed");
    expect(world.simulator.isUp).toBe(false);
    world.simulator.restart();
    expect(shown()).toHaveLength(delivered ? 1 : 0);
    expect(await world.send({})).toMatchObject({ status: 201 });
  });

  it("fails for no reason that is told, and comes late", async () => {
    world.simulator.faults.failSends({ kind: "failed" });
    world.simulator.faults.failSends({ kind: "slow", ms: 100 });
    expect(await world.send({})).toEqual({ status: 400, body: { error: "Failed to send message" } });
    const startedAt = performance.now();
    expect(await world.send({})).toMatchObject({ status: 201 });
    expect(performance.now() - startedAt).toBeGreaterThan(90);
  });
});

const responses = signalFixture("rest-responses.json");
describe.skipIf(!responses)("the answers of /v2/send (skipped without ../shared/fixtures/signal)", () => {
  interface Recorded {
    readonly status: number;
    readonly body: { readonly error: string };
  }
  const recorded = () => (JSON.parse(readFileSync(responses!, "utf8")) as { send: Record<string, Recorded> }).send;
  const known = `group.${btoa(btoa("g".repeat(32)))}`;

  it.each<[string, () => Promise<unknown>]>([
    ["bad_json", () => world.call("POST", "/v2/send", "{")],
    ["no_recipients", () => world.send({ recipients: [] })],
    ["no_number", () => world.send({ number: "" })],
    ["view_once_without_attachment", () => world.send({ view_once: true })],
    ["group_plus_number", () => world.send({ recipients: [known, "+15550000009"] })],
    ["two_groups", () => world.send({ recipients: [known, known] })],
    ["group_single_base64", () => world.send({ recipients: ["group.Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="] })],
    ["empty_message", () => world.send({ message: "" })],
    ["unregistered", () => world.send({ recipients: ["+15550000009"] })],
    ["mixed_or_other_failure", () => (world.simulator.faults.failSends({ kind: "failed" }), world.send({}))],
    ["all_untrusted_0.100", () => (world.simulator.faults.failSends({ kind: "untrusted" }), world.send({}))],
    ["rate_limited_plain", () => (world.simulator.faults.failSends({ kind: "rate-limited" }), world.send({}))],
    [
      "rate_limited_captcha",
      () => {
        const token = "26ccfae6-4fc1-4df0-a27c-084a8191704c";
        world.simulator.faults.failSends({ kind: "rate-limited", token });
        return world.send({});
      },
    ],
  ])("are the real ones: %s", async (name, send) => {
    const { status, body } = recorded()[name]!;
    expect(await send()).toEqual({ status, body });
  });
});
