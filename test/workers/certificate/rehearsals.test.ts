import { describe, expect, test } from "vitest";
import { makeCsr } from "../support/csr.ts";
import { clock, letPass } from "../support/controls.ts";
import { processing, valid, withIssuer, type ScriptedOrders, type Steps } from "./support/scripted.ts";
import type { AcmeOrder } from "../../../shared/acme/order.ts";
import { Rehearsals } from "../../../workers/certificate/rehearsals.ts";

const dayMs = 86_400_000;
const rehearsalMs = 7 * dayMs;
const names = ["rehearsed.test"];
const trouble = { detail: "The token has no rights.", remedy: "Give it some." };

interface World extends ScriptedOrders {
  rehearsals: Rehearsals;
  owned: string[];
  /** What an alarm does. */
  alarm: () => Promise<void>;
}

function withRehearsals(step: Steps, use: (world: World) => Promise<void>): Promise<void> {
  return withIssuer({ step }, async (scripted) => {
    const { store, orders } = scripted;
    const owned = [...names];
    const rehearsals = new Rehearsals({ store, orders, hostnames: () => owned, rehearsalMs, clock });
    const alarm = async (): Promise<void> => {
      rehearsals.startDue();
      await orders.stepDue();
    };
    await use({ ...scripted, rehearsals, owned, alarm });
  });
}

const ofRehearsals = ({ store }: World) => store.all().filter(({ purpose }) => purpose === "rehearsal");

describe("a rehearsal", () => {
  test("follows the first certificate at once, with its request, and then comes weekly", () => {
    const rehearsed: AcmeOrder[] = [];
    const step: Steps = (order, purpose) => {
      if (purpose === "rehearsal") rehearsed.push(order);
      return valid();
    };
    return withRehearsals(step, async (world) => {
      expect(world.rehearsals.nextDue()).toBeUndefined();
      const { id } = await world.orders.create(await makeCsr({ names }), names);
      expect(world.rehearsals.nextDue()).toBeLessThanOrEqual(clock.now());
      await world.alarm();
      expect(rehearsed).toHaveLength(1);
      expect(rehearsed[0]?.csr).toEqual(world.store.find(id)?.csr);
      expect(world.rehearsals.nextDue()).toBe((ofRehearsals(world)[0]?.createdAt ?? 0) + rehearsalMs);

      await world.alarm(); // not yet
      letPass(rehearsalMs);
      await world.alarm();
      expect(rehearsed).toHaveLength(2);
    });
  });

  test("leaves the certificate that serves alone, and keeps none of its own", () =>
    withRehearsals(
      () => valid(),
      async (world) => {
        const csr = await makeCsr({ names });
        const serving = await world.orders.create(csr, names);
        await world.alarm();
        expect(await world.orders.create(csr, names)).toEqual(serving);
        const [rehearsal] = ofRehearsals(world);
        expect(rehearsal?.status).toBe("valid");
        expect(rehearsal?.certificate).toBeUndefined();
        expect(rehearsal?.renewal).toBeUndefined();
      },
    ));

  test("that fails is a trouble until one succeeds, and comes again the next day", () => {
    let fails = true;
    const step: Steps = (_, purpose) => (purpose === "rehearsal" && fails ? { status: "invalid", trouble } : valid());
    return withRehearsals(step, async (world) => {
      await world.orders.create(await makeCsr({ names }), names);
      expect(world.rehearsals.trouble).toBeUndefined();
      await world.alarm();
      const told = {
        detail: "The last rehearsal of a renewal failed: The token has no rights.",
        remedy: "Give it some.",
      };
      expect(world.rehearsals.trouble).toEqual(told);
      letPass(dayMs);
      await world.alarm();
      expect(ofRehearsals(world)).toHaveLength(2);
      expect(world.rehearsals.trouble).toEqual(told);
      fails = false;
      letPass(dayMs);
      await world.alarm();
      expect(world.rehearsals.trouble).toBeUndefined();
    });
  });

  test("that is under way hides nothing, and no other begins", () => {
    let rehearsals = 0;
    const step: Steps = (_, purpose) => {
      if (purpose === "serve") return valid();
      return ++rehearsals === 1 ? { status: "invalid", trouble } : processing("", 60_000);
    };
    return withRehearsals(step, async (world) => {
      await world.orders.create(await makeCsr({ names }), names);
      await world.alarm();
      letPass(dayMs);
      await world.alarm();
      expect(ofRehearsals(world)[0]?.status).toBe("processing");
      expect(world.rehearsals.trouble?.detail).toContain("The token has no rights.");
      expect(world.rehearsals.nextDue()).toBeUndefined();
    });
  });

  test("is not made for names that the node has given back", () =>
    withRehearsals(
      () => valid(),
      async (world) => {
        await world.orders.create(await makeCsr({ names }), names);
        world.owned.length = 0;
        await world.alarm();
        expect(ofRehearsals(world)).toEqual([]);
      },
    ));

  test("comes within its time when the clock has gone back", () =>
    withRehearsals(
      () => valid(),
      async (world) => {
        await world.orders.create(await makeCsr({ names }), names);
        await world.alarm();
        letPass(-365 * dayMs);
        try {
          expect(world.rehearsals.nextDue()).toBeLessThanOrEqual(clock.now() + rehearsalMs);
        } finally {
          letPass(365 * dayMs);
        }
      },
    ));
});
