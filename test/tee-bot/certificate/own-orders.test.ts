/** A node with an ACME account of its own, against a real CA; the edge is a stand-in that writes into the zone. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { Agent, fetch as fetchWithAgent } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { certificateIdOf } from "../../../shared/acme/ari.ts";
import type { Trouble } from "../../../shared/acme/ports.ts";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { TlsAlpnResponder } from "../../../tee-bot/certificate/alpn-responder.ts";
import { AnnouncedAccounts } from "../../../tee-bot/certificate/announced-accounts.ts";
import { parseCertificate } from "../../../tee-bot/certificate/certificate.ts";
import type { CertificateRequest, HeldCertificate } from "../../../tee-bot/certificate/certificate-source.ts";
import { createCsr } from "../../../tee-bot/certificate/csr.ts";
import { OwnAccounts } from "../../../tee-bot/certificate/own-accounts.ts";
import { OwnOrders } from "../../../tee-bot/certificate/own-orders.ts";
import { readOrCreateTlsKey } from "../../../tee-bot/certificate/tls-key.ts";
import { Terminator } from "../../../tee-bot/server/terminator.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { acmeFault } from "../../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../../support/acme/certificate-world.ts";
import { NodeEdge } from "../support/node-edge.ts";
import { OwnAccountEdge } from "../support/own-account-edge.ts";

const all = new AsyncDisposableStack();
const responder = new TlsAlpnResponder({ clock: systemClock });
let world: CertificateWorld;
let fetchTrusting: typeof fetch;
beforeAll(async () => {
  const terminator = new Terminator({
    handler: { request: (_, response) => void response.end(), upgrade: (_, socket) => void socket.destroy() },
    challenges: responder,
    log: silentLog,
  });
  const client = { sourceAddress: "192.0.2.7", sourcePort: 1, destinationAddress: "192.0.2.1", destinationPort: 443 };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    terminator.accept(socket, client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  all.defer(() => {
    terminator.close();
    server.close();
  });
  const { port: tlsPort } = server.address() as AddressInfo;
  world = all.use(await startCertificateWorld({ pebble: { tlsPort } }));
  const dispatcher = new Agent({ connect: { ca: world.acmeCa } });
  all.defer(() => dispatcher.close());
  fetchTrusting = ((url: string, init: object) => fetchWithAgent(url, { ...init, dispatcher })) as typeof fetch;
});
afterAll(() => all.disposeAsync());

let stack: AsyncDisposableStack;
let edge: NodeEdge;
let zone: OwnAccountEdge;
let directory: string;
let names: string[];
let told: string[];
let troubles: Trouble[];
let saved: string;
let directories: string[];
let stop: AbortController;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  edge = stack.use(await NodeEdge.start(systemClock));
  zone = new OwnAccountEdge(world.store);
  edge.reply = zone.reply;
  directory = stack.use(temporaryFolder()).path;
  names = ["alice", "own"].map((label) => `${label}.${world.zone}`);
  for (const name of names) world.store.add({ name, type: "A", content: "127.0.0.1", ttl: 60 });
  [told, troubles, saved] = [[], [], ""];
  directories = [world.directory];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  for (const name of names) world.store.removeAt(name);
  world.proxy.renewalInfo = undefined;
  world.proxy.faults.clear();
  await stack.disposeAsync();
});

/** As after a start of the node: what is on disk is all it knows. */
function start(): OwnOrders {
  const at = (name: string): string => join(directory, name);
  const parts = { clock: systemClock, log: silentLog, fetch: fetchTrusting };
  return new OwnOrders({
    node: edge.identity.id,
    edge: edge.client,
    accounts: new OwnAccounts({
      accountKey: () => readOrCreateTlsKey(at("acme-account.pem")).pem,
      path: at("acme-accounts.json"),
      ...parts,
    }),
    announced: new AnnouncedAccounts({
      node: edge.identity.id,
      edge: edge.client,
      path: at("announced-accounts.json"),
      log: silentLog,
    }),
    issuer: () =>
      Promise.resolve({
        kind: "acme",
        roots: [],
        trust: "private",
        directories,
        resolvers: world.doh.map(({ url }) => url),
      }),
    alpn: responder,
    random: Math.random,
    ...parts,
  });
}
const key = () => readOrCreateTlsKey(join(directory, "tls.key"));
async function request(replaces?: HeldCertificate): Promise<CertificateRequest> {
  const csr = await createCsr(key(), names);
  return { id: crypto.randomUUID(), csr, hostnames: names, progress: "", replaces };
}
function obtain(source: OwnOrders, wanted: CertificateRequest) {
  return source.obtain(wanted, {
    signal: stop.signal,
    tell: (words, trouble) => {
      told.push(words);
      if (trouble) troubles.push(trouble);
    },
    save: (progress) => (saved = progress),
  });
}

