import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Order, RenewalPlan } from "../../../shared/registry/messages.ts";
import { AnnouncedAccounts } from "../../../tee-bot/certificate/announced-accounts.ts";
import type { Certificate } from "../../../tee-bot/certificate/certificate.ts";
import { CertificateFiles } from "../../../tee-bot/certificate/certificate-files.ts";
import { CertificateKeeper } from "../../../tee-bot/certificate/certificate-keeper.ts";
import { EdgeOrders } from "../../../tee-bot/certificate/edge-orders.ts";
import { CertificateHistory, readHistory } from "../../../tee-bot/certificate/history.ts";
import { OrderFile } from "../../../tee-bot/certificate/order-file.ts";
import { readOrCreateTlsKey, type TlsKey } from "../../../tee-bot/certificate/tls-key.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { issue, newTlsKey, rootPem } from "../support/issue.ts";
import { recordingLog } from "../support/log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NodeEdge } from "../support/node-edge.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const names = ["alice.test", "own.test"];

let stack: AsyncDisposableStack;
let clock: ManualClock;
let edge: NodeEdge;
let directory: string;
let path: string;
let plan: RenewalPlan | undefined;
let random: number;
let key: TlsKey;
let given: Certificate[];
let stop: AbortController;
let log: ReturnType<typeof recordingLog>;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  clock = new ManualClock();
  edge = stack.use(await NodeEdge.start(clock));
  directory = stack.use(temporaryFolder()).path;
  plan = undefined;
  random = 1;
  path = join(directory, "certificate.pem");
  key = readOrCreateTlsKey(join(directory, "tls.key"));
  given = [];
  log = recordingLog();
  stop = new AbortController();
  stack.defer(() => stop.abort());
});
afterEach(() => stack.disposeAsync());

/** As at a start of the node: what is on disk is all it knows. */
function keeper(): CertificateKeeper {
  const at = (name: string): string => join(directory, name);
  return new CertificateKeeper({
    key,
    source: new EdgeOrders({
      node: edge.identity.id,
      edge: edge.client,
      announced: new AnnouncedAccounts({ node: edge.identity.id, edge: edge.client, path: at("announced.json"), log }),
      clock,
      planOf: () => plan,
    }),
    files: new CertificateFiles({
      paths: { certificate: path, issuerChain: at("issuer-chain.pem"), renewal: at("certificate.json") },
      log,
    }),
    order: new OrderFile({ path: at("order.json"), key, custody: "edge", log }),
    history: new CertificateHistory({ path: at("history.json"), log }),
    clock,
    log,
    random: () => random,
    onCertificate: (certificate) => given.push(certificate),
    onChange: () => {},
  });
}

/** A chain for `hostnames` that began now and lasts for 90 days. */
function chainFor(hostnames = names, of = key.privateKey): Promise<string> {
  return issue(of, { hostnames, notBefore: clock.now() - 60_000, notAfter: clock.now() + 90 * dayMs });
}
const order = (changes: Partial<Order>): { json: Order } => ({
  json: { id: "o1", status: "valid", hostnames: names, ...changes },
});
const orders = (): string => `POST /v1/nodes/${edge.identity.id}/orders`;
const polls = (): string => `GET /v1/nodes/${edge.identity.id}/orders/o1`;

