import { describe, expect, test } from "vitest";
import { clock } from "../support/controls.ts";
import { edgeOrigin } from "../support/constants.ts";
import { problemOf, send, signedRequest, testNode, type SignedParts } from "../support/edge.ts";
import { freshIdentity, testIdentity, type TestIdentity } from "../support/identities.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { maxRequestBytes } from "../../../shared/registry/messages.ts";

const node = await freshIdentity();
const stranger = await freshIdentity();
const registration = `/v1/nodes/${node.id}/registration`;
const body = JSON.stringify({ version: "test" });
const weakKey = "0".repeat(64);

const sign = (signer: TestIdentity, parts: Partial<SignedParts> = {}): Promise<Request> =>
  signedRequest(signer, { method: "POST", path: registration, body, ...parts });

/** The same request with other headers or another body. */
async function spoiled(
  request: Promise<Request>,
  change: (headers: Headers) => void,
  newBody = body,
): Promise<Request> {
  const { url, method, headers } = await request;
  const changed = new Headers(headers);
  change(changed);
  return new Request(url, { method, headers: changed, body: newBody });
}

const signatures: [name: string, code: ErrorCode, request: () => Promise<Request>][] = [
  [
    "a request without a signature",
    "signature-missing",
    () => Promise.resolve(new Request(edgeOrigin + registration, { method: "POST", body })),
  ],
  ["a signature without a digest", "signature-missing", () => spoiled(sign(node), (h) => h.delete("content-digest"))],
  ["the signature of another key", "forbidden", () => sign(stranger)],
  [
    "a signature under a key id that did not make it",
    "signature-invalid",
    () =>
      spoiled(sign(stranger), (h) =>
        h.set("signature-input", String(h.get("signature-input")).replace(stranger.id, node.id)),
      ),
  ],
  ["another body", "signature-invalid", () => spoiled(sign(node), () => {}, JSON.stringify({ version: "evil" }))],
  ["a signature 6 minutes old", "signature-expired", () => sign(node, { now: clock.now() - 6 * 60_000 })],
  ["a signature from the future", "signature-expired", () => sign(node, { now: clock.now() + 60_000 })],
  ["a relay's signature for a node's request", "signature-invalid", () => sign(node, { role: "postern-relay" })],
  [
    "a weak key",
    "key-weak",
    () =>
      spoiled(sign(node), (h) => h.set("signature-input", String(h.get("signature-input")).replace(node.id, weakKey))),
  ],
  [
    "another path than the signed one",
    "signature-invalid",
    async () => {
      const signed = await sign(stranger);
      return new Request(signed.url.replace("registration", "orders"), signed);
    },
  ],
  [
    "another method than the signed one",
    "signature-invalid",
    async () => {
      const signed = await sign(node, { path: `/v1/nodes/${node.id}/lease`, body: "{}" });
      return new Request(signed.url, { method: "PUT", headers: signed.headers, body: "{}" });
    },
  ],
];

describe("the edge refuses", () => {
  test.for(signatures)("%s: %s", async ([, code, request]) => {
    expect((await problemOf(await send(await request()))).code).toBe(code);
  });

  test("a request that was seen before", async () => {
    const signed = await sign(node);
    expect((await send(signed.clone())).status).toBe(200);
    expect((await problemOf(await send(signed))).code).toBe("nonce-replayed");
  });

  test("a replay of a heartbeat", async () => {
    const relay = await testIdentity("relay one");
    const request = await signedRequest(relay, { method: "GET", path: "/v1/routes/a.b", role: "postern-relay" });
    expect((await problemOf(await send(request.clone()))).code).toBe("not-found");
    expect((await problemOf(await send(request))).code).toBe("nonce-replayed");
  });

  test.for<[string, ErrorCode, Partial<SignedParts>]>([
    ["malformed JSON", "bad-request", { body: "{" }],
    ["a body of the wrong shape", "bad-request", { body: '{"version":1}' }],
    ["a place that is nowhere", "bad-request", { body: '{"version":"1","place":{"latitude":91,"longitude":0}}' }],
    ["a missing body", "bad-request", { body: "" }],
    ["another content type", "unsupported-media-type", { headers: { "content-type": "text/plain" } }],
    ["a node id that is none", "bad-request", { path: "/v1/nodes/xyz/registration" }],
    ["a node id that is a weak key", "key-weak", { path: `/v1/nodes/${weakKey}/registration` }],
    ["somebody else's registration", "forbidden", { path: `/v1/nodes/${stranger.id}/registration` }],
    [
      "somebody else's lease",
      "forbidden",
      { method: "PUT", path: `/v1/nodes/${stranger.id}/lease`, body: '{"epoch":1}' },
    ],
    ["an order for somebody else", "forbidden", { path: `/v1/nodes/${stranger.id}/orders`, body: '{"csr":"x"}' }],
    ["an oversized body", "too-large", { body: JSON.stringify({ version: "x".repeat(maxRequestBytes) }) }],
    ["an epoch that is none", "bad-request", { method: "DELETE", path: `${registration}?epoch=0` }],
    ["a missing epoch", "bad-request", { method: "DELETE", path: registration }],
  ])("%s: %s", async ([, code, parts]) => {
    expect((await problemOf(await send(await sign(node, parts)))).code).toBe(code);
  });

  test("an oversized body of unannounced length as soon as it is too long", async () => {
    const signed = await sign(node);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 16_384;
        controller.enqueue(new Uint8Array(16_384));
      },
    });
    const request = new Request(signed.url, { method: "POST", headers: signed.headers, body: endless });
    expect((await problemOf(await send(request))).code).toBe("too-large");
    expect(sent).toBeLessThan(4 * maxRequestBytes);
  });

  test("an unknown route", async () => {
    expect((await problemOf(await send(new Request(`${edgeOrigin}/v1/nothing`)))).code).toBe("not-found");
  });

  test("a method that a route does not have, and names those it has", async () => {
    const response = await send(new Request(`${edgeOrigin}/v1/aliases/demo`, { method: "POST", body }));
    expect(response.headers.get("allow")).toBe("PUT, DELETE");
    expect((await problemOf(response)).code).toBe("method-not-allowed");
  });

  test("a claim by a node that has not registered", async () => {
    const unknown = await testNode();
    await expect(unknown.claim("unregistered")).rejects.toThrow("not-registered");
  });
});

describe("the edge refuses the alias", async () => {
  const claimer = await testNode();
  await claimer.register();

  test.for<[string, ErrorCode]>([
    ["www", "name-reserved"],
    ["api", "name-reserved"],
    ["edge", "name-reserved"],
    ["edge7", "name-reserved"],
    ["relay", "name-reserved"],
    ["relay-eu", "name-reserved"],
    ["ns1", "name-reserved"],
    ["a", "name-invalid"],
    ["x".repeat(41), "name-invalid"],
    ["x".repeat(64), "name-invalid"],
    ["Demo", "name-invalid"],
    ["de.mo", "name-invalid"],
    ["-demo", "name-invalid"],
    ["demo-", "name-invalid"],
    ["de_mo", "name-invalid"],
    ["xn--dmo-bma", "name-invalid"],
    [encodeURIComponent("dеmo"), "name-invalid"], // with a Cyrillic е
    [encodeURIComponent("demo\u200b"), "name-invalid"],
    ["demo%00", "name-invalid"],
    ["demo%2f..", "name-invalid"],
    ["%ff", "name-invalid"],
  ])("%s: %s", async ([alias, code]) => {
    await expect(claimer.claim(alias)).rejects.toMatchObject({ code });
  });
});
