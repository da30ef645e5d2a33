import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openWebhook, sealWebhook } from "../../../shared/inbox/sealed-webhook.ts";
import { parseNodeId } from "../../../shared/registry/node-id.ts";

const { publicKey, privateKey } = generateKeyPairSync("x25519");
const keys = {
  privateKey: privateKey.toCryptoKey("X25519", false, ["deriveBits"]),
  publicKey: Uint8Array.from(Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url")),
};
const node = parseNodeId("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"); // RFC 8032 §7.1
const webhook = {
  id: "msg_1",
  timestamp: "1614265330",
  signature: "v1,AAAA",
  headers: { "content-type": "text/plain", "x-github-event": "größe" },
  body: Uint8Array.of(0, 255, 1, 254),
};

describe("a sealed webhook", () => {
  it("opens as it was, bytes and all", async () => {
    const sealed = await sealWebhook(keys.publicKey, { node, hook: "a" }, webhook);
    expect(await openWebhook(keys, { node, hook: "a" }, sealed)).toEqual(webhook);
  });

  it("opens as the same with an empty body", async () => {
    const empty = { ...webhook, body: new Uint8Array(0) };
    const sealed = await sealWebhook(keys.publicKey, { node, hook: "a" }, empty);
    expect(await openWebhook(keys, { node, hook: "a" }, sealed)).toEqual(empty);
  });

  it("does not open as one of another hook", async () => {
    const sealed = await sealWebhook(keys.publicKey, { node, hook: "a" }, webhook);
    await expect(openWebhook(keys, { node, hook: "b" }, sealed)).rejects.toThrow();
  });
});
