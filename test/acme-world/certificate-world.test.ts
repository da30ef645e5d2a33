/** The whole: orders through the proxy, records through Cloudflare's client, what resolvers see. */
import { Resolver } from "node:dns/promises";
import { request } from "node:https";
import { createClient } from "cloudflare/tree-shakable";
import { BaseRecords } from "cloudflare/resources/dns/records";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { acmeFault, rateLimited } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { getOverTls } from "../support/acme/tls-get.ts";
import { startSession, type Issued, type Session } from "./acme-session.ts";

let world: CertificateWorld;
let session: Session;

beforeAll(async () => {
  world = await startCertificateWorld();
  session = await startSession(world.directory, world.acmeCa);
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.proxy.faults.clear();
  world.proxy.renewalInfo = undefined;
  world.api.universalSsl.enabled = false;
});

const nameOf = (label: string): string => `${label}.${world.zone}`;

async function present(name: string, content: string): Promise<void> {
  const { token: apiToken, zoneId: zone_id, cloudflareApi: baseURL } = world;
  const client = createClient({ resources: [BaseRecords], apiToken, baseURL, maxRetries: 0 });
  await client.dns.records.create({ zone_id, type: "TXT", name, content, ttl: 60 });
}

const issue = (label: string, extra?: object): Promise<Issued> => session.issue(nameOf(label), present, extra);

const directory = async (): Promise<Record<string, unknown>> =>
  JSON.parse((await getOverTls(world.directory, world.acmeCa)).body) as Record<string, unknown>;

test("a certificate is issued through the proxy with a record written through Cloudflare's API", async () => {
  const { chain } = await issue("plain");
  expect(chain).toContain("BEGIN CERTIFICATE");
  const { faults, orders, port } = world.proxy;
  for (const kind of ["newAccount", "newOrder", "authz", "challenge", "finalize", "certificate"]) {
    expect(faults.count(`POST ${kind}`), kind).toBeGreaterThan(0);
  }
  expect(orders.at(-1)).toMatchObject({ names: [nameOf("plain")], finalized: true });
  expect(orders.at(-1)?.url).toContain(`https://localhost:${port}/`);
});

test("the CA has renewal information when it is told to, and none before", async () => {
  expect(await directory()).not.toHaveProperty("renewalInfo");
  const [start, end] = [new Date("2027-01-01T00:00:00Z"), new Date("2027-01-03T00:00:00Z")];
  world.proxy.renewalInfo = (id) => (id === "aki.serial" ? { start, end, retryAfterSeconds: 60 } : undefined);
  const url = String((await directory())["renewalInfo"]);
  const known = await getOverTls(`${url}/aki.serial`, world.acmeCa);
  expect(JSON.parse(known.body)).toEqual({ suggestedWindow: { start: start.toISOString(), end: end.toISOString() } });
  expect((await getOverTls(`${url}/other.serial`, world.acmeCa)).status).toBe(404);
  expect(world.proxy.faults.count("renewalInfo")).toBe(2);
});

test("an order says what it replaces, and a certificate is replaced once", async () => {
  const { order } = await issue("renewed", { replaces: "aki.1" });
  expect(order).toMatchObject({ replaces: "aki.1" });
  expect(world.proxy.orders.at(-1)).toMatchObject({ replaces: "aki.1", finalized: true });
  await expect(issue("renewed", { replaces: "aki.1" })).rejects.toThrow(/replaced already/);
});

test("the CA obeys CAA: the account's own URI is let in, any other is not", async () => {
  expect((await directory())["meta"]).toMatchObject({ caaIdentities: ["ca.example.test"] });
  const allow = (label: string, parameters: string): void => {
    world.store.add({ name: nameOf(label), type: "CAA", content: `0 issue "ca.example.test; ${parameters}"` });
  };
  allow("own", `accounturi=${session.client.getAccountUrl()}; validationmethods=dns-01`);
  allow("foreign", "accounturi=https://localhost/other");
  allow("method", "validationmethods=tls-alpn-01");
  expect((await issue("own")).chain).toContain("BEGIN CERTIFICATE");
  await expect(issue("foreign")).rejects.toThrow(/CAA forbids/);
  await expect(issue("method")).rejects.toThrow(/CAA forbids/);
});

test("Universal SSL puts its own CAA in place of what was written, unseen by the API", async () => {
  const name = nameOf("overridden");
  world.store.add({ name, type: "CAA", content: '0 issue "ca.example.test"' });
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([world.zoneServer.address]);
  const issuers = async (): Promise<(string | undefined)[]> =>
    (await resolver.resolveCaa(name)).map((record) => record.issue ?? record.issuewild);
  expect(await issuers()).toEqual(["ca.example.test"]);
  world.api.universalSsl.enabled = true;
  expect(await issuers()).toContain("letsencrypt.org");
  expect(await issuers()).not.toContain("ca.example.test");
  expect(world.store.now().at(name)).toHaveLength(1);
});

test("the CA refuses, fails and falls silent where it is told to", async () => {
  const { faults } = world.proxy;
  faults.inject("newOrder", rateLimited("120"));
  const response = await postTo("/order-plz");
  expect(response.headers["retry-after"]).toBe("120");
  expect(JSON.parse(response.body)).toMatchObject({ type: "urn:ietf:params:acme:error:rateLimited" });
  faults.inject("finalize", acmeFault("badCSR", 400));
  await expect(issue("bad-csr")).rejects.toThrow("Injected.");
  const hold = faults.hold("newOrder", "after");
  const order = issue("held");
  const count = world.proxy.orders.length;
  await hold.arrived;
  expect(world.proxy.orders).toHaveLength(count + 1); // made, and not yet told
  hold.release();
  expect((await order).chain).toContain("BEGIN CERTIFICATE");
});

test("the proxy goes on after Pebble has started again", async () => {
  await world.pebble.restart();
  session = await startSession(world.directory, world.acmeCa);
  expect((await issue("after-restart")).chain).toContain("BEGIN CERTIFICATE");
});

test("the world says how the product is started on it", () => {
  const { args, env, edgeSettings } = world;
  expect(args[args.indexOf("--acme-directory") + 1]).toBe(world.directory);
  expect(args[args.indexOf("--doh") + 1]).toBe(world.doh.map(({ url }) => url).join(","));
  expect(env).toEqual({ CLOUDFLARE_API_TOKEN: world.token, ZONE_ID: world.zoneId });
  expect(edgeSettings).toMatchObject({ ACME_DIRECTORY: world.directory, DNS_AUTHORITIES: world.zoneServer.address });
});

function postTo(path: string): Promise<{ body: string; headers: Record<string, string | string[] | undefined> }> {
  return new Promise((resolve, reject) => {
    const url = new URL(path, world.directory);
    const outgoing = request(url, { method: "POST", ca: world.acmeCa, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("end", () => resolve({ body: Buffer.concat(chunks).toString(), headers: incoming.headers }));
    });
    outgoing.once("error", reject);
    outgoing.end("{}");
  });
}
