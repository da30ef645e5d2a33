import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { calls, letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { makeCsr } from "../support/csr.ts";
import { anything, clientOf, testNode, type TestNode } from "../support/edge.ts";
import { testIdentity } from "../support/identities.ts";
import { watchPublications, type Publications } from "../support/publications.ts";
import { inPlace, restoreSurroundings } from "../support/surroundings.ts";
import type { OrderStep } from "../../../shared/acme/order.ts";
import type { Trouble } from "../../../shared/acme/ports.ts";
import type { AccountBinding, Registration } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";

const leaseMs = 90_000;
const hourMs = 3_600_000;
const retentionMs = 30 * 24 * hourMs;
const relay = await testIdentity("relay one");
const edgeAccount: AccountBinding = { ca: "ca.test", accountUri: "https://ca.test/acct/1", methods: ["dns-01"] };
const caaOf = (name: string, { ca, accountUri, methods }: AccountBinding) =>
  `${name} CAA 0 issue "${ca}; validationmethods=${methods.join()}; accounturi=${accountUri}"`;

let publications: Publications;

beforeEach(() => {
  publications = watchPublications();
  return heartbeat({ addresses: ["192.0.2.7", "2001:DB8:0::7"] });
});
afterEach(restoreSurroundings);

const heartbeat = (change: object) =>
  clientOf(relay, "postern-relay").request("PUT", `/v1/relays/${relay.id}/status`, anything, {
    body: {
      host: "relay.example.com",
      port: 443,
      name: `relay.${zone}`,
      version: "test",
      visitors: 0,
      tunnels: 0,
      draining: false,
      ...change,
    },
  });

type Registered = TestNode & { own: string; registration: Registration; alarm: () => Promise<boolean> };

async function registered(): Promise<Registered> {
  const node = await testNode();
  const registration = await node.register();
  const alarm = () => runDurableObjectAlarm(env.NODES.get(env.NODES.idFromName(node.id)));
  return { ...node, registration, own: idHostname(node.id, zone), alarm };
}

const processing = (progress: string, trouble?: Trouble): OrderStep => ({
  status: "processing",
  progress,
  retryAfterMs: 0,
  words: "under way",
  ...(trouble && { trouble }),
});
const addressesOf = (name: string) => [`${name} A 192.0.2.7`, `${name} AAAA 2001:db8::7`];
const release = (node: TestNode) =>
  node.client.request("DELETE", `/v1/nodes/${node.id}/registration?epoch=1`, anything);
const leave = (node: TestNode) => node.client.request("DELETE", `/v1/nodes/${node.id}`, anything);
const bind = (node: TestNode, accounts: AccountBinding[]) =>
  node.client.request("PUT", `/v1/nodes/${node.id}/accounts`, anything, { body: { accounts } });

describe("the addresses of a node's names", () => {
  test("are those of its relays, for its aliases too", async () => {
    const node = await registered();
    expect(publications.lines(node.id)).toEqual(addressesOf(node.own));
    await node.claim("addressed");
    expect(publications.lines(node.id)).toEqual(
      [...addressesOf(`addressed.${zone}`), ...addressesOf(node.own)].toSorted(),
    );
    const revisions = publications.of(node.id).map(({ revision }) => revision);
    expect(revisions).toEqual([1, 2]);
  });

  test("are told once, and not with every renewal", async () => {
    const before = calls.setRelays;
    const node = await registered();
    await node.renew(1);
    await node.renew(1);
    expect(calls.setRelays - before).toBe(1);
    expect(publications.of(node.id)).toHaveLength(1);
  });

  test("follow the node to other relays", async () => {
    const node = await registered();
    await heartbeat({ host: "192.0.2.99" });
    await node.renew(1);
    expect(publications.lines(node.id)).toEqual([`${node.own} A 192.0.2.99`]);
  });

  test("stay when no relay is in sight", async () => {
    const node = await registered();
    letPass(11 * 60_000);
    expect((await node.register()).relays).toEqual([]);
    expect(publications.lines(node.id)).toEqual(addressesOf(node.own));
  });

  test("are delivered when the zone's object is back", async () => {
    publications.zoneDown = true;
    const node = await registered();
    expect(publications.of(node.id)).toEqual([]);
    publications.zoneDown = false;
    letPass(10_000);
    await node.alarm();
    expect(publications.lines(node.id)).toEqual(addressesOf(node.own));
  });
});

describe("the CAA records of a node's names", () => {
  test("let the edge's accounts issue as soon as they are known", async () => {
    const known: { accounts?: AccountBinding[] } = {};
    inPlace.fetchAccounts = () => Promise.resolve(known.accounts);
    const node = await registered();
    await node.alarm();
    expect(publications.lines(node.id)).toEqual(addressesOf(node.own));

    known.accounts = [edgeAccount];
    letPass(10_000);
    await node.alarm();
    expect(publications.lines(node.id)).toEqual([...addressesOf(node.own), caaOf(node.own, edgeAccount)]);
  });

  test("are those that count when an order begins, and after trouble with it; else they are asked about daily", async () => {
    let uri = 1;
    let asked = 0;
    const account = () => ({ ...edgeAccount, accountUri: `https://ca.test/acct/${uri}` });
    inPlace.fetchAccounts = () => Promise.resolve((asked++, [account()]));
    const node = await registered();
    await node.alarm();
    expect(asked).toBe(1);

    uri = 2;
    const wanted: boolean[] = [];
    const steps: OrderStep[] = [
      processing("open"),
      processing("account unknown", { detail: "The CA knows no such account.", remedy: "-" }),
      processing("open again"),
      { status: "invalid", trouble: { detail: "CAA forbids it.", remedy: "-" } },
    ];
    inPlace.issuer = () => ({
      describe: () => ({ kind: "acme", roots: [], trust: "private", directories: [], resolvers: [] }),
      step({ progress }) {
        wanted.push(publications.lines(node.id).includes(caaOf(node.own, account())));
        if (progress === "open") uri = 3;
        return Promise.resolve(steps[wanted.length - 1] as OrderStep);
      },
      abandon: () => Promise.resolve(),
    });
    const body = { csr: await makeCsr({ names: [node.own] }) };
    await node.client.request("POST", `/v1/nodes/${node.id}/orders`, anything, { body });
    expect(wanted).toEqual([true, true, true, true]);
    expect(asked).toBe(3);

    letPass(24 * hourMs);
    await node.renew(1);
    await node.alarm();
    expect(asked).toBe(4);
  });

  test("let a node's own accounts issue instead, until it orders through the edge again", async () => {
    inPlace.fetchAccounts = () => Promise.resolve([edgeAccount]);
    const own: AccountBinding = {
      ca: "other.test",
      accountUri: "https://other.test/acct/9",
      methods: ["dns-01", "tls-alpn-01"],
    };
    const node = await registered();
    await node.alarm();
    await bind(node, [own]);
    expect(publications.lines(node.id)).toEqual([...addressesOf(node.own), caaOf(node.own, own)]);

    const body = { csr: await makeCsr({ names: [node.own] }) };
    await node.client.request("POST", `/v1/nodes/${node.id}/orders`, anything, { body });
    expect(publications.lines(node.id)).toEqual([...addressesOf(node.own), caaOf(node.own, edgeAccount)]);
  });
});

describe("the records of a node that is gone", () => {
  test("stay for the time of retention after it has stopped, and come back with it", async () => {
    const node = await registered();
    await release(node);
    letPass(retentionMs - hourMs);
    await node.alarm();
    expect(publications.of(node.id)).toHaveLength(1);

    letPass(hourMs + 1);
    await node.alarm();
    expect(publications.lines(node.id)).toEqual([]);
    expect(publications.of(node.id)).toHaveLength(2);

    await node.register();
    expect(publications.lines(node.id)).toEqual(addressesOf(node.own));
  });

  test("stay as they are when it comes back in time, and the time begins anew", async () => {
    const node = await registered();
    letPass(leaseMs);
    await node.alarm(); // lapsed
    letPass(retentionMs - hourMs);
    await node.renew(1);
    letPass(leaseMs);
    await node.alarm(); // lapsed again
    letPass(retentionMs - hourMs);
    await node.alarm();
    expect(publications.of(node.id)).toHaveLength(1);
    letPass(hourMs + 1);
    await node.alarm();
    expect(publications.lines(node.id)).toEqual([]);
  });

  test("go at once for an alias that is given back", async () => {
    const node = await registered();
    await node.claim("given");
    await node.client.request("DELETE", "/v1/aliases/given", anything);
    expect(publications.lines(node.id)).toEqual(addressesOf(node.own));
  });

  test("go at once when it leaves for good, which gives its aliases back and keeps its epoch", async () => {
    const node = await registered();
    await node.claim("leaving");
    await leave(node);
    expect(publications.lines(node.id)).toEqual([]);
    await expect(node.renew(1)).rejects.toMatchObject({ code: "not-registered" });
    const other = await registered();
    await other.claim("leaving");

    expect(await node.register()).toMatchObject({ epoch: 2, hostnames: [node.own] });
    expect(publications.lines(node.id)).toEqual(addressesOf(node.own));
  });

  test("cannot be of a node that was never here", async () => {
    await expect(leave(await testNode())).rejects.toMatchObject({ code: "not-registered" });
  });
});
