import { createHash, createPublicKey, verify } from "node:crypto";
import canonicalize from "canonicalize";
import { afterEach, describe, expect, it } from "vitest";
import { ReceiptKey } from "../../../../tee-bot/attestation/evidence/listed-keys.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { ask, chat, startCalledGateway, type CalledGateway } from "../support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const digest = "ab".repeat(32);
const key = new ReceiptKey(new Uint8Array(32).fill(2));
const hashOf = (bytes: string | Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

interface Receipt {
  readonly [name: string]: unknown;
  readonly signature: string;
  readonly event_log: readonly { readonly type: string; readonly body_hash?: string }[];
}

interface World extends CalledGateway {
  readonly upstreams: readonly Upstream[];
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; json: unknown }>;
  receipt(id: unknown): Promise<Receipt>;
}

/** A gateway before so many providers, in a TEE unless told otherwise. */
async function start(providers = 1, { tee = true, access = {} } = {}): Promise<World> {
  const upstreams: Upstream[] = [];
  for (let at = 0; at < providers; at++) upstreams.push(stack.use(await startUpstream()));
  const signer = key.signer(() => Promise.resolve(digest));
  const gateway = await startCalledGateway(stack, { route: upstreams, access, ...(tee && { receiptSigner: signer }) });
  const get: World["get"] = async (path, headers = {}) => {
    const { status, text } = await ask(gateway.port, "", { path, method: "GET", headers });
    return { status, json: JSON.parse(text) as unknown };
  };
  return {
    ...gateway,
    upstreams,
    get,
    async receipt(id) {
      const { status, json } = await get(`/v1/aci/receipts/${String(id)}`);
      expect(status).toBe(200);
      return json as Receipt;
    },
  };
}

/** As a client of `aci/1` checks it (§9.3), with the public key of the keyset alone. */
function isSigned({ signature, ...document }: Receipt): boolean {
  const x = Buffer.from(key.listed.public_key, "hex").toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, Buffer.from(canonicalize(document) ?? ""), publicKey, Buffer.from(signature, "hex"));
}

const hashes = ({ event_log }: Receipt): Record<string, unknown> =>
  Object.fromEntries(event_log.map(({ type, body_hash }) => [type, body_hash]));

describe("a receipt", () => {
  it("has the hashes of the very bytes that came and went, and is signed by the key of the keyset", async () => {
    const world = await start();
    const body = `{ "model":"odd-json", "messages":[] }\n`;
    const answer = await world.ask(body);
    expect(answer.headers).toMatchObject({ "x-aci-version": "aci/1", "x-aci-keyset-digest": `sha256:${digest}` });
    const receipt = await world.receipt(answer.headers["x-receipt-id"]);
    expect(isSigned(receipt)).toBe(true);
    expect(isSigned({ ...receipt, model: "another" })).toBe(false);
    expect(receipt).toMatchObject({
      api_version: "aci/1",
      receipt_id: answer.headers["x-request-id"],
      chat_id: "odd",
      model: "odd-json",
      workload_keyset_digest: `sha256:${digest}`,
      endpoint: "/v1/chat/completions",
      method: "POST",
      key_id: key.listed.key_id,
    });
    expect(receipt.event_log[0]?.type).toBe("request.received");
    expect(hashes(receipt)).toMatchObject({
      "request.received": hashOf(body),
      "request.forwarded": hashOf(world.upstreams[0]!.calls[0]!.body),
      "response.returned": hashOf(answer.bytes),
    });
  });

  it("covers a whole stream with its framing, and is found by the id of the answer too", async () => {
    const world = await start();
    const answer = await world.ask(chat("odd-json", { stream: true }));
    const receipt = await world.receipt("odd");
    expect(hashes(receipt)["response.returned"]).toBe(hashOf(answer.bytes));
    expect(receipt["receipt_id"]).toBe(answer.headers["x-receipt-id"]);
  });

  it("tells of everybody who was asked, and that nobody's TEE was verified", async () => {
    const world = await start(2);
    world.upstreams[0]!.behave((_request, reply) => reply.send(503, "{}"));
    const answer = await world.ask(chat("m"));
    const { event_log } = await world.receipt(answer.headers["x-receipt-id"]);
    const attempts = event_log.filter(({ type }) => type === "postern.attempted");
    expect(new Set(attempts.map((one) => (one as { upstream_name?: string }).upstream_name))).toEqual(
      new Set(["first", "second"]),
    );
    expect(event_log.find(({ type }) => type === "upstream.verified")).toMatchObject({
      result: "failed",
      required: false,
      upstream_name: "second",
    });
  });

  it("is there for an error of the gateway's own, and says that nothing was passed on", async () => {
    const world = await start(0);
    const answer = await world.ask(chat("m"));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    const receipt = await world.receipt(answer.headers["x-receipt-id"]);
    expect(receipt.event_log.map(({ type }) => type)).toEqual(["request.received", "response.returned"]);
    expect(hashes(receipt)["response.returned"]).toBe(hashOf(answer.bytes));
  });

  it("is not signed for an answer that broke off", async () => {
    const world = await start();
    const left = new AbortController();
    const call = fetch(`http://127.0.0.1:${world.port}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify(chat("never-ends", { stream: true })),
      signal: left.signal,
    });
    world.upstreams[0]!.behave(async (_request, reply) => {
      reply.raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
      reply.raw(
        `data: {"id":"half","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n`,
      );
      await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
    });
    const response = await call;
    await response.body!.getReader().read();
    left.abort();
    await expect.poll(() => world.ends.length).toBe(1);
    expect((await world.get(`/v1/aci/receipts/${response.headers.get("x-receipt-id")}`)).status).toBe(404);
  });

  it("is for the key that made the call, and nobody else is told that it exists", async () => {
    const access = {
      authenticate: ({ "x-test-key": keyId }: Record<string, unknown>) => ({
        keyId: keyId as string,
        models: undefined,
      }),
    };
    const world = await start(1, { access });
    const answer = await world.ask(chat("m"), { headers: { "x-test-key": "alice" } });
    const path = `/v1/aci/receipts/${String(answer.headers["x-receipt-id"])}`;
    expect((await world.get(path, { "x-test-key": "alice" })).status).toBe(200);
    const others = await world.get(path, { "x-test-key": "bob" });
    expect(others).toMatchObject({ status: 404, json: { error: { type: "not_found" } } });
    expect(await world.get("/v1/aci/receipts/none", { "x-test-key": "bob" })).toEqual(others);
  });
});

describe("outside a TEE", () => {
  it("nothing is signed, and that is said", async () => {
    const world = await start(1, { tee: false });
    const answer = await world.ask(chat("m"));
    expect(answer.headers).not.toHaveProperty("x-receipt-id");
    const page = await world.get("/v1/aci/receipts/whatever");
    expect(page).toMatchObject({ status: 503, json: { error: { type: "tee_absent" } } });
  });
});

describe("a body with constraints of aci/1", () => {
  it("is refused, for whoever gives one relies on it", async () => {
    const world = await start();
    const answer = await world.ask(chat("m", { provider: { aci_verified: true } }));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("local-or-verified");
    expect(world.upstreams[0]!.calls).toHaveLength(0);
  });
});
