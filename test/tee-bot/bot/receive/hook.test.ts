import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../../shared/errors.ts";
import { Sensitive } from "../../../../shared/sensitive.ts";
import type { BotEvent } from "../../../../tee-bot/bot/events/event.ts";
import type { MailSlot } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { hookUrl } from "../../../../tee-bot/bot/receive/credential.ts";
import { Hook, maxHookBytes } from "../../../../tee-bot/bot/receive/hook.ts";
import { Intake } from "../../../../tee-bot/bot/receive/intake.ts";
import { maxWrongTries } from "../../../../tee-bot/bot/receive/wrong-tries.ts";
import { listenLocal } from "../../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../../tee-bot/server/local-http.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { startPublicName } from "../../support/public-name.ts";
import { account, alice } from "../support/events.ts";

const secret = new Sensitive("s3cret-with-32-characters-or-more");
const sentAt = 1_767_225_600_000;
const json = { "content-type": "application/json" };
let stack: AsyncDisposableStack;
let log: ReturnType<typeof recordingLog>;
let clock: ManualClock;
let stored: BotEvent[];
let intake: Intake;
let url: URL;
/** What `put` of the slot does besides. */
let onPut: () => void;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  log = recordingLog();
  clock = new ManualClock();
  stored = [];
  onPut = () => {};
  const slot: MailSlot = {
    put: (event) => {
      onPut();
      stored.push(event);
      return "new";
    },
    [Symbol.dispose]() {},
  };
  intake = stack.use(new Intake({ slot, account: undefined, clock, log }));
  const server = createLocalHttp(hook(false));
  const local = stack.use(await listenLocal(server, 0, "webhook"));
  url = new URL(hookUrl(secret, new URL(`http://127.0.0.1:${local.port}`)).reveal());
});
afterEach(() => stack.disposeAsync());

const hook = (isPublic: boolean): Hook => new Hook({ intake, secret, isPublic, clock, log });

interface Sent {
  method?: string;
  path?: string;
  auth?: string | undefined;
  headers?: Record<string, string>;
  body?: string;
}

/** As Go's HTTP client sends it. */
async function send(sent: Sent = {}): Promise<{ status: number; body: string; challenge: string | undefined }> {
  const { method = "POST", path = url.pathname, headers = json, body = notification("hello") } = sent;
  const auth = "auth" in sent ? sent.auth : `${url.username}:${decodeURIComponent(url.password)}`;
  const request = httpRequest({ host: "127.0.0.1", port: url.port, method, path, auth, headers, agent: false });
  request.on("error", () => {}); // it may be ended while the rest of a body is sent
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, body: text, challenge: response.headers["www-authenticate"] };
}

function notification(message: string | null, content: object = {}): string {
  const dataMessage = { timestamp: sentAt, message };
  const envelope = { sourceUuid: alice, sourceName: "Alice", timestamp: sentAt, dataMessage, ...content };
  return `${JSON.stringify({ jsonrpc: "2.0", method: "receive", params: { envelope, account } })}\n`;
}

