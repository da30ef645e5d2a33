/** A CA that has its bad days: real Pebble in its troublesome moods, and a proxy before it that makes them worse. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { certificateIdOf } from "../../shared/acme/ari.ts";
import { acmeFault, rateLimited } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import type { PebbleOptions } from "../support/acme/pebble.ts";
import { contentType, garbage, htmlPage, type Fault } from "../support/faults.ts";
import { until } from "../support/postern.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode, type TestNode } from "./support/node.ts";
import { expectNothingLeft, issuedTo } from "./support/traces.ts";

const patienceMs = 60_000;

const startNodes = (edge: TestEdge, count: number): Promise<TestNode[]> =>
  Promise.all(Array.from({ length: count }, () => startNode(edge)));

describe("a Pebble", () => {
  async function inWorld(
    pebble: Omit<PebbleOptions, "dnsServer">,
    work: (world: CertificateWorld, edge: TestEdge) => Promise<void>,
  ): Promise<void> {
    await using world = await startCertificateWorld({ pebble });
    await using edge = await startEdge(world);
    await work(world, edge);
  }

  test.each([{ nonceReject: 5 }, { nonceReject: 30 }, { nonceReject: 60 }])(
    "that refuses $nonceReject % of good nonces issues all the same",
    ({ nonceReject }) =>
      inWorld({ nonceReject }, async (world, edge) => {
        const nodes = await startNodes(edge, 5);
        await Promise.all(nodes.map(async (node) => node.valid(await node.order(), patienceMs)));
        for (const node of nodes) await expectNothingLeft(world, node);
      }),
  );

  test("that uses its authorizations again asks for one challenge for all orders of a name", () =>
    inWorld({ authzReuse: 100 }, async (world, edge) => {
      const node = await startNode(edge);
      await node.valid(await node.order());
      await node.valid(await node.order());
      expect(world.proxy.faults.count("POST challenge")).toBe(1);
      await expectNothingLeft(world, node, 2);
    }));

  test("that does not asks for another with each order", () =>
    inWorld({ authzReuse: 0 }, async (world, edge) => {
      const node = await startNode(edge);
      for (let orders = 0; orders < 3; orders++) await node.valid(await node.order());
      // Pebble compares a number of 0 to 99 by `>`, so at 0 % it uses one in a hundred again all the same.
      expect(world.proxy.faults.count("POST challenge")).toBeGreaterThanOrEqual(2);
      await expectNothingLeft(world, node, 3);
    }));

  test("that is strict and offers several chains of several certificates has one taken whole", () =>
    inWorld({ strict: true, alternateRoots: 2, chainLength: 2 }, async (world, edge) => {
      const node = await startNode(edge);
      const { certificate } = await node.valid(await node.order());
      expect(certificate?.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
      await expectNothingLeft(world, node);
    }));
});

describe("a CA", () => {
  let world: CertificateWorld;
  let edge: TestEdge;

  beforeAll(async () => {
    world = await startCertificateWorld();
    edge = await startEdge(world, { RENEWAL_LOOK_MS: "200" });
  });
  afterEach(() => {
    world.proxy.faults.clear();
    world.proxy.renewalInfo = undefined;
  });
  afterAll(async () => {
    await edge[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const finalizedBefore = ["newOrder", "authz", "challenge", "order", "finalize"];

  test.each([...finalizedBefore, "certificate"])("that forgets everything at «%s» is asked anew", async (kind) => {
    const node = await startNode(edge);
    await node.settled();
    const hold = world.proxy.faults.hold(kind, "before");
    const ordered = node.order();
    await hold.arrived;
    await world.pebble.restart();
    hold.release();
    await node.valid(await ordered);
    await expectNothingLeft(world, node, finalizedBefore.includes(kind) ? 1 : 2);

    const accounts = world.store
      .now()
      .at(node.name)
      .filter(({ type }) => type === "CAA");
    expect(accounts.map(({ content }) => content)).toEqual([
      expect.stringContaining(`accounturi=${issuedTo(world, node).at(-1)?.account}`),
    ]);
  });

  test("that answers everything wrong in every way, or nothing, is asked until it answers right, and issues once", async () => {
    const wrong: readonly Fault[] = [
      acmeFault("serverInternal", 500),
      htmlPage(503),
      { kind: "drop", when: "before" },
      { kind: "drop", when: "after" },
      { kind: "truncate" },
      contentType("text/html"),
      garbage("{}"),
    ];
    const silent = ["newOrder", "finalize"];
    const nodes = await startNodes(edge, wrong.length + silent.length);
    await Promise.all(nodes.map((node) => node.settled()));
    const { faults } = world.proxy;
    const kinds = ["newOrder", "authz", "POST challenge", "order", "finalize", "certificate"];
    const injected = [
      ...silent.map((kind) => faults.inject(kind, { kind: "silence", when: "after" })),
      ...kinds.flatMap((kind) => wrong.map((fault) => faults.inject(kind, fault))),
    ];
    await Promise.all(nodes.map(async (node) => node.valid(await node.order(), patienceMs)));
    expect(injected.filter(({ hits }) => hits === 0)).toEqual([]);
    for (const node of nodes) await expectNothingLeft(world, node);
  });

  test("that takes no new orders for some seconds is left alone, by everyone, and says so", async () => {
    const [first, second] = await startNodes(edge, 2);
    if (!first || !second) throw new Error("There are no nodes.");
    const { faults } = world.proxy;
    const before = faults.count("newOrder");
    const startedAt = Date.now();
    faults.inject("newOrder", rateLimited("4"));
    const refused = await first.order();
    expect(refused).toMatchObject({
      status: "processing",
      words: expect.stringMatching(/^waiting until \d{4}-\d\d-\d\d \d\d:\d\d UTC/),
      trouble: { detail: expect.stringContaining("too many new orders recently"), remedy: expect.any(String) },
    });
    const waiting = await second.order();
    expect(waiting).toMatchObject({ status: "processing", words: expect.stringContaining("waiting until") });
    await until(() => faults.count("newOrder") > before + 1, patienceMs, "it is asked again");
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(4_000);
    await Promise.all([first.valid(refused), second.valid(waiting)]);
    for (const node of [first, second]) await expectNothingLeft(world, node);
  });

  test("with renewal information is heard: the window is known, and the renewal says what it replaces", async () => {
    const [start, end] = [new Date(Date.now() + 86_400_000), new Date(Date.now() + 2 * 86_400_000)];
    world.proxy.renewalInfo = () => ({ start, end, explanationUrl: "https://ca.example.test/why" });
    await edge.kill(); // the directory is read again
    await edge.start();
    const node = await startNode(edge);
    const order = await node.valid(await node.order());
    const planned = await node.follow(order, ({ renewal }) => renewal?.source === "ari", patienceMs);
    expect(planned.renewal).toMatchObject({ from: start.getTime(), to: end.getTime() });
    expect(planned.renewal?.at).toBeGreaterThanOrEqual(start.getTime());
    expect(planned.renewal?.at).toBeLessThanOrEqual(end.getTime());
    await node.valid(await node.order());
    expect(issuedTo(world, node).map(({ replaces }) => replaces)).toEqual([
      undefined,
      certificateIdOf(order.certificate ?? ""),
    ]);
  });
});