describe("the certificate keeper", () => {
  it("orders a certificate with a request for its names, hands it out and keeps it", async () => {
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    const kept = keeper();
    kept.useStored();
    expect(kept.current).toBeUndefined();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === hourMs);
    expect(given.map(({ chain }) => chain)).toEqual([certificate]);
    expect(readFileSync(join(directory, "issuer-chain.pem"), "utf8").trim()).toBe(rootPem.trim());
    expect(kept.report).toMatchObject({ state: "valid", issuer: "root of the test", trouble: null });
    expect(kept.problem).toBeUndefined();
    expect(readFileSync(path, "utf8")).toBe(certificate);
    expect(JSON.stringify(edge.requests[0]?.body)).toContain("BEGIN CERTIFICATE REQUEST");
    expect(edge.asked).toEqual([orders()]);
  });

  it("has the accounts of another custody taken out of CAA before the edge orders", async () => {
    const account = { ca: "ca.test", accountUri: "https://ca.test/acct/1", methods: ["dns-01"] };
    writeFileSync(join(directory, "announced.json"), JSON.stringify({ accounts: [account] }));
    const certificate = await chainFor();
    edge.reply = ({ path: asked }) => (asked.endsWith("/accounts") ? { json: null } : order({ certificate }));
    const kept = keeper();
    kept.follow(names, stop.signal);
    await until(() => given.length === 1, 5_000, "the certificate");
    kept.renew();
    await until(() => given.length === 2, 5_000, "another certificate");
    expect(edge.asked).toEqual([`PUT /v1/nodes/${edge.identity.id}/accounts`, orders(), orders()]);
    expect(edge.requests[0]?.body).toEqual({ accounts: [] });
  });

  it("uses the stored one and orders nothing while it lasts, then renews it", async () => {
    writeFileSync(path, await chainFor());
    const kept = keeper();
    kept.useStored();
    expect(given).toHaveLength(1);
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === hourMs);
    expect(edge.asked).toEqual([]);

    clock.advance(63 * dayMs);
    const renewed = await chainFor();
    edge.reply = () => order({ certificate: renewed });
    await until(() => given.length === 2, 5_000, "the new certificate");
    expect(readFileSync(path, "utf8")).toBe(renewed);
  });

  it("asks again for an order that takes time, as often as the edge says", async () => {
    edge.reply = () => order({ status: "processing", retryAfterMs: 7_000 });
    keeper().follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 7_000);
    edge.reply = () => order({ status: "processing" });
    clock.advance(7_000);
    await clock.untilSleeping((ms) => ms === 2_000);
    edge.reply = () => order({ status: "processing", retryAfterMs: 0 });
    clock.advance(2_000);
    await clock.untilSleeping((ms) => ms === 500); // never without a pause
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    clock.advance(500);
    await until(() => given.length === 1, 5_000, "the certificate");
    expect(edge.asked).toEqual([orders(), polls(), polls(), polls()]);
  });

  it("looks at a slow order every five minutes, gives it up after two days, and orders anew later", async () => {
    edge.reply = () => order({ status: "processing", retryAfterMs: 10_800_000, words: "queued: place 12" });
    const kept = keeper();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 300_000);
    expect(kept.report).toMatchObject({ state: "ordering", words: "Queued: place 12." });
    clock.advance(49 * hourMs + 1);
    await edge.untilAsked("GET", 1);
    await until(() => kept.problem?.includes("two days") === true, 5_000, "it is given up");
    expect(existsSync(join(directory, "order.json"))).toBe(false);
  });

  const useless: [what: string, reply: () => Promise<Partial<Order>>, why: RegExp][] = [
    ["for another key", async () => ({ certificate: await chainFor(names, newTlsKey()) }), /another key/],
    ["without a name", async () => ({ certificate: await chainFor(["alice.test"]) }), /does not cover own.test/],
    [
      "that is over",
      async () => ({ certificate: await issue(key.privateKey, { hostnames: names, notBefore: 0, notAfter: dayMs }) }),
      /of no use/,
    ],
    ["that is none", () => Promise.resolve({ certificate: "-----BEGIN NOTHING-----" }), /./],
    [
      "whose chain is damaged",
      async () => ({ certificate: (await chainFor()).replace(rootPem, rootPem.replace(/\n.{30}/, "\n!")) }),
      /./,
    ],
    ["that is missing", () => Promise.resolve({}), /has no certificate/],
    [
      "for an invalid order",
      () => Promise.resolve({ status: "invalid", trouble: { detail: "CAA forbids it.", remedy: "Mend the record." } }),
      /CAA forbids it\. Mend the record\./,
    ],
  ];
  it.each(useless)(
    "refuses a certificate %s, stores nothing, and orders another after minutes",
    async (_, reply, why) => {
      const answer = order(await reply());
      edge.reply = () => answer;
      const before = await chainFor(["alice.test"]);
      writeFileSync(path, before);
      const kept = keeper();
      kept.useStored();
      kept.follow(names, stop.signal);
      await clock.untilSleeping((ms) => ms === 300_000);
      expect(kept.problem).toMatch(why);
      expect(readHistory(join(directory, "history.json"))).toMatchObject([{ outcome: "failed", issuer: null }]);
      expect(existsSync(join(directory, "order.json"))).toBe(false);
      expect(kept.current?.chain).toBe(before);
      expect(readFileSync(path, "utf8")).toBe(before);
      expect(given).toHaveLength(1);
    },
  );

  it("pauses ever longer after failures, up to a quarter of an hour", async () => {
    edge.reply = () => ({ problem: "issuer-unavailable" });
    const kept = keeper();
    kept.follow(names, stop.signal);
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      const ms = await clock.untilSleeping(() => true);
      pauses.push(ms / 1000);
      clock.advance(ms);
      await edge.untilAsked("POST", attempt + 2);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it("tries at once when the edge answers again that was away", async () => {
    edge.reply = () => "dropped connection";
    const kept = keeper();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 1_000);
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    kept.follow(names, stop.signal);
    await until(() => kept.problem === undefined && given.length === 1, 5_000, "the certificate");
  });

  it("does not ask a CA that refused any sooner because the edge answers", async () => {
    edge.reply = () => order({ status: "invalid", trouble: { detail: "No.", remedy: "Ask." } });
    const kept = keeper();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 300_000);
    for (let lease = 0; lease < 5; lease++) kept.follow(names, stop.signal);
    expect(clock.sleeping).toEqual([300_000]);
    expect(edge.asked).toEqual([orders()]);
  });

  it("does not break off an order under way when it is told the same names again", async () => {
    edge.reply = () => ({ problem: "issuer-unavailable" });
    const kept = keeper();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 1_000);
    edge.reply = () => order({ status: "processing", retryAfterMs: 60_000 });
    clock.advance(1_000);
    await clock.untilSleeping((ms) => ms === 60_000);
    for (let renewal = 0; renewal < 3; renewal++) kept.follow(names, stop.signal);
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    clock.advance(60_000);
    await until(() => given.length === 1, 5_000, "the certificate");
    expect(edge.asked).toEqual([orders(), orders(), polls()]);
  });

  it("orders anew for other names, and leaves the order for those from before", async () => {
    edge.reply = () => order({ status: "processing", retryAfterMs: 60_000 });
    const kept = keeper();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 60_000);
    const certificate = await chainFor(["bob.test"]);
    edge.reply = () => order({ certificate, hostnames: ["bob.test"] });
    kept.follow(["bob.test"], stop.signal);
    await until(() => given.length === 1, 5_000, "the certificate");
    expect(clock.sleeping).not.toContain(60_000);
    expect(given[0]?.leaf.subjectAltName).toBe("DNS:bob.test");
  });

  it("ends with its signal, amid a pause or an order", async () => {
    edge.reply = () => ({ problem: "issuer-unavailable" });
    keeper().follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 1_000);
    stop.abort();
    await until(() => clock.sleeping.length === 0, 1_000, "nothing is waited for");
    expect(edge.asked).toHaveLength(1);
  });

  it("serves a certificate that the disk does not take, and does not order another", async () => {
    mkdirSync(path);
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    const kept = keeper();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === hourMs);
    expect(kept.current?.chain).toBe(certificate);
    expect(log.events.map(({ event }) => event)).toContain("certificate.unsaved");
    expect(edge.asked).toEqual([orders()]);
  });
});

