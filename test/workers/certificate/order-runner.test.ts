import { describe, expect, test } from "vitest";
import { keysFor, makeCsr } from "../support/csr.ts";
import { clock, letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { processing, valid, withIssuer } from "./support/scripted.ts";
import { maxOrdersProcessing } from "../../../workers/certificate/orders.ts";
import { maxStepsPerRun } from "../../../workers/certificate/order-runner.ts";

const names = [`slow.${zone}`];
const trouble = { detail: "CAA forbids it.", remedy: "Change the CAA record." };

test("an order without an issuer is refused and leaves nothing behind", () =>
  withIssuer({ step: undefined }, async ({ orders }) => {
    const created = orders.create(await makeCsr({ names }), names);
    await expect(created).rejects.toMatchObject({ code: "issuer-unavailable" });
    expect(orders.nextDue()).toBeUndefined();
  }));

describe("an order that takes time", () => {
  test("goes on where its last step left it, when that said", () => {
    const seen: string[] = [];
    const step = ({ progress }: { progress: string }) => {
      seen.push(progress);
      return seen.length < 3 ? processing(`${progress}x`, 500, `step ${seen.length}`) : valid();
    };
    return withIssuer({ step }, async ({ orders }) => {
      const csr = await makeCsr({ names });
      const created = await orders.create(csr, names);
      expect(created).toMatchObject({ status: "processing", words: "step 1", retryAfterMs: expect.any(Number) });
      expect((await orders.create(csr, names)).id).toBe(created.id);
      await orders.stepDue(); // too early
      expect(seen).toEqual([""]);
      letPass(500);
      await orders.stepDue();
      letPass(500);
      await orders.stepDue();
      expect(seen).toEqual(["", "x", "xx"]);
      const finished = orders.read(created.id);
      expect(finished).toMatchObject({
        status: "valid",
        certificate: "PEM",
        issuer: "https://ca.example.test/directory",
      });
      expect(finished.words).toBeUndefined();
      expect(orders.nextDue()).toBeUndefined();
    });
  });

  test("makes the steps that may follow at once within the request", () => {
    let steps = 0;
    const step = () => (++steps < 8 ? processing(String(steps), 0) : valid());
    return withIssuer({ step }, async ({ orders }) => {
      expect(await orders.create(await makeCsr({ names }), names)).toMatchObject({ status: "valid" });
      expect(steps).toBe(8);
    });
  });

  test("is waited for within the request while its steps are due in a moment", () => {
    let steps = 0;
    const step = () => (++steps < 4 ? processing(String(steps), 20) : valid());
    return withIssuer({ step }, async ({ orders }) => {
      expect(await orders.create(await makeCsr({ names }), names)).toMatchObject({ status: "valid" });
      expect(steps).toBe(4);
    });
  });

  test("makes a bounded number of steps in a row, and is due again at once", () => {
    let steps = 0;
    return withIssuer({ step: () => processing(String(++steps), 0) }, async ({ orders }) => {
      await orders.create(await makeCsr({ names }), names);
      expect(steps).toBe(maxStepsPerRun);
      expect(orders.nextDue()).toBeLessThanOrEqual(clock.now());
      await orders.stepDue();
      expect(steps).toBe(2 * maxStepsPerRun);
    });
  });

  test("does not hold up the request, whose step goes on behind it", () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const step = async () => {
      await promise;
      return valid();
    };
    return withIssuer({ step }, async ({ orders }) => {
      const startedAt = Date.now();
      const { id, status } = await orders.create(await makeCsr({ names }), names);
      expect(status).toBe("processing");
      expect(Date.now() - startedAt).toBeLessThan(3_000);
      expect(orders.nextDue()).toBeGreaterThan(clock.now()); // the alarm does not spin while a step is made
      resolve();
      await expect.poll(() => orders.read(id).status).toBe("valid");
    });
  });

  test("makes one step at a time, however many want it", () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let inside = 0;
    let most = 0;
    let steps = 0;
    const step = async () => {
      most = Math.max(most, ++inside);
      await promise;
      inside--;
      return ++steps < 3 ? processing("", 0) : valid();
    };
    return withIssuer({ step }, async ({ orders }) => {
      const created = orders.create(await makeCsr({ names }), names);
      await expect.poll(() => inside).toBe(1);
      const alarms = [orders.stepDue(), orders.stepDue()];
      resolve();
      await Promise.all([created, ...alarms]);
      expect(most).toBe(1);
      expect(steps).toBe(3);
    });
  });

  test("goes on from the stored step when the process dies between two", () => {
    const seen: string[] = [];
    const never = new Promise<never>(() => {});
    const step = ({ progress }: { progress: string }) => {
      seen.push(progress);
      if (progress === "") return processing("one", 0);
      return seen.length === 2 ? never : valid(); // the process dies in the second step
    };
    return withIssuer({ step }, async ({ orders, restarted }) => {
      const { id } = await orders.create(await makeCsr({ names }), names);
      const later = restarted();
      expect(later.nextDue()).toBeLessThanOrEqual(clock.now());
      await later.stepDue();
      expect(seen).toEqual(["", "one", "one"]);
      expect(later.read(id).status).toBe("valid");
    });
  });

  test("is tried again after a step that failed, later each time", () => {
    let attempts = 0;
    const step = () => Promise.reject(new Error(`no answer ${++attempts}`));
    return withIssuer({ step }, async ({ orders }) => {
      const { id } = await orders.create(await makeCsr({ names }), names);
      const waits: number[] = [];
      for (let n = 0; n < 4; n++) {
        const waitMs = (orders.nextDue() ?? 0) - clock.now();
        waits.push(waitMs);
        letPass(waitMs + 1);
        await orders.stepDue();
      }
      expect(attempts).toBe(5);
      expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
      expect(orders.read(id).status).toBe("processing");
    });
  });

  test("is due at once when the clock has gone back", () => {
    let steps = 0;
    return withIssuer({ step: () => processing(String(++steps), 3_600_000) }, async ({ orders }) => {
      await orders.create(await makeCsr({ names }), names);
      letPass(-86_400_000);
      try {
        expect(orders.nextDue()).toBeLessThanOrEqual(clock.now());
        await orders.stepDue();
        expect(steps).toBe(2);
        expect(orders.nextDue()).toBeGreaterThan(clock.now());
      } finally {
        letPass(86_400_000);
      }
    });
  });

  test("tells what has gone wrong so far", () =>
    withIssuer({ step: () => ({ ...processing("", 60_000, "waiting"), trouble }) }, async ({ orders }) => {
      const created = await orders.create(await makeCsr({ names }), names);
      expect(created).toMatchObject({ status: "processing", words: "waiting", trouble });
    }));

  test("that the CA refuses says why and what to do, and is made anew when asked for again", () =>
    withIssuer({ step: () => ({ status: "invalid", trouble }) }, async ({ orders, abandoned }) => {
      const csr = await makeCsr({ names });
      const refused = await orders.create(csr, names);
      expect(refused).toMatchObject({ status: "invalid", trouble });
      expect((await orders.create(csr, names)).id).not.toBe(refused.id);
      expect(abandoned).toEqual([]);
    }));

  test("is one of a few at a time", () =>
    withIssuer({ step: () => processing("", 60_000) }, async ({ orders }) => {
      const owned = Array.from({ length: maxOrdersProcessing + 1 }, (_, n) => `${n}.${zone}`);
      for (const name of owned.slice(1)) await orders.create(await makeCsr({ names: [name] }), owned);
      const one = orders.create(await makeCsr({ names: owned.slice(0, 1) }), owned);
      await expect(one).rejects.toMatchObject({ code: "too-many-requests" });
    }));
});

