import { evictDurableObject, reset, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { clock, letPass } from "../support/controls.ts";
import { anything, problemOf } from "../support/edge.ts";
import { inboxNode, ownSecret, sendersSecret, sendWebhook, signedHeaders, takenId } from "./inbox-world.ts";
import {
  lifetimesMs,
  maxAttempts,
  maxWaitingPerHook,
  retryBackoff,
  senderRate,
} from "../../../workers/inbox/limits.ts";
import { maxWebhookBytes } from "../../../shared/inbox/messages.ts";
import { isSignedBy, isTimely, parseWebhookSecret } from "../../../shared/inbox/webhook-signature.ts";

afterEach(() => reset());

const stubOf = (node: { id: string }) => env.INBOXES.get(env.INBOXES.idFromName(node.id));
const codeOf = async (response: Promise<Response>) => (await problemOf(await response)).code;

describe("a webhook for a node that is away", () => {
  test("is kept, and handed out with its body, its headers and the edge's signature", async () => {
    const node = await inboxNode();
    await node.declare();
    const headers = { "content-type": "application/json", "x-github-event": "push", cookie: "a=b", authorization: "x" };
    const response = await sendWebhook(node, '{"ref":"main"}', { headers });
    expect(response.status).toBe(202);
    const id = await takenId(response);

    const [webhook] = await node.read();
    expect(webhook).toMatchObject({ id, text: '{"ref":"main"}' });
    expect(webhook?.headers).toEqual({ "content-type": "application/json", "x-github-event": "push" });
    const { timestamp = "", body = new Uint8Array(0), signature = "" } = webhook ?? {};
    expect(isTimely(timestamp, clock.now())).toBe(true);
    const secret = parseWebhookSecret(ownSecret) ?? new Uint8Array(0);
    expect(await isSignedBy(secret, { id, timestamp, body }, signature)).toBe(true);
  });

  test("is nowhere in the storage as it came", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "canary-body", { headers: { "x-github-event": "canary-header" } });
    const stored = await node.inObject((_, { sql }) => {
      const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
      const rows = tables
        .filter(({ name }) => !name.startsWith("_cf"))
        .flatMap(({ name }) => sql.exec(`SELECT * FROM ${name}`).toArray());
      return rows.flatMap((row) =>
        Object.values(row).map((value) =>
          value instanceof ArrayBuffer ? new TextDecoder("latin1").decode(value) : String(value),
        ),
      );
    });
    expect(stored.length).toBeGreaterThan(10);
    expect(stored.filter((text) => text.includes("canary"))).toEqual([]);
  });

  test("comes in the order of its hook, whatever came for others, until it is settled", async () => {
    const node = await inboxNode();
    await node.declare([{ name: "a" }, { name: "b" }]);
    for (const text of ["1", "2", "3"]) for (const hook of ["a", "b"]) await sendWebhook(node, hook + text, { hook });
    const { deliveries } = await node.pull();
    expect((await node.read()).map(({ text }) => text)).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"]);
    const [first, , , fourth] = deliveries;
    await node.settle("done", first?.sequence ?? 0, fourth?.sequence ?? 0);
    await node.settle("done", first?.sequence ?? 0); // said twice is said once
    expect((await node.read({ except: "b" })).map(({ text }) => text)).toEqual(["a2", "a3"]);
    expect((await node.read({ except: "a,x" })).map(({ text }) => text)).toEqual(["b2", "b3"]);
  });

  test("outlives the object that has it in memory", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "kept");
    await evictDurableObject(stubOf(node));
    expect((await node.read()).map(({ text }) => text)).toEqual(["kept"]);
  });

  test("answers a question that waits for it", async () => {
    const node = await inboxNode();
    await node.declare();
    const asked = node.read({ waitMs: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await sendWebhook(node, "at last");
    expect((await asked).map(({ text }) => text)).toEqual(["at last"]);
  });

  test("is not given to a question that a newer one has replaced", async () => {
    const node = await inboxNode();
    await node.declare();
    const older = node.pull({ waitMs: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const newer = node.pull({ waitMs: 10_000 });
    expect((await older).deliveries).toEqual([]);
    await sendWebhook(node, "for the newer");
    expect((await newer).deliveries).toHaveLength(1);
    expect((await newer).deliveries[0]?.attempt).toBe(1);
  });
});

describe("a delivery that fails", () => {
  test("holds up its own hook, and comes again when its time has come", async () => {
    const node = await inboxNode();
    await node.declare([{ name: "a" }, { name: "b" }]);
    for (const text of ["a1", "a2"]) await sendWebhook(node, text, { hook: "a" });
    await sendWebhook(node, "b1", { hook: "b" });
    const [first] = (await node.pull()).deliveries;
    await node.settle("failed", first?.sequence ?? 0);
    expect((await node.read()).map(({ text }) => text)).toEqual(["b1"]);
    letPass(retryBackoff.baseMs);
    const again = await node.pull({ except: "b" });
    expect(again.deliveries.map(({ sequence, attempt }) => [sequence, attempt])).toEqual([
      [first?.sequence, 2],
      [(first?.sequence ?? 0) + 1, 1],
    ]);
  });

  test("wakes the question that waits for it", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "again");
    const [first] = (await node.pull()).deliveries;
    await node.settle("failed", first?.sequence ?? 0);
    expect((await node.read({ waitMs: 5_000 })).map(({ text }) => text)).toEqual(["again"]);
  });

  test("is given up after so many attempts, and no longer holds up its hook", async () => {
    const node = await inboxNode();
    await node.declare();
    for (const text of ["poison", "good"]) await sendWebhook(node, text);
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      letPass(retryBackoff.maxMs);
      const [first] = (await node.pull()).deliveries;
      expect(first?.attempt).toBe(attempt);
      await node.settle("failed", first?.sequence ?? 0);
    }
    expect((await node.read()).map(({ text }) => text)).toEqual(["good"]);
    expect((await node.pull()).dead).toBe(1);
  });

  test("by taking the node down with it is given up as well, and not those behind it", async () => {
    const node = await inboxNode();
    await node.declare();
    for (const text of ["poison", "good"]) await sendWebhook(node, text);
    for (let attempt = 1; attempt <= maxAttempts; attempt++) expect(await node.read()).toHaveLength(2);
    const { deliveries, dead } = await node.pull();
    expect(dead).toBe(1);
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1]);
  });

  test("for good is given up at once, and handed out again on demand", async () => {
    const node = await inboxNode();
    await node.declare();
    for (const text of ["first", "second"]) await sendWebhook(node, text);
    const [first] = (await node.pull()).deliveries;
    await node.settle("refused", first?.sequence ?? 0);
    expect((await node.read()).map(({ text }) => text)).toEqual(["second"]);
    await node.client.request("POST", `/v1/nodes/${node.id}/inbox/revival?epoch=1`, anything);
    expect((await node.read()).map(({ text }) => text)).toEqual(["first", "second"]);
    expect((await node.pull()).dead).toBe(0);
  });
});