describe("the stored certificate", () => {
  const damaged: [what: string, content: () => Promise<string>][] = [
    ["is empty", () => Promise.resolve("")],
    ["is no PEM", () => Promise.resolve("hello")],
    ["is cut short", async () => (await chainFor()).slice(0, 300)],
    ["has a damaged chain", async () => (await chainFor()).replace(rootPem, rootPem.replace(/\n.{30}/, "\n!"))],
    ["is for a key of before", () => chainFor(names, newTlsKey())],
  ];
  it.each(damaged)("that %s is left alone and replaced by an order", async (_, content) => {
    writeFileSync(path, await content());
    const kept = keeper();
    kept.useStored();
    expect(given).toEqual([]);
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    kept.follow(names, stop.signal);
    await until(() => given.length === 1, 5_000, "the certificate");
    expect(readFileSync(path, "utf8")).toBe(certificate);
  });

  it("that is over is still used until there is a better one", async () => {
    writeFileSync(path, await issue(key.privateKey, { hostnames: names, notBefore: 0, notAfter: dayMs }));
    keeper().useStored();
    expect(given).toHaveLength(1);
  });
});

describe("the renewal", () => {
  const failing = {
    json: { id: "o1", status: "invalid", hostnames: names, trouble: { detail: "No.", remedy: "Ask." } },
  };

  it("comes when the plan says, and the plan outlives a restart", async () => {
    writeFileSync(path, await chainFor());
    plan = { at: clock.now() + 10 * dayMs, source: "ari" };
    const first = new AbortController();
    const kept = keeper();
    kept.useStored();
    kept.follow(names, first.signal);
    await clock.untilSleeping((ms) => ms === hourMs);
    expect(kept.report.renewal).toEqual(plan);
    first.abort();

    plan = undefined;
    const again = keeper();
    again.useStored();
    again.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === hourMs);
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    clock.advance(10 * dayMs);
    await until(() => given.length === 3, 5_000, "the new certificate");
    expect(again.report.renewal?.source).toBe("lifetime");
  });

  it("comes at once when a plan says that it is due, and three times a day when the CA insists", async () => {
    writeFileSync(path, await chainFor());
    clock.advance(2 * dayMs);
    const kept = keeper();
    kept.useStored();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === hourMs);
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    plan = { at: clock.now(), source: "ari" };
    kept.reconsider();
    await edge.untilAsked("POST");
    await clock.untilSleeping((ms) => ms === hourMs);
    expect(given).toHaveLength(4); // the stored one first
    expect(edge.asked).toEqual([orders(), orders(), orders()]);
  });

  it("comes when it is asked for, once, and an order under way is that order", async () => {
    writeFileSync(path, await chainFor());
    const kept = keeper();
    kept.useStored();
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === hourMs);
    edge.reply = () => order({ status: "processing", retryAfterMs: 60_000, words: "waiting for DNS" });
    kept.renew();
    await clock.untilSleeping((ms) => ms === 60_000);
    expect(kept.report).toMatchObject({
      state: "renewing",
      words: expect.stringContaining("waiting for DNS") as string,
    });
    kept.renew();
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    clock.advance(60_000);
    await clock.untilSleeping((ms) => ms === hourMs);
    expect(edge.asked).toEqual([orders(), polls()]);
    expect(kept.report).toMatchObject({ state: "valid", last: { outcome: "issued", reason: "it was asked for" } });
  });

  it("that fails leaves the certificate in use; the trouble grows louder as its end comes near", async () => {
    writeFileSync(path, await chainFor());
    const kept = keeper();
    kept.useStored();
    edge.reply = () => failing;
    clock.advance(63 * dayMs);
    kept.follow(names, stop.signal);
    await clock.untilSleeping((ms) => ms === 300_000);
    expect(kept.report).toMatchObject({ state: "valid", trouble: { detail: "No.", remedy: "Ask." } });
    expect(kept.problem).toBe("No. Ask.");
    expect(log.events.at(-1)).toMatchObject({ level: "warn", event: "certificate.failed" });

    clock.advance(20 * dayMs);
    await until(() => log.events.at(-1)?.level === "error", 5_000, "it is told as an error");
    expect(kept.report.state).toBe("ending");
    expect(kept.problem).toMatch(/^No\. Valid until .* \(7 days\)\.$/);
    clock.advance(8 * dayMs);
    expect(kept.report.state).toBe("expired");
    expect(kept.problem).toContain("It has ended");
    expect(kept.current).toBeDefined();
    expect(kept.report.last).toMatchObject({ outcome: "failed", words: "No. Ask." });
    expect(kept.report.last?.times).toBeGreaterThan(1);
  });

  it("comes at once for a key that was changed", async () => {
    writeFileSync(path, await chainFor(names, newTlsKey()));
    const kept = keeper();
    kept.useStored();
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    kept.follow(names, stop.signal);
    await until(() => given.length === 1, 5_000, "the certificate");
  });
});

