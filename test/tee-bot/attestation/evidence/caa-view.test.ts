import { describe, expect, it } from "vitest";
import { AppError } from "../../../../shared/errors.ts";
import { silentLog } from "../../../../shared/log.ts";
import type { DnsServer } from "../../../../shared/dns/server.ts";
import { CaaView } from "../../../../tee-bot/attestation/evidence/caa-view.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const record = '0 issue "ca.test; accounturi=https://ca.test/1"';

function resolverOf(answers: Record<string, string[]>): DnsServer & { asked: string[] } {
  const asked: string[] = [];
  return {
    address: "https://dns.test",
    kind: "resolver",
    asked,
    ask(name) {
      asked.push(name);
      const contents = answers[name];
      if (!contents) return Promise.reject(new AppError("upstream-timeout", "It does not answer."));
      const records = contents.map((content) => ({ name, type: "CAA" as const, content, ttl: 300 }));
      return Promise.resolve({ rcode: 0, records, authorities: [] } as unknown as Awaited<
        ReturnType<DnsServer["ask"]>
      >);
    },
  };
}

describe("the CAA records that evidence shows", () => {
  it("are those by which a CA would judge each name, asked for once in a while", async () => {
    const resolver = resolverOf({ "a.zone.test": [record], "b.zone.test": [], "zone.test": ['0 issue ";"'] });
    const clock = new ManualClock();
    const view = new CaaView({ resolvers: () => [resolver], clock, log: silentLog });
    const names = ["a.zone.test", "b.zone.test"];
    const seen = [
      { name: "a.zone.test", records: [record] },
      { name: "b.zone.test", records: ['0 issue ";"'] },
    ];
    expect(await view.of(names, "zone.test")).toEqual(seen);
    const { length } = resolver.asked;
    await view.of(names, "zone.test");
    expect(resolver.asked).toHaveLength(length);
    clock.advance(15 * 60_000);
    await view.of(names, "zone.test");
    expect(resolver.asked).toHaveLength(2 * length);
    await view.of(["a.zone.test"], "zone.test");
    expect(resolver.asked).toHaveLength(2 * length + 1);
  });

  it("come from the next resolver when one does not answer, and are left out when none does", async () => {
    const [deaf, well] = [resolverOf({}), resolverOf({ "a.zone.test": [record] })];
    const view = new CaaView({ resolvers: () => [deaf, well], clock: new ManualClock(), log: silentLog });
    expect(await view.of(["a.zone.test", "c.zone.test"], "zone.test")).toEqual([
      { name: "a.zone.test", records: [record] },
    ]);
    const nobody = new CaaView({ resolvers: () => [], clock: new ManualClock(), log: silentLog });
    expect(await nobody.of(["a.zone.test"], "zone.test")).toEqual([]);
  });

  it("are not waited for without end: evidence then shows those of before, or none", async () => {
    const resolver = resolverOf({ "a.zone.test": [record] });
    const clock = new ManualClock();
    const view = new CaaView({ resolvers: () => [resolver], clock, log: silentLog });
    const seen = await view.of(["a.zone.test"], "zone.test");
    resolver.ask = () => new Promise(() => {});
    clock.advance(15 * 60_000);
    const again = view.of(["a.zone.test"], "zone.test");
    clock.advance(2_000);
    expect(await again).toEqual(seen);
    const other = view.of(["b.zone.test"], "zone.test");
    clock.advance(2_000);
    expect(await other).toEqual([]);
  });
});