describe("an order by the node's own account", () => {
  it("ends in a certificate for its names and key; its records are gone and its account is in CAA terms", async () => {
    const end = await obtain(start(), await request());
    if (end.status !== "valid") throw new Error(end.trouble.detail);
    expect(end.directory).toBe(world.directory);
    const leaf = new X509Certificate(end.chain);
    for (const name of names) expect(leaf.checkHost(name)).toBe(name);
    expect(leaf.checkPrivateKey(key().privateKey)).toBe(true);
    expect(
      world.store
        .now()
        .all()
        .filter(({ type }) => type === "TXT"),
    ).toEqual([]);
    expect(zone.accounts).toEqual([
      { ca: "ca.example.test", accountUri: expect.stringMatching(/^https:/), methods: ["dns-01", "tls-alpn-01"] },
    ]);
    expect(statSync(join(directory, "acme-account.pem")).mode & 0o777).toBe(0o600);
    expect(edge.asked.filter((one) => one.includes("outcome=issued"))).toHaveLength(1);
    expect(told).toContain("waiting for DNS: the records are written");
  });

  it("keeps its account over restarts, and announces it once", async () => {
    const source = start();
    await obtain(source, await request());
    const kept = readFileSync(join(directory, "acme-accounts.json"), "utf8");
    await obtain(source, await request());
    expect(edge.asked.filter((one) => one.endsWith("/accounts"))).toHaveLength(1);
    const uri = zone.accounts[0]?.accountUri ?? "";
    expect(kept).toContain(uri);
    await obtain(start(), await request());
    expect(zone.accounts[0]?.accountUri).toBe(uri);
  });

  it("goes on after a crash with the order that it had", async () => {
    const before = world.proxy.orders.length;
    const wanted = await request();
    zone.refusal = { json: { state: "pending", retryAfterMs: 60_000 } };
    const crashed = obtain(start(), wanted);
    await edge.untilAsked("PUT", 3); // the account, the admission, the first records
    stop.abort();
    await expect(crashed).rejects.toThrow();
    zone.refusal = undefined;
    stop = new AbortController();
    const end = await obtain(start(), { ...wanted, progress: saved });
    expect(end.status).toBe("valid");
    expect(world.proxy.orders.length).toBe(before + 1);
  });

  it("is validated over TLS when DNS cannot be written", async () => {
    const trouble = { detail: "The token has no rights.", remedy: "Give it Zone DNS Edit." };
    zone.refusal = { json: { state: "pending", retryAfterMs: 0, trouble } };
    const end = await obtain(start(), await request());
    expect(end.status).toBe("valid");
    expect(troubles).toContainEqual(trouble);
    expect(told.join()).toContain("over TLS");
    expect(responder.pending).toBe(false);
  });

  it("names its account in CAA as before while the CA does not answer", async () => {
    await obtain(start(), await request());
    const { accounts } = zone;
    world.proxy.faults.inject("/*", acmeFault("serverInternal", 503), { times: 1_000 });
    const waiting = obtain(start(), await request());
    await edge.untilAsked(`PUT /v1/nodes/${edge.identity.id}/accounts`, 2);
    expect(zone.accounts).toEqual(accounts);
    stop.abort();
    await expect(waiting).rejects.toThrow();
  });

  it("registers again at a CA that has forgotten the account, and has CAA name the new one", async () => {
    const source = start();
    await obtain(source, await request());
    const before = zone.accounts[0]?.accountUri;
    await world.pebble.restart();
    const end = await obtain(source, await request());
    expect(end.status).toBe("valid");
    const uri = zone.accounts[0]?.accountUri;
    expect(uri).not.toBe(before);
    expect(readFileSync(join(directory, "acme-accounts.json"), "utf8")).toContain(uri);
  });

  it("says that the edge names no CA", async () => {
    directories = [];
    await expect(obtain(start(), await request())).rejects.toThrow("names no ACME directory");
  });

  it("is told of an account that cannot be announced, and goes on", async () => {
    edge.reply = (asked) => (asked.path.endsWith("/accounts") ? "dropped connection" : zone.reply(asked));
    expect((await obtain(start(), await request())).status).toBe("valid");
  });
});

describe("the renewal of a certificate by the node's own account", () => {
  it("is planned within the CA's window, asked once for as long as the CA says, and names what it replaces", async () => {
    const [from, to] = [Date.now() + 3_600_000, Date.now() + 7_200_000];
    world.proxy.renewalInfo = () => ({ start: new Date(from), end: new Date(to), retryAfterSeconds: 7_200 });
    const source = start();
    const end = await obtain(source, await request());
    if (end.status !== "valid") throw new Error(end.trouble.detail);
    const certificate = parseCertificate(end.chain);
    const held = { certificate, directory: end.directory, renewal: undefined };
    const plan = await source.plan(held);
    expect(plan).toMatchObject({ source: "ari" });
    expect(plan?.at).toBeGreaterThanOrEqual(from - 1_000);
    expect(plan?.at).toBeLessThanOrEqual(to);
    const asked = world.proxy.faults.count("renewalInfo");
    expect(await source.plan({ ...held, renewal: plan })).toEqual(plan);
    expect(world.proxy.faults.count("renewalInfo")).toBe(asked);

    const next = await obtain(source, await request({ ...held, renewal: plan }));
    expect(next.status).toBe("valid");
    expect(world.proxy.orders.at(-1)).toMatchObject({ replaces: certificateIdOf(end.chain) });
  });

  it("is planned at two thirds of the lifetime where the CA has no window", async () => {
    const source = start();
    const end = await obtain(source, await request());
    if (end.status !== "valid") throw new Error(end.trouble.detail);
    const certificate = parseCertificate(end.chain);
    const plan = await source.plan({ certificate, directory: end.directory, renewal: undefined });
    expect(plan?.source).toBe("lifetime");
  });
});
