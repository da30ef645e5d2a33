import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { number, soon, startWorld, type SimulatorWorld } from "../support/world.ts";
import { signalFixture } from "../support/signal-fixtures.ts";

let world: SimulatorWorld;
beforeEach(async () => {
  world = await startWorld({ deliveryReceipts: false });
});
afterEach(() => world[Symbol.asyncDispose]());

const shown = (person = "you") => world.simulator.conversation(person).messages;
const uuid = () => world.simulator.person("you").uuid;
const done = { status: 204, body: undefined };
const refused = (error: string) => ({ status: 400, body: { error } });
const sent = async (message: string) =>
  Number(((await world.send({ message })).body as { timestamp: string }).timestamp);

describe("typing", () => {
  const type = (method: string) => world.call(method, `/v1/typing-indicator/${number}`, { recipient: uuid() });

  it("is shown until it is stopped, or until the message comes", async () => {
    expect(await type("PUT")).toEqual(done);
    expect(world.simulator.conversation().typing).toBe(true);
    expect(await type("DELETE")).toEqual(done);
    expect(world.simulator.conversation().typing).toBe(false);
    await type("PUT");
    await sent("hello");
    expect(world.simulator.conversation().typing).toBe(false);
    expect(world.simulator.typingSpans()).toMatchObject([
      { stoppedAt: expect.any(Number) as number },
      { stoppedAt: expect.any(Number) as number },
    ]);
  });

  it("ends with an edit too, and not with what becomes of an older message", async () => {
    const timestamp = await sent("hello");
    await type("PUT");
    world.simulator.phone().react(timestamp, "👍", false);
    world.simulator.phone().read();
    expect(world.simulator.conversation().typing).toBe(true);
    await world.send({ message: "hello again", edit_timestamp: timestamp });
    expect(world.simulator.conversation().typing).toBe(false);
  });

  it("goes nowhere for nobody", async () => {
    const call = world.call("PUT", `/v1/typing-indicator/${number}`, { recipient: "+15550000009" });
    expect(await call).toEqual(refused("The user +15550000009 is not registered."));
  });
});

describe("receipts", () => {
  it("mark a person's message as read, also in a group", async () => {
    const direct = world.simulator.phone().write({ text: "hello" });
    const inGroup = world.simulator.phone("you", "team").write({ text: "hello all" });
    for (const timestamp of [direct, inGroup]) {
      const body = { recipient: uuid(), receipt_type: "read", timestamp };
      expect(await world.call("POST", `/v1/receipts/${number}`, body)).toEqual(done);
    }
    expect(shown()).toMatchObject([{ read: true, viewed: false }]);
    expect(world.simulator.conversation("you", "team").messages).toMatchObject([{ read: true }]);
  });

  it("have a type and a message", async () => {
    const receipt = (fields: object) =>
      world.call("POST", `/v1/receipts/${number}`, {
        recipient: uuid(),
        receipt_type: "read",
        timestamp: 1,
        ...fields,
      });
    expect(await receipt({ receipt_type: "delivered" })).toEqual(
      refused("Couldn't process request - receipt type must be read or viewed"),
    );
    expect(await receipt({ timestamp: 0 })).toEqual(refused("Couldn't process request - timestamp missing"));
    expect(await receipt({ recipient: "" })).toEqual(refused("Couldn't process request - recipient missing"));
    expect(await receipt({})).toEqual(done);
    expect(world.simulator.refused).toMatchObject([{ timestamp: 1 }]);
  });
});

describe("reactions", () => {
  it("are put on a message and taken away", async () => {
    const timestamp = world.simulator.phone().write({ text: "hello" });
    const body = { recipient: uuid(), reaction: "👍", target_author: uuid(), timestamp };
    expect(await world.call("POST", `/v1/reactions/${number}`, body)).toEqual(done);
    expect(shown()[0]?.reactions).toEqual([{ from: "bot", emoji: "👍" }]);
    expect(await world.call("DELETE", `/v1/reactions/${number}`, body)).toEqual(done);
    expect(shown()[0]?.reactions).toEqual([]);
  });

  it("are not shown where they name another author", async () => {
    const timestamp = world.simulator.phone().write({ text: "hello" });
    const body = { recipient: uuid(), reaction: "👍", target_author: number, timestamp };
    expect(await world.call("POST", `/v1/reactions/${number}`, body)).toEqual(done);
    expect(shown()[0]?.reactions).toEqual([]);
    expect(world.simulator.refused).toMatchObject([{ why: "a reaction that names another author" }]);
  });
});

describe("remote deletion", () => {
  it("takes away the bot's own message, and nobody else's", async () => {
    const theirs = world.simulator.phone().write({ text: "mine" });
    const own = await sent("wrong");
    for (const timestamp of [own, theirs])
      expect(await world.call("DELETE", `/v1/remote-delete/${number}`, { recipient: uuid(), timestamp })).toEqual({
        status: 201,
        body: { timestamp: expect.stringMatching(/^\d+$/) as string },
      });
    expect(shown()).toMatchObject([
      { text: "mine", deleted: false },
      { text: "", deleted: true },
    ]);
  });
});

