import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { clock, letPass } from "../support/controls.ts";
import { testIdentity } from "../support/identities.ts";
import type { Trouble } from "../../../shared/acme/ports.ts";
import type { DnsRecord } from "../../../shared/dns/record.ts";
import type { Log, LogFields } from "../../../shared/log.ts";
import { silentLog } from "../../../shared/log.ts";
import { CaaWatch, caaTable } from "../../../workers/certificate/caa-watch.ts";

const secondMs = 1_000;
const hourMs = 3_600 * secondMs;
const dayMs = 24 * hourMs;
const { id } = await testIdentity("watched");
const trouble: Trouble = { detail: "Somebody else may issue.", remedy: "Turn it off." };

const address: DnsRecord = { name: "a.test", type: "A", content: "192.0.2.7", ttl: 60 };
const caa = (name: string, ca = "ca.test"): DnsRecord => ({ name, type: "CAA", content: `0 issue "${ca}"`, ttl: 300 });
const wanted = [address, caa("a.test"), caa("b.test")];

interface World {
  watch: CaaWatch;
  /** Names that were looked at. */
  seen: string[];
  written: boolean;
  judge: (name: string) => Trouble | undefined;
  warned: [string, LogFields | undefined][];
  /** Time passes until the next look, which is made; answers how long that was. */
  next: () => Promise<number>;
}

function watching(use: (world: World) => Promise<void>, lookMs = dayMs): Promise<void> {
  return runInDurableObject(env.HUBS.get(env.HUBS.newUniqueId()), async (_, { storage: { sql } }) => {
    sql.exec(caaTable);
    const warned: World["warned"] = [];
    const log: Log = { ...silentLog, warn: (event, fields) => warned.push([event, fields]) };
    const watch = new CaaWatch({
      sql,
      node: () => id,
      lookMs,
      areWritten: () => Promise.resolve(world.written),
      judge: async ([record]) => {
        world.seen.push(record?.name ?? "");
        return Promise.resolve(world.judge(record?.name ?? ""));
      },
      clock,
      random: () => 0.5,
      log,
    });
    const next = async (): Promise<number> => {
      const waitMs = (watch.nextDue() ?? Number.NaN) - clock.now();
      letPass(waitMs);
      await watch.lookDue(wanted);
      return waitMs;
    };
    const world: World = { watch, seen: [], written: true, judge: () => undefined, warned, next };
    await use(world);
  });
}

describe("the CAA records of a node", () => {
  test("are looked at soon after they were first wanted, at every name, and then daily", () =>
    watching(async ({ watch, seen, next }) => {
      watch.expect(wanted, [address]);
      await watch.lookDue(wanted); // too early
      expect(seen).toEqual([]);
      expect(await next()).toBeCloseTo(30 * secondMs, -3);
      expect(seen).toEqual(["a.test", "b.test"]);
      expect(watch.trouble).toBeUndefined();
      expect(await next()).toBeCloseTo(dayMs, -3);
    }));

  test("are looked at within an hour after a change, and not sooner for a change of addresses", () =>
    watching(async ({ watch, next }) => {
      watch.expect(wanted, []);
      await next();
      watch.expect([...wanted, address], wanted);
      expect((watch.nextDue() ?? 0) - clock.now()).toBeCloseTo(dayMs, -3);
      watch.expect([caa("a.test", "other.test")], wanted);
      expect(await next()).toBeCloseTo(hourMs, -3);
    }));

  test("are not looked at before they have been written", () =>
    watching(async (world) => {
      world.written = false;
      world.watch.expect(wanted, []);
      await world.next();
      const waits = [await world.next(), await world.next(), await world.next()];
      expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
      expect(world.seen).toEqual([]);
      world.written = true;
      await world.next();
      expect(world.seen).toEqual(["a.test", "b.test"]);
    }));

  test("that are others than wanted are told and warned of, until they are put right", () =>
    watching(async (world) => {
      world.judge = (name) => (name === "b.test" ? trouble : undefined);
      world.watch.expect(wanted, []);
      await world.next();
      expect(world.watch.trouble).toEqual(trouble);
      expect(world.warned).toEqual([["caa.mismatched", { node: id, ...trouble }]]);

      expect(await world.next()).toBeLessThan(hourMs); // it is not warned of twice
      expect(world.warned).toHaveLength(1);
      world.judge = () => undefined;
      await world.next();
      expect(world.watch.trouble).toBeUndefined();
    }));

  test("that cannot be read say nothing new", () =>
    watching(async (world) => {
      world.judge = () => trouble;
      world.watch.expect(wanted, []);
      await world.next();
      world.judge = () => {
        throw new Error("no resolver answers");
      };
      await world.next();
      expect(world.watch.trouble).toEqual(trouble);
      expect(world.watch.nextDue()).toBeGreaterThan(clock.now());
    }));

  test("are nothing to look at once none are wanted", () =>
    watching(async (world) => {
      world.judge = () => trouble;
      world.watch.expect(wanted, []);
      await world.next();
      world.watch.expect([address], wanted);
      expect(world.watch.trouble).toBeUndefined();
      expect(world.watch.nextDue()).toBeUndefined();
    }));

  test("are looked at at once when the clock has gone back", () =>
    watching(async ({ watch, next }) => {
      watch.expect(wanted, []);
      letPass(-dayMs);
      expect(await next()).toBeCloseTo(0, -3);
      letPass(dayMs);
    }));

  test("are looked at as often as the settings say", () =>
    watching(async ({ watch, next }) => {
      watch.expect(wanted, []);
      for (const waitMs of [await next(), await next()]) expect(waitMs).toBeLessThanOrEqual(500);
    }, 500));
});
