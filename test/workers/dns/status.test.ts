import { expect, test } from "vitest";
import { decideStatus } from "../../../workers/dns/status.ts";

const none = { zone: undefined, refusal: undefined, waitMs: 0 };
const trouble = { detail: "No rights.", remedy: "Give it rights." };

test.each([
  [{ ...none, records: 0, missing: 0 }, "written", "no records are wanted"],
  [{ ...none, records: 1, missing: 0 }, "written", "1 record written"],
  [{ ...none, records: 6, missing: 2 }, "pending", "2 of 6 records to be written"],
  [
    { ...none, records: 6, missing: 2, waitMs: 7_200, zone: { ...trouble, lasting: false } },
    "pending",
    "2 of 6 records to be written, next try in 8 s: No rights.",
  ],
  [
    { ...none, records: 1, missing: 1, zone: { ...trouble, lasting: true } },
    "failing",
    "1 of 1 record to be written: No rights.",
  ],
  [{ ...none, records: 2, missing: 1, refusal: trouble }, "failing", "1 of 2 records to be written: No rights."],
] as const)("%j is said as %s: %s", (facts, state, words) => {
  const status = decideStatus(facts);
  expect(status).toMatchObject({ state, words, records: facts.records });
  if (words.includes("No rights")) expect(status.trouble).toEqual(trouble);
  else expect(status.trouble).toBeUndefined();
});

test("a lasting trouble of the zone is told to a node whose records are written, since its next challenge would meet it", () => {
  const facts = { ...none, records: 2, missing: 0 };
  expect(decideStatus({ ...facts, zone: { ...trouble, lasting: true } })).toMatchObject({ state: "written", trouble });
  expect(decideStatus({ ...facts, zone: { ...trouble, lasting: false } }).trouble).toBeUndefined();
});