describe("attachments", () => {
  it("are files of signal-cli once it has the message, until they are deleted; telephones keep theirs", async () => {
    const bytes = Buffer.from("picture");
    const attachment = { base64: bytes.toString("base64"), contentType: "image/jpeg" };
    await world.call("POST", "/messages", { text: "look", attachments: [attachment] });
    await soon(() => world.hook.posted.length === 1);
    const [{ id, ...described }] = world.hook.envelopes()[0]!.dataMessage!["attachments"] as [{ id: string }];
    expect(described).toMatchObject({ contentType: "image/jpeg", size: 7, filename: null });
    expect(id).toMatch(/\.jpg$/);
    expect(await world.call("GET", "/v1/attachments")).toEqual({ status: 200, body: [id] });
    expect(await world.call("GET", `/v1/attachments/${id}`)).toEqual({ status: 200, body: "picture" });
    expect(await world.call("DELETE", `/v1/attachments/${id}`)).toEqual(done);
    expect(world.simulator.files).toEqual([]);
    const missing = { status: 404, body: { error: "No attachment with that name found" } };
    for (const method of ["GET", "DELETE"]) expect(await world.call(method, `/v1/attachments/${id}`)).toEqual(missing);
    expect(await world.call("GET", `/messages/attachments/${id}`)).toMatchObject({ status: 200, body: "picture" });
  });
});

describe("groups", () => {
  it("are listed with both ids, and one by its REST id", async () => {
    world.simulator.phone("alice", "team").write({ text: "hello" });
    const { internal, rest } = world.simulator.groupIds("team");
    const alice = world.simulator.person("alice");
    const entry = { id: rest, internal_id: internal, name: "team", blocked: false, members: [alice.number, number] };
    const { body } = await world.call("GET", `/v1/groups/${number}`);
    expect(body).toMatchObject([entry]);
    expect(await world.call("GET", `/v1/groups/${number}/${rest}`)).toMatchObject({ status: 200, body: entry });
    expect(await world.call("GET", `/v1/groups/${number}/${rest}?expand=true`)).toMatchObject({
      body: { members: [{ number: alice.number, uuid: alice.uuid }, { number }] },
    });
    expect(await world.call("GET", `/v1/groups/${number}/${internal.replaceAll("/", "%2F")}`)).toEqual({
      status: 404,
      body: { error: "No group with that id found" },
    });
  });

  it("are left, and then nothing can be sent to them", async () => {
    world.simulator.phone("alice", "team").write({ text: "hello" });
    const { rest } = world.simulator.groupIds("team");
    const quit = `/v1/groups/${number}/${rest}/quit`;
    expect(await world.call("POST", quit)).toEqual(done);
    expect(await world.send({ recipients: [rest] })).toEqual(refused("User is not a group member"));
    expect(await world.call("POST", quit.replace("quit", "join"))).toEqual(done);
    expect(await world.send({ recipients: [rest] })).toMatchObject({ status: 201 });
  });
});

describe("contacts", () => {
  it("get names and timers", async () => {
    const body = { recipient: uuid(), name: "Ann", expiration_in_seconds: 60 };
    expect(await world.call("PUT", `/v1/contacts/${number}`, body)).toEqual(done);
    expect(await world.call("GET", `/v1/contacts/${number}/${uuid()}`)).toMatchObject({
      status: 200,
      body: { uuid: uuid(), name: "Ann", profile_name: "you", message_expiration: "60" },
    });
    expect(world.simulator.conversation().expiresInSeconds).toBe(60);
    expect(await world.call("GET", `/v1/contacts/${number}/22222222-2222-4222-8222-222222222222`)).toMatchObject({
      status: 404,
    });
  });
});

describe("identities", () => {
  it("have fingerprints and safety numbers, the account's own among them; a new telephone has new ones", async () => {
    const list = async () => {
      const { body } = await world.call("GET", `/v1/identities/${number}`);
      return body as { uuid: string; number: string; status: string; fingerprint: string; safety_number: string }[];
    };
    const who = uuid();
    const [own, yours] = await list();
    expect(own).toMatchObject({ number, uuid: world.simulator.account.uuid });
    expect(yours).toMatchObject({ uuid: who, status: "TRUSTED_UNVERIFIED" });
    expect(yours?.fingerprint).toMatch(/^05( [\da-f]{2}){32}$/);
    expect(yours?.safety_number).toMatch(/^\d{60}$/);
    world.simulator.reinstall("you");
    const [, renewed] = await list();
    expect(renewed?.status).toBe("UNTRUSTED");
    expect([yours?.fingerprint, yours?.safety_number]).not.toContain(renewed?.fingerprint);
    expect(renewed?.safety_number).not.toBe(yours?.safety_number);
  });

  it("are trusted by safety number or all at once, and not by both", async () => {
    const trust = (body: object) => world.call("PUT", `/v1/identities/${number}/trust/${uuid()}`, body);
    for (const body of [{}, { trust_all_known_keys: false }, { verified_safety_number: "" }])
      expect(await trust(body)).toMatchObject({ status: 400 });
    expect(await trust({ trust_all_known_keys: true, verified_safety_number: "1" })).toMatchObject({ status: 400 });
    expect(await trust({ trust_all_known_keys: true })).toEqual(done);
  });
});

