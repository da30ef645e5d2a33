import { describe, expect, test } from "vitest";
import { decideEnd, decideRecords } from "../../../workers/registry/dns-wish.ts";

const [now, retentionMs] = [1_000, 500];

describe("the end of a node's records", () => {
  test("is not in sight while it is up", () => {
    expect(decideEnd("up", 1_200, { now, retentionMs })).toBeUndefined();
  });

  test("comes after the time of retention, and does not move while it stays away", () => {
    for (const state of ["lapsed", "released"] as const) {
      expect(decideEnd(state, undefined, { now, retentionMs })).toBe(1_500);
      expect(decideEnd(state, 1_200, { now, retentionMs })).toBe(1_200);
    }
  });
});

test("a node wants addresses of both kinds and CAA at each of its names", () => {
  const records = decideRecords({
    hostnames: ["a.test", "b.test"],
    addresses: ["192.0.2.7", "2001:db8::7"],
    accounts: [{ ca: "ca.test", accountUri: "https://ca.test/1", methods: ["dns-01"] }],
  });
  expect(records.map(({ name, type }) => `${name} ${type}`)).toEqual(
    ["a.test", "b.test"].flatMap((name) => [`${name} A`, `${name} AAAA`, `${name} CAA`]),
  );
});

test("a node wants no CAA while nobody knows which accounts may issue", () => {
  const records = decideRecords({ hostnames: ["a.test"], addresses: ["192.0.2.7"], accounts: undefined });
  expect(records).toEqual([{ name: "a.test", type: "A", content: "192.0.2.7", ttl: 60 }]);
});
