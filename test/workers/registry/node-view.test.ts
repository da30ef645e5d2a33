import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { makeCsr } from "../support/csr.ts";
import { anything, clientOf, testNode, type TestNode } from "../support/edge.ts";
import { inPlace, restoreSurroundings } from "../support/surroundings.ts";
import type { OrderStep } from "../../../shared/acme/order.ts";
import { AppError } from "../../../shared/errors.ts";
import { nodeViewSchema, orderSchema } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";

const trouble = { detail: "The token has no rights.", remedy: "Give the token Zone → DNS → Edit." };

afterEach(restoreSurroundings);

const view = (node: TestNode) => node.client.request("GET", `/v1/nodes/${node.id}`, nodeViewSchema);
const alarm = (node: TestNode) => runDurableObjectAlarm(env.NODES.get(env.NODES.idFromName(node.id)));

async function order(node: TestNode) {
  const body = { csr: await makeCsr({ names: [idHostname(node.id, zone)] }) };
  return node.client.request("POST", `/v1/nodes/${node.id}/orders`, orderSchema, { body });
}

function issueBy(step: () => OrderStep, abandoned: string[] = []): void {
  inPlace.issuer = () => ({
    describe: () => ({ kind: "acme", roots: [], trust: "private", directories: [], resolvers: [] }),
    step: () => Promise.resolve(step()),
    abandon: ({ id }) => Promise.resolve(void abandoned.push(id)),
  });
}

const processing: OrderStep = {
  status: "processing",
  progress: "",
  retryAfterMs: 8_000,
  words: "waiting for DNS: 1 of 2 resolvers see it, next look in 8 s",
  trouble,
};

describe("what is known of a node", () => {
  test("is its names, its certificates newest first and without their text, and how far its records are", async () => {
    const node = await testNode();
    const { hostnames, expiresAt } = await node.register();
    inPlace.dnsStatus = () => Promise.resolve({ state: "written", records: 3, words: "3 records written" });
    const { certificate: _, ...issued } = await order(node);
    issueBy(() => processing);
    const waiting = await order(node);

    const seen = await view(node);
    expect(seen).toMatchObject({ node: node.id, epoch: 1, state: "up", hostnames, expiresAt, troubles: [] });
    expect(seen.dns).toEqual({ state: "written", records: 3, words: "3 records written" });
    expect(seen.certificates).toEqual([
      { ...waiting, retryAfterMs: expect.any(Number), purpose: "serve", createdAt: expect.any(Number) },
      { ...issued, purpose: "serve", createdAt: expect.any(Number) },
    ]);
    expect(seen.certificates[0]).toMatchObject({ words: processing.words, trouble });
    expect(issued).toMatchObject({ issuer: "local", renewal: { source: "lifetime" } });
  });

  test("is what somebody has to look at", async () => {
    const node = await testNode();
    await node.register();
    const account = { ca: "ca.test", accountUri: "https://ca.test/acct/1", methods: ["dns-01" as const] };
    inPlace.fetchAccounts = () => Promise.resolve([account]);
    inPlace.dnsStatus = () => Promise.resolve({ state: "written", records: 1, words: "1 record written" });
    inPlace.judgeCaa = () => Promise.resolve({ detail: "Somebody else may issue.", remedy: "Turn it off." });
    await alarm(node);
    letPass(31_000);
    await alarm(node);
    inPlace.dnsStatus = () => Promise.resolve({ state: "failing", records: 1, words: "1 to be written", trouble });
    expect((await view(node)).troubles).toEqual([
      trouble,
      { detail: "Somebody else may issue.", remedy: "Turn it off." },
    ]);
  });

  test("is the accounts that its CAA records let in, each once and as its CA has it", async () => {
    const node = await testNode();
    await node.register();
    const accountUri = "https://ca.test/acct/1;a";
    const bindings = ["ca.test", "www.ca.test"].map((ca) => ({ ca, accountUri, methods: ["dns-01" as const] }));
    inPlace.fetchAccounts = () => Promise.resolve(bindings);
    inPlace.dnsStatus = () => Promise.resolve({ state: "written", records: 1, words: "1 record written" });
    expect((await view(node)).accounts).toEqual([]);
    await alarm(node);
    expect((await view(node)).accounts).toEqual([accountUri]);
  });

  test("is told without the zone's object, when that does not answer", async () => {
    const node = await testNode();
    await node.register();
    inPlace.dnsStatus = () => Promise.reject(new AppError("upstream-unavailable", "It cannot be reached."));
    expect((await view(node)).dns).toMatchObject({
      state: "pending",
      words: expect.stringContaining("does not answer"),
    });
  });

  test("is told to the node itself only", async () => {
    const [node, other] = [await testNode(), await testNode()];
    await node.register();
    const asked = clientOf(other).request("GET", `/v1/nodes/${node.id}`, anything);
    await expect(asked).rejects.toMatchObject({ code: "forbidden" });
    await expect(view(other)).rejects.toMatchObject({ code: "not-registered" });
  });
});

describe("an order under way", () => {
  const away = async (leave: (node: TestNode) => Promise<unknown>) => {
    const abandoned: string[] = [];
    issueBy(() => ({ ...processing, retryAfterMs: 365 * 86_400_000 }), abandoned);
    const node = await testNode();
    await node.register();
    const { id } = await order(node);
    await leave(node);
    return { node, id, abandoned };
  };

  test("is given up when its node has been away for an hour", async () => {
    const { node, id, abandoned } = await away(async (leaving) => {
      letPass(90_500);
      await alarm(leaving);
      letPass(3_009_500);
      await alarm(leaving);
    });
    expect(abandoned).toEqual([]);
    letPass(600_000);
    await alarm(node);
    expect(abandoned).toEqual([id]);
    await node.renew(1);
    const [ended] = (await view(node)).certificates;
    expect(ended).toMatchObject({ status: "invalid", trouble: { detail: expect.stringContaining("an hour") } });
  });

  test("is given up at once when its node leaves for good", async () => {
    const { node, id, abandoned } = await away((leaving) =>
      leaving.client.request("DELETE", `/v1/nodes/${leaving.id}`, anything),
    );
    await alarm(node);
    expect(abandoned).toEqual([id]);
  });

  test("is given up when one of its names is given back", async () => {
    const abandoned: string[] = [];
    issueBy(() => processing, abandoned);
    const node = await testNode();
    await node.register();
    await node.claim("returned");
    const body = { csr: await makeCsr({ names: [`returned.${zone}`] }) };
    const path = `/v1/nodes/${node.id}/orders`;
    const { id } = await node.client.request("POST", path, orderSchema, { body });
    const { id: other } = await order(node);
    await node.client.request("DELETE", "/v1/aliases/returned", anything);
    await alarm(node);
    expect(abandoned).toEqual([id]);
    const left = await node.client.request("GET", `${path}/${other}`, orderSchema);
    expect(left.status).toBe("processing");
  });
});