describe("the webhook", () => {
  it("answers 200 after the event is stored, and not before", async () => {
    let storedWhenAnswered = -1;
    const { status, body } = await send().finally(() => (storedWhenAnswered = stored.length));
    expect([status, body, storedWhenAnswered]).toEqual([200, "", 1]);
    expect(stored[0]).toMatchObject({ kind: "message", person: alice, account });
  });

  it.each([
    ["typing", { dataMessage: null, typingMessage: { action: "STARTED", timestamp: 1 } }],
    ["a receipt", { dataMessage: null, receiptMessage: { isDelivery: true, timestamps: [1] } }],
    ["another device", { dataMessage: null, syncMessage: {} }],
  ])("takes %s with 200, and stores nothing", async (_, content) => {
    expect((await send({ body: notification("x", content) })).status).toBe(200);
    expect(stored).toEqual([]);
    expect(intake.state()).toMatchObject({ ignored: 1, stored: 0 });
  });

  it.each<[string, Sent, number]>([
    ["without a password", { auth: undefined }, 401],
    ["with another user", { auth: `other:${secret.reveal()}` }, 401],
    ["with a wrong password", { auth: "postern:wrong" }, 401],
    ["with the beginning of the password", { auth: `postern:${secret.reveal().slice(0, -1)}` }, 401],
    ["with another scheme", { auth: undefined, headers: { ...json, authorization: `Bearer ${secret.reveal()}` } }, 401],
    ["by GET", { method: "GET", body: "" }, 405],
    ["elsewhere", { path: "/hooks/other" }, 404],
    ["to a longer path", { path: "/hooks/signal/more" }, 404],
    ["that is a form", { headers: { "content-type": "application/x-www-form-urlencoded" } }, 415],
    ["without a type", { headers: {} }, 415],
    ["that is no JSON", { body: "{" }, 400],
    ["that is no notification", { body: '{"jsonrpc":"2.0","method":"other","params":{}}' }, 400],
    ["that is no envelope", { body: '{"method":"receive","params":{"account":"+15550000001"}}' }, 400],
    ["that is too large", { body: notification("x".repeat(maxHookBytes)) }, 413],
    [
      "that is too large and does not say so",
      { body: " ".repeat(maxHookBytes + 1), headers: { ...json, "transfer-encoding": "chunked" } },
      413,
    ],
  ])("refuses a request %s", async (_, sent, status) => {
    const answer = await send(sent);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ status });
    expect(answer.challenge).toBe(status === 401 ? 'Basic realm="postern"' : undefined);
    expect(stored).toEqual([]);
    expect((await send()).status).toBe(200);
  });

  it("lets nobody on this machine keep the REST server out by wrong passwords", async () => {
    for (let count = 0; count <= maxWrongTries; count++)
      expect((await send({ auth: `postern:guess ${count}` })).status).toBe(401);
    expect((await send()).status).toBe(200);
  });

  it("bears a request that is cut, and one whose body never comes", async () => {
    const socket = connect(Number(url.port), "127.0.0.1");
    await once(socket, "connect");
    const credential = Buffer.from(`postern:${secret.reveal()}`).toString("base64");
    const head = `POST /hooks/signal HTTP/1.1\r\nhost: x\r\nauthorization: Basic ${credential}\r\ncontent-type: application/json\r\n`;
    socket.write(`${head}content-length: 100\r\n\r\n{"jsonrpc"`);
    socket.destroySoon();
    await once(socket, "close");
    expect((await send()).status).toBe(200);
    expect(stored).toHaveLength(1);
  });

  it("says of nobody's words or password anything in its log", async () => {
    await send({ body: notification("canary-text") });
    await send({ body: '{"canary-text":' });
    await send({ auth: "postern:canary-text" });
    onPut = () => {
      throw new AppError("overloaded", "The disk is full.");
    };
    await send({ body: notification("canary-text") });
    expect(log.events.length).toBeGreaterThan(2);
    expect(JSON.stringify(log.events)).not.toMatch(/canary-text|s3cret|\+1555|aaaaaaaa/);
  });

  it("tells of ten wrong passwords in a minute, and again after it, also where the clock was set back", async () => {
    const told = (): number => log.events.filter(({ event }) => event === "hook.refused").length;
    for (let count = 0; count < maxWrongTries + 5; count++) await send({ auth: "postern:wrong" });
    expect(told()).toBe(maxWrongTries);
    expect((await send()).status).toBe(200);
    clock.advance(-3_600_000);
    await send({ auth: "postern:wrong" });
    expect(told()).toBe(maxWrongTries + 1);
  });
});

