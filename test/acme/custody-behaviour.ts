/** What a node's certificates have to survive, whoever holds the ACME account: the edge, or the node itself. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { certificateIdOf } from "../../shared/acme/ari.ts";
import { normaliseCaa } from "../../shared/dns/caa.ts";
import type { Custody } from "../../tee-bot/config.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { htmlPage } from "../support/faults.ts";
import { startCustodyNode, type CustodyNode } from "./support/custody-node.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { expectNothingLeft, issuedTo } from "./support/traces.ts";

const methods: Record<Custody, string> = { edge: "dns-01", node: "dns-01,tls-alpn-01" };

export function describeCustody(custody: Custody): void {
  describe(`with the ACME account at the ${custody}, a node`, () => {
    let world: CertificateWorld;
    let edge: TestEdge;
    let held: CustodyNode;

    beforeAll(async () => {
      world = await startCertificateWorld();
      const [start, end] = [new Date(Date.now() + 86_400_000), new Date(Date.now() + 2 * 86_400_000)];
      world.proxy.renewalInfo = () => ({ start, end });
      edge = await startEdge(world);
    });
    beforeEach(async () => {
      held = await startCustodyNode(custody, { world, edge });
      await held.node.settled();
    });
    afterEach(async () => {
      await held[Symbol.asyncDispose]();
      world.proxy.faults.clear();
      world.api.faults.clear();
      world.api.rights = "edit";
      for (const resolver of world.doh) resolver.lag = 0;
    });
    afterAll(async () => {
      await edge[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    });

    const obtain = async (): Promise<string> => held.obtain(await held.request()).chain();
    const accounts = (): (string | undefined)[] => issuedTo(world, held.node).map(({ account }) => account);

    test("gets its first certificate, and CAA lets that account issue and no other", async () => {
      const chain = await obtain();
      expect(held.held(chain).certificate.leaf.checkHost(held.node.name)).toBe(held.node.name);
      await expectNothingLeft(world, held.node);
      const wanted = `0 issue "ca.example.test; validationmethods=${methods[custody]}; accounturi=${accounts()[0]}"`;
      const records = world.store.now().at(held.node.name);
      const caa = records.filter(({ type }) => type === "CAA").map(({ content }) => normaliseCaa(content));
      expect(caa).toEqual([normaliseCaa(wanted)]);
    });

    test("renews it, and says which one is replaced", async () => {
      const first = held.held(await obtain());
      const second = await held.obtain(await held.request(first)).chain();
      expect(held.held(second).certificate.leaf.serialNumber).not.toBe(first.certificate.leaf.serialNumber);
      expect(issuedTo(world, held.node).map(({ replaces }) => replaces)).toEqual([
        undefined,
        certificateIdOf(first.certificate.chain),
      ]);
      expect(new Set(accounts()).size).toBe(1);
      await expectNothingLeft(world, held.node, 2);
    });

    test("waits for a CA that is away, is told so, and has its certificate when the CA is back", async () => {
      const away = world.proxy.faults.inject("newOrder", htmlPage(503), { times: 1_000 });
      const obtaining = held.obtain(await held.request());
      expect(await obtaining.troubled()).toMatchObject({
        detail: expect.stringContaining("does not answer as it should"),
        remedy: expect.stringContaining("tried again"),
      });
      away.remove();
      await obtaining.chain();
      await expectNothingLeft(world, held.node);
    });

    test.each(["newOrder", "challenge", "finalize", "certificate"])(
      "goes on with its order when everything is killed after «%s»",
      async (kind) => {
        const hold = world.proxy.faults.hold(kind, "after");
        const obtaining = held.obtain(await held.request());
        await hold.arrived;
        const stored = obtaining.crash();
        await edge.kill();
        await edge.start();
        hold.release();
        await held.obtain(stored).chain();
        await expectNothingLeft(world, held.node);
      },
    );

    test("goes on with its order when the edge is killed and it is not", async () => {
      const hold = world.proxy.faults.hold("challenge", "before");
      const obtaining = held.obtain(await held.request());
      await hold.arrived;
      await edge.kill();
      hold.release();
      await edge.start();
      await obtaining.chain();
      await expectNothingLeft(world, held.node);
    });

    test("waits for a resolver that lags, is told so, and does not bother the CA before", async () => {
      const [, second] = world.doh;
      if (!second) throw new Error("There is one resolver only.");
      second.lag = 1_000;
      const obtaining = held.obtain(await held.request());
      await obtaining.chain();
      expect(obtaining.words).toContainEqual(expect.stringMatching(/^waiting for DNS: [01] of 2 resolvers see it/));
      expect(obtaining.troubles).toEqual([]);
      await expectNothingLeft(world, held.node);
    });

    test("is told that the zone's token lacks rights, and what to do; with the rights given it goes on", async () => {
      world.api.rights = "read";
      const obtaining = held.obtain(await held.request());
      expect(await obtaining.troubled()).toMatchObject({
        detail: expect.stringContaining("code 10000"),
        remedy: expect.stringContaining("Zone → DNS → Edit"),
      });
      world.api.rights = "edit";
      await obtaining.chain();
      await expectNothingLeft(world, held.node);
    });
  });
}
