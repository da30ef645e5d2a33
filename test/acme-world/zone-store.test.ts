import { expect, test } from "vitest";
import { sight } from "../support/dns/sight.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";

const zone = "nodes.example.test";

function storeAt(time: { now: number }): ZoneStore {
  return new ZoneStore(zone, () => time.now);
}

test("a reader who lags sees the zone as it was", () => {
  const time = { now: 1_000 };
  const store = storeAt(time);
  const { id } = store.add({ name: `A.${zone}`, type: "A", content: "192.0.2.1" });
  time.now = 2_000;
  store.remove(id);
  store.add({ name: `a.${zone}`, type: "A", content: "192.0.2.2" });
  const seen = (agoMs: number): string[] =>
    store
      .view({ agoMs })
      .at(`a.${zone}`)
      .map(({ content }) => content);
  expect(seen(0)).toEqual(["192.0.2.2"]);
  expect(seen(500)).toEqual(["192.0.2.1"]);
  expect(seen(1_500)).toEqual([]);
});

test("a reader who never sees changes keeps what stood when that was set, to the same millisecond", () => {
  const store = storeAt({ now: 1_000 });
  store.add({ name: zone, type: "TXT", content: "before" });
  const view = sight(store, "never");
  store.add({ name: zone, type: "TXT", content: "after" });
  expect(view.look().at(zone)).toMatchObject([{ content: "before" }]);
  view.lag = 0;
  expect(view.look().at(zone)).toHaveLength(2);
});

test("a transaction that throws leaves nothing behind, neither now nor in the history", () => {
  const time = { now: 1_000 };
  const store = storeAt(time);
  const kept = store.add({ name: `kept.${zone}`, type: "TXT", content: "one" });
  const changed = store.add({ name: `changed.${zone}`, type: "TXT", content: "one" });
  const attempt = (): void =>
    store.transaction(() => {
      store.remove(kept.id);
      store.replace({ ...changed, content: "two" });
      store.replace({ ...changed, content: "three" });
      store.remove(store.add({ name: `new.${zone}`, type: "TXT", content: "one" }).id);
      throw new Error("no");
    });
  expect(attempt).toThrow("no");
  time.now = 9_000;
  for (const agoMs of [0, 4_000]) expect(new Set(store.view({ agoMs }).all())).toEqual(new Set([kept, changed]));
  expect(store.get(changed.id)).toBe(changed);
  expect(store.size).toBe(2);
});
