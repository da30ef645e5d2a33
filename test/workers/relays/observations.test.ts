import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { clock, letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { anything, clientOf, testNode, type TestNode } from "../support/edge.ts";
import { freshIdentity, testIdentity, type TestIdentity } from "../support/identities.ts";
import { maxObservations, nodeViewSchema, type Observation } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { staleMs } from "../../../workers/registry/path-rules.ts";
import { illMs } from "../../../workers/relays/illness.ts";
import { readHeartbeat } from "../../../workers/relays/relay-status.ts";

const relays = await Promise.all(["relay one", "relay two", "relay three"].map((seed) => testIdentity(seed)));
const [one, two, three] = relays as [TestIdentity, TestIdentity, TestIdentity];

const heartbeat = (relay: TestIdentity) =>
  clientOf(relay, "postern-relay").request("PUT", `/v1/relays/${relay.id}/status`, anything, {
    body: { host: "127.0.0.1", port: 1, name: "r.test", version: "1", visitors: 0, tunnels: 0, draining: false },
  });

const seen = (node: TestNode, relay: TestIdentity, state: "up" | "down", changes: Partial<Observation> = {}) => ({
  node: node.id,
  hostname: idHostname(node.id, zone),
  relay: relay.id,
  state,
  ...(state === "down" && { detail: "no answer within 5 s" }),
  checkedAt: clock.now(),
  ...changes,
});

const tell = (by: TestIdentity, observations: object[]) =>
  clientOf(by, "postern-relay").request("PUT", `/v1/relays/${by.id}/observations`, anything, {
    body: { observations },
  });

async function registered(): Promise<TestNode> {
  const node = await testNode();
  await node.register();
  return node;
}

interface Placed {
  readonly node: TestNode;
  /** The relays that the edge has named to it. */
  readonly held: readonly [TestIdentity, TestIdentity];
  readonly other: TestIdentity;
}

async function placed(): Promise<Placed> {
  const node = await testNode();
  const named: ReadonlySet<string> = new Set((await node.register()).relays.map(({ relay }) => relay));
  const [first, second] = relays.filter(({ id }) => named.has(id));
  const other = relays.find(({ id }) => !named.has(id));
  if (!first || !second || !other) throw new Error("The edge names two of three relays.");
  return { node, held: [first, second], other };
}

/** From now on nothing is heard of any relay but these. */
async function hearOnly(alive: readonly TestIdentity[]): Promise<void> {
  letPass(60_000);
  await Promise.all(alive.map(heartbeat));
}

const view = (node: TestNode) => node.client.request("GET", `/v1/nodes/${node.id}`, nodeViewSchema);

beforeEach(() => Promise.all(relays.map(heartbeat)), 20_000);

describe("what a relay has found of a name", () => {
  test("is told to its node with the next lease, and in the view of it", async () => {
    const { node, held, other } = await placed();
    await hearOnly(held);
    const [first, second] = held;
    const checkedAt = clock.now();
    await tell(other, [seen(node, first, "up", { checkedAt }), seen(node, second, "down", { checkedAt })]);
    const paths = [
      { relay: first.id, state: "up", checkedAt },
      { relay: second.id, state: "down", detail: "no answer within 5 s", checkedAt },
    ].toSorted((a, b) => (a.relay < b.relay ? -1 : 1));
    expect((await node.renew(1)).paths).toEqual(paths);
    const { paths: viewed, troubles } = await view(node);
    expect(viewed).toEqual(paths);
    expect(troubles[0]).toMatchObject({ detail: expect.stringContaining("Visitors do not get through relay") });
    await tell(other, [seen(node, second, "up")]);
    expect((await view(node)).troubles).toEqual([]);
  });

  test("is left out once the node holds that relay no more, in the very lease that names another one", async () => {
    const { node, held, other } = await placed();
    const [dead, alive] = held;
    await tell(other, [seen(node, dead, "up"), seen(node, alive, "up")]);
    expect((await node.renew(1)).paths).toHaveLength(2);
    await hearOnly([alive, other]);
    const { relays: named, paths } = await node.renew(1);
    expect(named.map(({ relay }) => relay).toSorted()).toEqual([alive.id, other.id].toSorted());
    expect(paths).toMatchObject([{ relay: alive.id }]);
    expect((await view(node)).paths).toMatchObject([{ relay: alive.id }]);
  });

  test("is told of the relays that were held last while none is in sight", async () => {
    const { node, held, other } = await placed();
    const [first, second] = held;
    await tell(other, [seen(node, first, "up"), seen(node, second, "up")]);
    letPass(11 * 60_000);
    const { relays: named, paths } = await node.renew(1);
    expect(named).toEqual([]);
    expect(paths).toHaveLength(2);
  });

  test("is forgotten when no relay confirms it", async () => {
    const { node, held, other } = await placed();
    const [first, second] = held;
    await tell(other, [seen(node, first, "down")]);
    letPass(staleMs - 60_000);
    await tell(other, [seen(node, second, "up")]);
    expect((await view(node)).paths).toHaveLength(2);
    letPass(60_000);
    expect((await view(node)).paths).toMatchObject([{ relay: second.id }]);
  });

  test("is taken of the node's own names and of relays on the list only", async () => {
    await hearOnly([one, two]); // both nodes hold these
    const [node, other] = [await registered(), await registered()];
    const stranger = await freshIdentity();
    await tell(two, [
      seen(node, one, "down", { hostname: idHostname(other.id, zone) }),
      seen(node, stranger, "down"),
      seen(await testNode(), one, "down"),
    ]);
    expect((await view(node)).paths).toEqual([]);
    expect((await view(other)).paths).toEqual([]);
  });

  test("is taken from relays on the list only, in their own name, in moderation and in form", async () => {
    const node = await registered();
    await expect(tell(await freshIdentity(), [seen(node, one, "down")])).rejects.toMatchObject({
      code: "relay-unknown",
    });
    const path = `/v1/relays/${one.id}/observations`;
    const body = { observations: [seen(node, one, "down")] };
    const foreign = clientOf(two, "postern-relay").request("PUT", path, anything, { body });
    await expect(foreign).rejects.toMatchObject({ code: "forbidden" });
    const byNode = clientOf(node).request("PUT", path, anything, { body });
    await expect(byNode).rejects.toMatchObject({ code: expect.stringMatching(/signature|forbidden/) });
    const small = { ...seen(node, one, "up"), hostname: "a" };
    const many = Array.from({ length: maxObservations + 1 }, () => small);
    await expect(tell(two, many)).rejects.toMatchObject({ code: "bad-request" });
    await expect(tell(two, [{ ...small, state: "sideways" }])).rejects.toMatchObject({ code: "bad-request" });
    await expect(tell(two, [{ ...small, detail: "x".repeat(301) }])).rejects.toMatchObject({ code: "bad-request" });
  });

  test("by others counts more than what the relay says of itself, and what came late counts less", async () => {
    const { node, held, other } = await placed();
    const [looked, witness] = held;
    const checkedAt = clock.now();
    await tell(witness, [seen(node, looked, "down")]);
    await tell(looked, [seen(node, looked, "up")]);
    await tell(witness, [seen(node, looked, "up", { checkedAt: checkedAt - 1 })]);
    expect((await view(node)).paths).toMatchObject([{ state: "down" }]);
    await tell(other, [seen(node, looked, "up")]);
    expect((await view(node)).paths).toMatchObject([{ state: "up" }]);
  });

  test("is never from the future", async () => {
    const { node, held, other } = await placed();
    await tell(other, [seen(node, held[0], "up", { checkedAt: clock.now() + 86_400_000 })]);
    expect((await view(node)).paths[0]?.checkedAt).toBeLessThanOrEqual(clock.now());
  });
});

describe("a relay through which nodes are lost", () => {
  const lose = async (by: TestIdentity, nodes: readonly TestNode[], through: TestIdentity, elsewhere: TestIdentity) => {
    for (const node of nodes) await tell(by, [seen(node, elsewhere, "up"), seen(node, through, "down")]);
  };
  const illUntil = async ({ id }: TestIdentity) => (await readHeartbeat(env, id))?.illUntil ?? 0;
  const nodes = (count: number) => Promise.all(Array.from({ length: count }, () => registered()));

  test("is named to nobody for a while, once two others say so", async () => {
    const [first, second, third, bystander] = (await nodes(4)) as [TestNode, TestNode, TestNode, TestNode];
    await lose(one, [first, second, third], three, one);
    expect(await illUntil(three)).toBe(0);
    await lose(two, [third], three, one);
    expect((await illUntil(three)) - clock.now()).toBeGreaterThan(illMs - 5_000);
    letPass(3_000);
    const named = async () => (await bystander.renew(1)).relays.map(({ relay }) => relay);
    expect(await named()).not.toContain(three.id);
    expect(await named()).toHaveLength(2);

    letPass(illMs);
    await Promise.all(relays.map(heartbeat));
    expect(await illUntil(three)).toBeLessThanOrEqual(clock.now());
  });

  test("is well again as soon as none is lost any more", async () => {
    letPass(staleMs);
    await Promise.all(relays.map(heartbeat));
    const three_ = await nodes(3);
    await lose(one, three_, two, three);
    await lose(three, three_, two, one);
    expect(await illUntil(two)).toBeGreaterThan(clock.now());
    for (const node of three_) await tell(one, [seen(node, two, "up")]);
    expect(await illUntil(two)).toBe(0);
  });
});
