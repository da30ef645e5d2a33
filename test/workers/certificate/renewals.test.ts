import { describe, expect, test } from "vitest";
import { keysFor, makeCsr } from "../support/csr.ts";
import { clock, letPass } from "../support/controls.ts";
import { testNode } from "../support/edge.ts";
import { valid, withIssuer, type ScriptedOrders } from "./support/scripted.ts";
import { certificateIdOf } from "../../../shared/acme/ari.ts";
import type { CaAnswer, RenewalInfo } from "../../../shared/acme/ca.ts";
import type { AcmeOrder, OrderStep } from "../../../shared/acme/order.ts";
import { silentLog } from "../../../shared/log.ts";
import { orderSchema } from "../../../shared/registry/messages.ts";
import { Renewals } from "../../../workers/certificate/renewals.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const directory = "https://ca.example.test/directory";
const names = ["renewed.test"];

/** A certificate that names its issuer's key; what else it says does not matter here. */
async function anyCertificate(): Promise<string> {
  const node = await testNode();
  const { hostnames } = await node.register();
  const body = { csr: await makeCsr({ names: hostnames }) };
  return (await node.client.request("POST", `/v1/nodes/${node.id}/orders`, orderSchema, { body })).certificate ?? "";
}
const [pem, otherPem] = [await anyCertificate(), await anyCertificate()];

const issued = (certificate: string, lifetimeMs = 90 * dayMs): OrderStep =>
  ({ ...valid(lifetimeMs), certificate }) as OrderStep;

interface World extends ScriptedOrders {
  renewals: Renewals;
  asked: string[];
  answer: () => Promise<CaAnswer<RenewalInfo | undefined>>;
}

function withCertificate(
  use: (world: World) => Promise<void>,
  { step = () => issued(pem), lookMs }: { step?: (order: AcmeOrder) => OrderStep; lookMs?: number } = {},
): Promise<void> {
  return withIssuer({ step }, async (scripted) => {
    const world: World = {
      ...scripted,
      asked: [],
      answer: () => Promise.resolve({ ok: true, value: undefined }),
      renewals: new Renewals({
        store: scripted.store,
        lookMs,
        clock,
        random: () => 0.5,
        log: silentLog,
        fetchRenewalInfo(from, certificateId) {
          world.asked.push(`${from} ${certificateId}`);
          return world.answer();
        },
      }),
    };
    await use(world);
  });
}

const window = (fromMs: number, toMs: number, retryAfterMs = 6 * hourMs): CaAnswer<RenewalInfo> => ({
  ok: true,
  value: { from: clock.now() + fromMs, to: clock.now() + toMs, retryAfterMs, explanationUrl: "https://ca.test/why" },
});

/** Time passes until the CA is asked; answers how long that was. */
async function nextLook({ renewals }: World): Promise<number> {
  const waitMs = (renewals.nextDue() ?? Number.NaN) - clock.now();
  letPass(waitMs);
  await renewals.lookDue();
  return waitMs;
}

describe("a certificate's renewal", () => {
  test("is planned at two thirds of its life as soon as it is there", () =>
    withCertificate(async ({ orders }) => {
      const { renewal, notBefore = 0 } = await orders.create(await makeCsr({ names }), names);
      expect(renewal).toEqual({ at: notBefore + 60 * dayMs, source: "lifetime" });
    }));

  test("is planned within the window of the CA, which is asked again when it says", () =>
    withCertificate(async (world) => {
      const { id } = await world.orders.create(await makeCsr({ names }), names);
      const info = window(40 * dayMs, 42 * dayMs);
      world.answer = () => Promise.resolve(info);
      expect(await nextLook(world)).toBeLessThanOrEqual(hourMs);
      expect(world.asked).toEqual([`${directory} ${certificateIdOf(pem)}`]);
      const { renewal } = world.orders.read(id);
      expect(renewal).toMatchObject({ source: "ari", explanationUrl: "https://ca.test/why" });
      expect(renewal?.at).toBe((renewal?.from ?? 0) + dayMs);
      expect(await nextLook(world)).toBeCloseTo(6 * hourMs, -3);
      expect(world.orders.read(id).renewal).toEqual(renewal);
    }));

  test("moves forward with a window that the CA has moved", () =>
    withCertificate(async (world) => {
      const { id } = await world.orders.create(await makeCsr({ names }), names);
      world.answer = () => Promise.resolve(window(40 * dayMs, 42 * dayMs));
      await nextLook(world);
      world.answer = () => Promise.resolve(window(-2 * dayMs, -dayMs));
      await nextLook(world);
      expect(world.orders.read(id).renewal?.at).toBeLessThanOrEqual(clock.now());
    }));

  test("keeps its plan while the CA does not answer", () =>
    withCertificate(async (world) => {
      const { id, renewal } = await world.orders.create(await makeCsr({ names }), names);
      world.answer = () => Promise.resolve({ ok: false, failure: { kind: "unavailable", detail: "no answer" } });
      await nextLook(world);
      world.answer = () => Promise.reject(new Error("no answer"));
      expect(await nextLook(world)).toBeCloseTo(hourMs, -3);
      expect(world.orders.read(id).renewal).toEqual(renewal);
    }));

  test("is asked about seldom where the CA has nothing to say", () =>
    withCertificate(async (world) => {
      await world.orders.create(await makeCsr({ names }), names);
      await nextLook(world);
      expect(await nextLook(world)).toBeCloseTo(7 * dayMs, -3);
    }));

  test("is asked about as often as the settings say", () =>
    withCertificate(
      async (world) => {
        await world.orders.create(await makeCsr({ names }), names);
        await nextLook(world);
        expect(await nextLook(world)).toBeCloseTo(1_500, -3);
      },
      { lookMs: 1_500 },
    ));

  test("of an expired certificate is nothing to ask about", () =>
    withCertificate(async ({ orders, renewals }) => {
      await orders.create(await makeCsr({ names }), names);
      letPass(91 * dayMs);
      expect(renewals.nextDue()).toBeUndefined();
    }));
});

describe("a renewal", () => {
  test("says which certificate it replaces, and ends the questions about that one", () => {
    const made: AcmeOrder[] = [];
    const step = (order: AcmeOrder) => {
      made.push(order);
      return issued(made.length === 1 ? pem : otherPem);
    };
    return withCertificate(
      async (world) => {
        const keys = await keysFor();
        await world.orders.create(await makeCsr({ names, keys }), names);
        await world.orders.create(await makeCsr({ names, keys }), names);
        expect(made[0]?.replaces).toBeUndefined();
        expect(made[1]?.replaces).toEqual({ directory, certificateId: certificateIdOf(pem) });
        await nextLook(world);
        expect(world.asked).toEqual([`${directory} ${certificateIdOf(otherPem)}`]);
      },
      { step },
    );
  });

  test("for other names replaces nothing", () => {
    const made: AcmeOrder[] = [];
    const step = (order: AcmeOrder) => (made.push(order), issued(pem));
    return withCertificate(
      async ({ orders }) => {
        const owned = [...names, "more.test"];
        await orders.create(await makeCsr({ names }), owned);
        await orders.create(await makeCsr({ names: owned }), owned);
        expect(made[1]?.replaces).toBeUndefined();
      },
      { step },
    );
  });
});