describe("a request for names that an order is being processed for", () => {
  const step = () => processing("TXT written", 60_000);

  test("with the same key is answered with that order", () =>
    withIssuer({ step }, async ({ orders, abandoned }) => {
      const keys = await keysFor();
      const { id } = await orders.create(await makeCsr({ names, keys }), names);
      expect((await orders.create(await makeCsr({ names, keys }), names)).id).toBe(id);
      expect(abandoned).toEqual([]);
    }));

  test("with another key takes its place, and what it left behind is cleared away", () =>
    withIssuer({ step }, async ({ orders, abandoned, store }) => {
      const older = await orders.create(await makeCsr({ names }), names);
      const newer = await orders.create(await makeCsr({ names }), names);
      expect(newer.id).not.toBe(older.id);
      expect(orders.read(older.id)).toMatchObject({
        status: "invalid",
        trouble: { detail: "A newer request of this node took its place." },
      });
      await orders.stepDue();
      expect(abandoned).toEqual([older.id]);
      expect(store.find(older.id)?.dueAt).toBeUndefined();
      expect(orders.read(newer.id).status).toBe("processing");
    }));

  test("clears away the older one only after its step has ended, whose outcome is dropped", () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cleared: string[] = [];
    let steps = 0;
    const slowFirst = async () => {
      if (++steps > 1) return processing("", 60_000);
      await promise;
      cleared.push("step ended");
      return valid();
    };
    const abandon = () => Promise.resolve(void cleared.push("cleared"));
    return withIssuer({ step: slowFirst, abandon }, async ({ orders }) => {
      const older = await orders.create(await makeCsr({ names }), names);
      await orders.create(await makeCsr({ names }), names);
      await orders.stepDue();
      expect(cleared).toEqual([]);
      resolve();
      await expect.poll(() => cleared).toEqual(["step ended", "cleared"]);
      expect(orders.read(older.id).status).toBe("invalid");
    });
  });

  test("clears away again what could not be cleared away", () => {
    let tries = 0;
    const abandon = () => (++tries < 3 ? Promise.reject(new Error("the zone is away")) : Promise.resolve());
    return withIssuer({ step, abandon }, async ({ orders, abandoned }) => {
      const { id } = await orders.create(await makeCsr({ names }), names);
      await orders.create(await makeCsr({ names }), names);
      for (let n = 0; n < 3; n++) {
        await orders.stepDue();
        letPass(10_000);
      }
      expect(abandoned).toEqual([id]);
    });
  });
});