describe("the webhook at the public name", () => {
  it("takes a message with the password, over either version of HTTP", async () => {
    const name = stack.use(await startPublicName(hook(true)));
    const authorization = `Basic ${Buffer.from(`postern:${secret.reveal()}`).toString("base64")}`;
    const headers = { ...json, authorization };
    const answer = await name.ask("/hooks/signal", { method: "POST", headers, body: notification("over 1.1") });
    expect(answer.status).toBe(200);
    const session = name.http2();
    stack.defer(() => session.destroy());
    const stream = session.request({ ":method": "POST", ":path": "/hooks/signal", ...headers });
    stream.end(notification("over 2"));
    const [answered] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(answered[":status"]).toBe(200);
    const refused = session.request({ ":method": "POST", ":path": "/hooks/signal", ...json });
    refused.write("a body that goes on");
    const [refusal] = (await once(refused, "response")) as [Record<string, unknown>];
    expect(refusal[":status"]).toBe(401);
    refused.resume();
    await once(refused, "close");
    expect(stored).toHaveLength(2);
  });

  it("lets nobody try many passwords, for a minute", async () => {
    const name = stack.use(await startPublicName(hook(true)));
    const post = async (password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`postern:${password}`).toString("base64")}`;
      const options = { method: "POST", headers: { ...json, authorization }, body: notification("x") };
      return (await name.ask("/hooks/signal", options)).status;
    };
    for (let count = 0; count < maxWrongTries; count++) expect(await post(`guess ${count}`)).toBe(401);
    expect(await post(secret.reveal())).toBe(429);
    expect((await send({ body: notification("from this machine") })).status).toBe(200);
    clock.advance(60_000);
    expect(await post(secret.reveal())).toBe(200);
  });
});

describe("what comes in", () => {
  it("is held in memory while the mailbox takes nothing, answered 200, and stored in order when it does again", async () => {
    onPut = () => {
      throw new AppError("overloaded", "The disk is full.");
    };
    for (const text of ["a", "b"]) expect((await send({ body: notification(text) })).status).toBe(200);
    expect(intake.state()).toMatchObject({ held: 2, stored: 0 });
    expect(log.events.filter(({ event }) => event === "mailbox.failed")).toHaveLength(1);
    onPut = () => {};
    await send({ body: notification("c") });
    expect(stored.map((event) => event.kind === "message" && event.text.reveal())).toEqual(["a", "b", "c"]);
    expect(intake.state()).toMatchObject({ held: 0, stored: 3 });
  });

  it("is stored by itself when the mailbox takes it again", async () => {
    onPut = () => {
      onPut = () => {};
      throw new AppError("overloaded", "Another process has the file.");
    };
    await send();
    expect(intake.state().held).toBe(1);
    await expect.poll(() => stored.length, { timeout: 3_000 }).toBe(1);
    expect(intake.state()).toMatchObject({ held: 0, stored: 1 });
  });

  it("is refused and counted when there is no room for it in memory either", async () => {
    onPut = () => {
      throw new AppError("overloaded", "The disk is full.");
    };
    const large = notification("x", { padding: "y".repeat(maxHookBytes - 1_000) });
    const statuses = [];
    for (let count = 0; count < 20; count++) statuses.push((await send({ body: large })).status);
    expect(statuses.slice(0, 16)).toEqual(Array(16).fill(200));
    expect(statuses.slice(-2)).toEqual([503, 503]);
    expect(intake.state().lost).toBe(statuses.filter((status) => status === 503).length);
  });

  it("is refused when too much of its chat waits, while others are taken", async () => {
    onPut = () => {
      onPut = () => {};
      throw new AppError("too-many-requests", "Too much of this chat.");
    };
    expect((await send()).status).toBe(503);
    expect((await send()).status).toBe(200);
    expect(intake.state()).toMatchObject({ lost: 1, held: 0, stored: 1 });
  });

  it("holds up nothing that comes later when the mailbox takes all but this", async () => {
    onPut = () => {
      throw new AppError("overloaded", "The disk is full.");
    };
    for (const text of ["a", "b"]) await send({ body: notification(text) });
    let puts = 0;
    onPut = () => {
      if (++puts === 1) throw new AppError("too-large", "A value is more than the store takes.");
    };
    await expect.poll(() => stored.length, { timeout: 3_000 }).toBe(1);
    expect(intake.state()).toMatchObject({ held: 0, lost: 1, stored: 1 });
  });

  it("is for the account that the first event is for, where none is set", async () => {
    await send();
    const other = notification("x").replace(account, "+15550000999");
    expect((await send({ body: other })).status).toBe(200);
    expect(stored).toHaveLength(1);
    expect(intake.state()).toMatchObject({ strange: 1 });
  });
});
