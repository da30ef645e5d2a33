import { describe, expect, test } from "vitest";
import { clock, letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { makeCsr } from "../support/csr.ts";
import { anything, clientOf, testNode, type TestNode } from "../support/edge.ts";
import { testIdentity } from "../support/identities.ts";
import { orderSchema, registrationSchema, routeSchema } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { decideKey } from "../../../workers/registry/served-key.ts";

const relay = clientOf(await testIdentity("relay one"), "postern-relay");
const told = "ab".repeat(32);

const keyInRoute = async ({ id }: TestNode) =>
  (await relay.request("GET", `/v1/routes/${idHostname(id, zone)}`, routeSchema)).key;

async function order(node: TestNode): Promise<string> {
  const body = { csr: await makeCsr({ names: [idHostname(node.id, zone)] }) };
  await node.client.request("POST", `/v1/nodes/${node.id}/orders`, orderSchema, { body });
  return body.csr;
}

const renew = (node: TestNode, key?: string) =>
  node.client.request("PUT", `/v1/nodes/${node.id}/lease`, registrationSchema, { body: { epoch: 1, key } });

describe("the key in the routes of a node", () => {
  test("is that of its newest certificate, for as long as that is good", async () => {
    const node = await testNode();
    await node.register();
    expect(await keyInRoute(node)).toBeUndefined();
    await order(node);
    const first = await keyInRoute(node);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    await order(node);
    const second = await keyInRoute(node);
    expect(second).not.toBe(first);
    await node.register();
    expect(await keyInRoute(node)).toBe(second);
  });

  test("is that of the CSR, as its SubjectPublicKeyInfo hashes", async () => {
    const node = await testNode();
    await node.register();
    const csr = await order(node);
    expect(await keyInRoute(node)).toBe(await spkiDigestOf(csr));
  });

  test("is the one the node tells, where it hands TLS on, until it tells none", async () => {
    const node = await testNode();
    await node.register();
    await order(node);
    const issued = await keyInRoute(node);
    await renew(node, told);
    expect(await keyInRoute(node)).toBe(told);
    await renew(node);
    expect(await keyInRoute(node)).toBe(issued);
    await node.register({ version: "test", key: told });
    expect(await keyInRoute(node)).toBe(told);
  });

  test("is not told for every renewal", async () => {
    const node = await testNode();
    await node.register();
    await renew(node, told);
    const before = await cursorOf(node);
    letPass(1_000);
    await renew(node, told);
    expect(await cursorOf(node)).toBe(before);
  });

  test("has to be a digest", async () => {
    const node = await testNode();
    await node.register();
    await expect(renew(node, "no key")).rejects.toMatchObject({ code: "bad-request" });
  });

  test("is the node's own word alone when it orders with an account of its own", () => {
    const now = clock.now();
    const orders = [{ purpose: "serve", status: "valid", notAfter: now + 1, spkiDigest: "issued" }] as const;
    expect(decideKey(undefined, orders, { now, hasOwnAccounts: true })).toBeUndefined();
    expect(decideKey("told", orders, { now, hasOwnAccounts: true })).toBe("told");
    expect(decideKey(undefined, orders, { now, hasOwnAccounts: false })).toBe("issued");
    expect(decideKey(undefined, orders, { now: now + 1, hasOwnAccounts: false })).toBeUndefined();
  });
});

/** The routes of a node as text: the same while nothing was published. */
async function cursorOf(node: TestNode): Promise<string> {
  return JSON.stringify(await relay.request("GET", `/v1/routes/${idHostname(node.id, zone)}`, anything));
}

async function spkiDigestOf(csr: string): Promise<string> {
  const { Pkcs10CertificateRequest } = await import("@peculiar/x509");
  const digest = await crypto.subtle.digest("SHA-256", new Pkcs10CertificateRequest(csr).publicKey.rawData);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
