import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { internalGroupId, recipientOf, restGroupId } from "../../../../tee-bot/bot/send/recipients.ts";
import { signalFixtures } from "./support/fixtures.ts";

const internal = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI=";
const rest = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0=";

it("a person is written to by uuid, and a group by the name that the REST server has for it", () => {
  const person = "aaaaaaaa-1111-4111-8111-111111111111";
  expect(recipientOf({ kind: "direct", person })).toBe(person);
  expect(recipientOf({ kind: "group", group: internal })).toBe(rest);
  expect(recipientOf({ kind: "group", group: rest })).toBe(rest);
});

it("the two names of a group are made of each other, in either form, for any id", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const id = Buffer.from(bytes).toString("base64");
      const name = restGroupId(id);
      expect(name).toHaveLength(66);
      expect([internalGroupId(name), restGroupId(name), internalGroupId(id)]).toEqual([id, name, id]);
    }),
  );
});

describe.skipIf(!signalFixtures)(
  "the published vectors of recipients (skipped without ../shared/fixtures/signal)",
  () => {
    it("have the same name for a group", () => {
      const lines = readFileSync(join(signalFixtures!, "recipient-vectors.jsonl"), "utf8").trim().split("\n");
      const vectors = lines.map((line) => JSON.parse(line) as { internal?: string; rest?: string });
      const groups = vectors.filter((one) => one.internal !== undefined);
      expect(groups.length).toBeGreaterThan(0);
      for (const one of groups) expect(restGroupId(one.internal!)).toBe(one.rest);
    });
  },
);