describe("what waits too long", () => {
  test("is given up, kept for a while, and forgotten", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "old");
    letPass(lifetimesMs.waiting + 1);
    await runDurableObjectAlarm(stubOf(node));
    expect(await node.pull()).toEqual({ deliveries: [], dead: 1 });
    letPass(lifetimesMs.dead + 1);
    await runDurableObjectAlarm(stubOf(node));
    expect(await node.pull()).toEqual({ deliveries: [], dead: 0 });
    expect(await node.inObject((_, storage) => storage.getAlarm())).toBeNull();
  });

  test("is not looked at before its time", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "young");
    letPass(lifetimesMs.waiting - 60_000);
    await runDurableObjectAlarm(stubOf(node));
    expect((await node.pull()).deliveries).toHaveLength(1);
    expect(await node.inObject((_, storage) => storage.getAlarm())).not.toBeNull();
  });
});

describe("a webhook that is sent again", () => {
  test("under the same id is kept once, also after it was delivered, but not for ever", async () => {
    const node = await inboxNode();
    await node.declare([{ name: "a" }, { name: "b" }]);
    const send = (hook: string) => sendWebhook(node, "x", { hook, headers: { "webhook-id": "msg_1" } });
    for (const hook of ["a", "a", "b"]) expect(await takenId(await send(hook))).toBe("msg_1");
    const { deliveries } = await node.pull();
    expect(deliveries.map(({ hook }) => hook)).toEqual(["a", "b"]);
    await node.settle("done", ...deliveries.map(({ sequence }) => sequence));
    expect((await send("a")).status).toBe(202);
    expect((await node.pull()).deliveries).toEqual([]);
    letPass(lifetimesMs.done + 1);
    await runDurableObjectAlarm(stubOf(node));
    await send("a");
    expect((await node.pull()).deliveries).toHaveLength(1);
  });

  test("at the same time is kept once", async () => {
    const node = await inboxNode();
    await node.declare();
    await Promise.all(Array.from({ length: 10 }, () => sendWebhook(node, "x", { headers: { "webhook-id": "same" } })));
    expect((await node.pull()).deliveries).toHaveLength(1);
  });

  test("without an id is another one", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "x");
    await sendWebhook(node, "x");
    expect((await node.pull()).deliveries).toHaveLength(2);
  });
});

