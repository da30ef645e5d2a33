import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { PemConverter, X509Certificate } from "@peculiar/x509";
import { describe, expect, test } from "vitest";
import { clock, letPass } from "../support/controls.ts";
import { edgeOrigin, zone } from "../support/constants.ts";
import { edgeFetch, testNode, type TestNode } from "../support/edge.ts";
import { keysFor, makeCsr } from "../support/csr.ts";
import { freshIdentity } from "../support/identities.ts";
import { inPlace, restoreSurroundings } from "../support/surroundings.ts";
import { issuerSchema, orderSchema } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { readCsr } from "../../../workers/certificate/csr.ts";
import { localIssuer } from "../../../workers/certificate/local-issuer.ts";
import { maxOrdersKept } from "../../../workers/certificate/orders.ts";

const dayMs = 86_400_000;

const order = (node: TestNode, csr: string) =>
  node.client.request("POST", `/v1/nodes/${node.id}/orders`, orderSchema, { body: { csr } });
const read = (node: TestNode, id: string) =>
  node.client.request("GET", `/v1/nodes/${node.id}/orders/${id}`, orderSchema);

async function registered(alias: string): Promise<TestNode & { names: string[] }> {
  const node = await testNode();
  await node.register();
  await node.claim(alias);
  return { ...node, names: [`${alias}.${zone}`, idHostname(node.id, zone)] };
}

const { roots, kind } = issuerSchema.parse(await (await edgeFetch(`${edgeOrigin}/v1/issuer`)).json());
const rootPem = roots[0] ?? "";

describe("the local issuer", () => {
  test("answers with a certificate for the key and the names, signed by the published root", async () => {
    const node = await registered("certified");
    const keys = await keysFor();
    const {
      status,
      hostnames,
      certificate = "",
      notAfter = 0,
    } = await order(node, await makeCsr({ names: node.names, keys }));
    expect({ status, hostnames }).toEqual({ status: "valid", hostnames: node.names });

    const leaf = new X509Certificate(certificate);
    const root = new X509Certificate(rootPem);
    expect(kind).toBe("local");
    expect(await leaf.verify({ publicKey: root.publicKey, date: new Date(clock.now()) })).toBe(true);
    expect(leaf.issuer).toBe(root.subject);
    expect(leaf.subject).toBe("");
    const spki = (await crypto.subtle.exportKey("spki", keys.publicKey)) as ArrayBuffer;
    expect(new Uint8Array(leaf.publicKey.rawData)).toEqual(new Uint8Array(spki));
    expect(leaf.notAfter.getTime()).toBe(notAfter);
    expect(notAfter - clock.now()).toBeGreaterThan(90 * dayMs - 60_000);
    expect(leaf.notBefore.getTime()).toBeLessThan(clock.now());
    expect(leaf.serialNumber).toMatch(/^[4-7][0-9a-f]{31}$/);
    const critical = leaf.extensions.map(({ type, critical: isCritical }) => [type, isCritical]);
    expect(Object.fromEntries(critical)).toEqual({
      "2.5.29.19": true, // basicConstraints
      "2.5.29.15": true, // keyUsage
      "2.5.29.37": false, // extKeyUsage
      "2.5.29.17": true, // subjectAltName
      "2.5.29.35": false, // authorityKeyIdentifier
      "2.5.29.14": false, // subjectKeyIdentifier
    });
  });

  test("is asked once for the same request, until half of the certificate's life is over", async () => {
    const node = await registered("again");
    const csr = await makeCsr({ names: node.names });
    const first = await order(node, csr);
    expect(await order(node, csr)).toEqual(first);
    expect(await read(node, first.id)).toEqual(first);
    letPass(46 * dayMs);
    await node.renew(1);
    expect((await order(node, csr)).id).not.toBe(first.id);
  });

  test("is not asked for names that the node no longer has", async () => {
    const node = await registered("lost");
    const csr = await makeCsr({ names: node.names });
    await order(node, csr);
    await node.client.request("DELETE", "/v1/aliases/lost", orderSchema.or(orderSchema.optional() as never));
    await expect(order(node, csr)).rejects.toMatchObject({ code: "csr-rejected" });
  });

  test("signs nothing when its key does not belong to its root", async () => {
    const pkcs8 = (await crypto.subtle.exportKey("pkcs8", (await keysFor()).privateKey)) as ArrayBuffer;
    const issuer = localIssuer({ certificatePem: rootPem, keyPem: PemConverter.encode(pkcs8, "PRIVATE KEY") }, clock);
    const { der } = await readCsr(await makeCsr({ names: ["a.b"] }), ["a.b"]);
    const step = issuer.step({ id: "1", node: (await freshIdentity()).id, csr: der, hostnames: ["a.b"], progress: "" });
    await expect(step).rejects.toMatchObject({ code: "issuer-unavailable" });
  });

  test("is not asked for another node's name", async () => {
    const [node, other] = [await registered("mine"), await registered("yours")];
    const csr = await makeCsr({ names: other.names });
    await expect(order(node, csr)).rejects.toMatchObject({ code: "csr-rejected" });
  });
});

describe("an order", () => {
  test("is refused to a node whose lease has run out", async () => {
    const node = await registered("asleep");
    letPass(10 * 60_000);
    await expect(order(node, await makeCsr({ names: node.names }))).rejects.toMatchObject({ code: "lease-expired" });
  });

  test("can be read by its own node only", async () => {
    const [node, other] = [await registered("reads"), await registered("cannot")];
    const { id } = await order(node, await makeCsr({ names: node.names }));
    await expect(read(other, id)).rejects.toMatchObject({ code: "not-found" });
  });

  test("is kept among the newest few", async () => {
    const node = await registered("many");
    const ids: string[] = [];
    for (let n = 0; n <= maxOrdersKept; n++) ids.push((await order(node, await makeCsr({ names: node.names }))).id);
    await expect(read(node, ids[0] ?? "")).rejects.toMatchObject({ code: "not-found" });
    for (const id of ids.slice(1)) expect((await read(node, id)).status).toBe("valid");
  });
});

test("the node's alarm wakes for an order", async () => {
  const node = await registered("alarmed");
  const { id } = await order(node, await makeCsr({ names: node.names }));
  const stub = env.NODES.get(env.NODES.idFromName(node.id));
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec(
      "UPDATE orders SET status = 'processing', due_at = ?, certificate = NULL WHERE id = ?",
      clock.now(),
      id,
    );
  });
  await evictDurableObject(stub);
  await runDurableObjectAlarm(stub);
  expect((await read(node, id)).status).toBe("valid");
});

test("a crash during the request delays its order by no more than a second", async () => {
  const node = await registered("crashing");
  const { promise, resolve } = Promise.withResolvers<never>();
  const entered = Promise.withResolvers<void>();
  inPlace.issuer = () => ({
    describe: () => ({ kind: "acme", roots: [], trust: "private", directories: [], resolvers: [] }),
    step: () => (entered.resolve(), promise),
    abandon: () => Promise.resolve(),
  });
  const created = order(node, await makeCsr({ names: node.names }));
  await entered.promise;
  const stub = env.NODES.get(env.NODES.idFromName(node.id));
  const alarmAt = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
  expect(alarmAt).toBeLessThanOrEqual(clock.now() + 1_000);
  restoreSurroundings();
  resolve(undefined as never);
  await created;
});