describe("an order under way", () => {
  const bodies = (): unknown[] => edge.requests.filter(({ method }) => method === "POST").map(({ body }) => body);
  async function crash(): Promise<void> {
    const first = new AbortController();
    edge.reply = () => order({ status: "processing", retryAfterMs: 60_000 });
    keeper().follow(names, first.signal);
    await clock.untilSleeping((ms) => ms === 60_000);
    first.abort();
  }

  it("is asked for by the same request after a restart, and by another once it has ended", async () => {
    await crash();
    const certificate = await chainFor();
    edge.reply = () => order({ certificate });
    const kept = keeper();
    kept.follow(names, stop.signal);
    await until(() => given.length === 1, 5_000, "the certificate");
    expect(bodies()[1]).toEqual(bodies()[0]);
    kept.renew();
    await until(() => given.length === 2, 5_000, "another certificate");
    expect(bodies()[2]).not.toEqual(bodies()[0]);
  });

  it("is left behind by a key that was changed, and by a change of custody", async () => {
    await crash();
    const certificate = await chainFor();
    rmSync(join(directory, "tls.key"));
    key = readOrCreateTlsKey(join(directory, "tls.key"));
    edge.reply = () => order({ certificate });
    keeper().follow(names, stop.signal);
    await edge.untilAsked("POST", 2);
    expect(bodies()[1]).not.toEqual(bodies()[0]);
    const other = new OrderFile({ path: join(directory, "order.json"), key, custody: "node", log });
    expect(other.pending(names, clock.now())).toBeUndefined();
  });

  it("is not resumed from a damaged file, nor after two days", async () => {
    await crash();
    const file = () => new OrderFile({ path: join(directory, "order.json"), key, custody: "edge", log });
    expect(file().pending(names, clock.now())).toMatchObject({ reason: "there is none yet" });
    expect(file().pending(names, clock.now() + 50 * hourMs)).toBeUndefined();
    expect(file().pending(["bob.test"], clock.now())).toBeUndefined();
    writeFileSync(join(directory, "order.json"), "{");
    expect(file().pending(names, clock.now())).toBeUndefined();
  });
});