describe("a hook with the sender's secret", () => {
  test("takes what is signed with it", async () => {
    const node = await inboxNode();
    await node.declare([{ name: "github", secret: sendersSecret }]);
    const headers = await signedHeaders("msg_1", "signed");
    expect((await sendWebhook(node, "signed", { headers })).status).toBe(202);
    const [webhook] = await node.read();
    expect(webhook?.headers).toEqual({ "content-type": expect.stringContaining("text/plain"), ...headers });
  });

  test.for<[string, () => Promise<Record<string, string>>]>([
    ["nothing signed", () => Promise.resolve({})],
    ["another body", () => signedHeaders("msg_1", "another")],
    ["another secret", () => signedHeaders("msg_1", "signed", ownSecret)],
    ["an old signature", () => signedHeaders("msg_1", "signed", sendersSecret, clock.now() - 6 * 60_000)],
    ["a signature from the future", () => signedHeaders("msg_1", "signed", sendersSecret, clock.now() + 6 * 60_000)],
    ["another id", async () => ({ ...(await signedHeaders("msg_1", "signed")), "webhook-id": "msg_2" })],
  ])("refuses %s", async ([, headers]) => {
    const node = await inboxNode();
    await node.declare([{ name: "github", secret: sendersSecret }]);
    expect(await codeOf(sendWebhook(node, "signed", { headers: await headers() }))).toBe("signature-invalid");
    expect((await node.pull()).deliveries).toEqual([]);
  });
});