describe("the account", () => {
  it("is registered with a captcha and the code of the SMS", async () => {
    await using own = await startWorld({ registered: false });
    const accounts = async () => (await own.call("GET", "/v1/accounts")).body;
    expect(await accounts()).toEqual([]);
    expect(await own.send({})).toEqual(refused("Specified account does not exist"));
    const register = (body?: object) => own.call("POST", `/v1/register/${number}`, body);
    expect(await register()).toEqual(refused("Captcha required for verification"));
    expect(await register({ captcha: "signalcaptcha://x" })).toEqual({ status: 201, body: undefined });
    const { code } = (await own.call("GET", "/messages/account")).body as { code: string };
    const verify = (token: string) => own.call("POST", `/v1/register/${number}/verify/${token}`, { pin: "1234" });
    expect(await verify(code === "000000" ? "111111" : "000000")).toMatchObject({ status: 400 });
    expect(await verify(`${code.slice(0, 3)}-${code.slice(3)}`)).toEqual({ status: 201, body: undefined });
    expect(await accounts()).toEqual([number]);
  });

  it("is linked by the newest QR code", async () => {
    await using own = await startWorld({ registered: false });
    expect(await own.call("GET", "/v1/qrcodelink")).toEqual(refused("Please provide a name for the device"));
    const raw = () => own.call("GET", "/v1/qrcodelink/raw?device_name=postern");
    const uriOf = ({ body }: { body: unknown }) => (body as { device_link_uri: string }).device_link_uri;
    const [older, newer] = [uriOf(await raw()), uriOf(await raw())];
    expect(newer).toMatch(/^sgnl:\/\/linkdevice\?uuid=[^&]+&pub_key=[^&]+$/);
    expect(await own.call("POST", "/messages/account/link", { uri: older })).toMatchObject({ status: 400 });
    expect(await own.call("POST", "/messages/account/link", { uri: newer })).toEqual(done);
    expect(await own.call("GET", "/v1/accounts")).toMatchObject({ body: [number] });
    const image = await fetch(`${own.simulator.url}/v1/qrcodelink?device_name=postern`);
    expect(image.headers.get("content-type")).toBe("image/png");
  });

  it("has a profile, settings and a username, and its trust mode is no matter of json-rpc mode", async () => {
    expect(await world.call("PUT", `/v1/profiles/${number}`, { name: "Bot", about: "hi" })).toEqual(done);
    expect(await world.call("PUT", `/v1/profiles/${number}`, { about: "hi" })).toMatchObject({ status: 400 });
    const hidden = { discoverable_by_number: false, share_number: false };
    expect(await world.call("PUT", `/v1/accounts/${number}/settings`, hidden)).toMatchObject({ status: 201 });
    const named = await world.call("POST", `/v1/accounts/${number}/username`, { username: "postern" });
    expect(named).toMatchObject({ status: 201, body: { username: expect.stringMatching(/^postern\.\d+$/) as string } });
    expect(await world.call("GET", "/messages/account")).toMatchObject({
      body: { registered: true, profile: { name: "Bot", about: "hi" }, settings: hidden, username: "postern.01" },
    });
    const settings = `/v1/configuration/${number}/settings`;
    expect(await world.call("GET", settings)).toEqual({ status: 200, body: { trust_mode: "on-first-use" } });
    expect(await world.call("POST", settings, { trust_mode: "always" })).toEqual(refused("Couldn't set trust mode"));
  });

  it("is named in a path with a plus or with %2B", async () => {
    expect(await world.call("GET", `/v1/groups/${number.replace("+", "%2B")}`)).toMatchObject({ status: 200 });
    expect(await world.call("GET", "/v1/groups/+15550000009")).toEqual(refused("Specified account does not exist"));
  });
});

describe("the rest", () => {
  it("is unknown to the server", async () => {
    expect(await world.call("GET", "/v1/nothing")).toEqual({ status: 404, body: "404 page not found" });
  });

  const responses = signalFixture("rest-responses.json");
  it.skipIf(!responses)("is as the real answers are (skipped without ../shared/fixtures/signal)", async () => {
    const recorded = JSON.parse(readFileSync(responses!, "utf8")) as Record<string, { status: number; body?: unknown }>;
    const answerOf = (name: string) => ({ status: recorded[name]!.status, body: recorded[name]!.body });
    for (const [name, call] of [
      ["receive_get_in_json_rpc", () => world.call("GET", `/v1/receive/${number}`)],
      ["health", () => world.call("GET", "/v1/health")],
      ["about", () => world.call("GET", "/v1/about")],
      ["accounts", () => world.call("GET", "/v1/accounts")],
      ["attachment_missing", () => world.call("GET", "/v1/attachments/none")],
      [
        "trust_mode_post_in_json_rpc",
        () => world.call("POST", `/v1/configuration/${number}/settings`, { trust_mode: "always" }),
      ],
    ] as const)
      expect([name, await call()]).toEqual([name, answerOf(name)]);
  });
});