describe("the inbox refuses", () => {
  test("hooks that nobody has declared, of which it stores nothing", async () => {
    const [node, unknown] = [await inboxNode(), await inboxNode()];
    await node.declare();
    expect(await codeOf(sendWebhook(node, "x", { hook: "gitlab" }))).toBe("not-found");
    expect(await codeOf(sendWebhook(unknown, "x"))).toBe("not-found");
    const names = await unknown.inObject((_, { sql }) =>
      sql.exec<{ name: string }>("SELECT name FROM sqlite_master").toArray(),
    );
    expect(names.filter(({ name }) => !name.startsWith("_cf"))).toEqual([]);
  });

  test.for<[string, string, { body?: string; headers?: Record<string, string> }]>([
    ["too-large", "more than any hook takes", { body: "x".repeat(maxWebhookBytes + 1) }],
    ["too-large", "more than this hook takes", { body: "x".repeat(101) }],
    ["too-large", "long headers", { headers: { "x-github-event": "x".repeat(9_000) } }],
    ["bad-request", "an id that is none", { headers: { "webhook-id": "a b" } }],
    ["unsupported-media-type", "a compressed body", { headers: { "content-encoding": "gzip" } }],
    ["plaintext-refused", "a message of Signal", { body: '{"envelope":{"source":"+1","dataMessage":{}}}' }],
  ])("%s: %s", async ([code, , { body = "x", headers }]) => {
    const node = await inboxNode();
    await node.declare([{ name: "github", maxBytes: 100 }]);
    expect(await codeOf(sendWebhook(node, body, headers && { headers }))).toBe(code);
  });

  test("one sender that sends too many, and not the others", async () => {
    const node = await inboxNode();
    await node.declare();
    const send = (address: string) => sendWebhook(node, "x", { headers: { "cf-connecting-ip": address } });
    const startedAt = Date.now();
    const answers = await Promise.all(Array.from({ length: senderRate.burst + 50 }, () => send("2001:db8:1:2::1")));
    const taken = answers.filter(({ status }) => status === 202).length;
    const refilled = Math.ceil(((Date.now() - startedAt) / 1_000) * senderRate.perSecond);
    expect(taken).toBeGreaterThanOrEqual(senderRate.burst);
    expect(taken).toBeLessThanOrEqual(senderRate.burst + refilled);
    expect(await codeOf(send("2001:db8:1:2::ffff"))).toBe("too-many-requests"); // of the same /64
    expect((await send("2001:db8:1:3::1")).status).toBe(202);
    letPass(1_000);
    expect((await send("2001:db8:1:2::1")).status).toBe(202);
  });

  test("more than it has room for, until the node has taken some", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "x");
    await node.inObject((_, { sql }) =>
      sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ${maxWaitingPerHook})
         INSERT INTO deliveries (hook, id, state, since, sealed, attempts, due_at)
         SELECT 'github', 'n' || i, 'waiting', ?, x'00', 0, 0 FROM n`,
        clock.now(),
      ),
    );
    await evictDurableObject(stubOf(node));
    expect(await codeOf(sendWebhook(node, "one more"))).toBe("overloaded");
    const [first] = (await node.pull()).deliveries;
    await node.settle("done", first?.sequence ?? 0);
    expect((await sendWebhook(node, "one more")).status).toBe(202);
  });
});

describe("a node's inbox", () => {
  test("is nobody else's", async () => {
    const [node, other] = [await inboxNode(), await inboxNode()];
    await node.declare();
    const request = other.client.request("GET", `/v1/nodes/${node.id}/inbox?epoch=1&wait=0`, anything);
    await expect(request).rejects.toMatchObject({ code: "forbidden" });
  });

  test("answers the newest process of the node only", async () => {
    const node = await inboxNode();
    await node.declare([{ name: "github" }], 1);
    await node.pull({ epoch: 2 });
    await expect(node.pull({ epoch: 1 })).rejects.toMatchObject({ code: "epoch-superseded" });
    await expect(node.declare([], 1)).rejects.toMatchObject({ code: "epoch-superseded" });
    await expect(node.settle("done", 1)).rejects.toMatchObject({ code: "epoch-superseded" });
  });

  test("asks for a declaration first", async () => {
    const node = await inboxNode();
    await expect(node.pull()).rejects.toMatchObject({ code: "not-found" });
  });

  test("refuses a key to which nothing can be sealed", async () => {
    const node = await inboxNode();
    const body = { epoch: 1, key: "0".repeat(64), secret: ownSecret, hooks: [] };
    const declared = node.client.request("PUT", `/v1/nodes/${node.id}/inbox`, anything, { body });
    await expect(declared).rejects.toMatchObject({ code: "key-weak" });
  });

  test("hands out no more of a hook that is declared no more, and goes on when it is again", async () => {
    const node = await inboxNode();
    await node.declare();
    await sendWebhook(node, "waits");
    await node.declare([]);
    expect(await codeOf(sendWebhook(node, "x"))).toBe("not-found");
    expect((await node.pull()).deliveries).toEqual([]);
    await node.declare();
    expect((await node.read()).map(({ text }) => text)).toEqual(["waits"]);
  });

  test("is gone with a node that leaves for good", async () => {
    const node = await inboxNode();
    await node.register();
    await node.declare();
    await sendWebhook(node, "x");
    await node.client.request("DELETE", `/v1/nodes/${node.id}`, anything);
    expect(await codeOf(sendWebhook(node, "x"))).toBe("not-found");
    await node.declare();
    expect((await node.pull()).deliveries).toEqual([]);
  });
});
