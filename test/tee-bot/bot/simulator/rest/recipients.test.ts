import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  decideRecipientType,
  internalGroupId,
  restGroupId,
} from "../../../../../tee-bot/bot/simulator/rest/recipients.ts";
import { signalFixture } from "../support/signal-fixtures.ts";

const vectors = signalFixture("recipient-vectors.jsonl");
const internal = Buffer.alloc(32, 7).toString("base64");

describe("a recipient", () => {
  it.each([
    ["+4930123456", "number"],
    ["+49 30 123456", "number"],
    ["22222222-2222-4222-8222-222222222222", "number"],
    ["22222222222242228222222222222222", "number"],
    ["bob.07", "username"],
    ["4930123456", "username"],
    ["group.7", "username"],
    [restGroupId(internal), "group"],
  ])("%s is a %s", (recipient, type) => {
    expect(decideRecipientType(recipient)).toBe(type);
  });

  it.each([
    [`group.${internal}`, `Invalid identifier group.${internal}`],
    ["group.much-too-long-for-a-username", "Invalid identifier group.much-too-long-for-a-username"],
    [restGroupId(Buffer.alloc(16).toString("base64")), "Invalid Signal group size (16"],
  ])("%s is a group that is written wrongly", (recipient, message) => {
    expect(() => decideRecipientType(recipient)).toThrow(message);
  });

  it("that is a group has its id in base64 once more", () => {
    expect(internalGroupId(restGroupId(internal))).toBe(internal);
    expect(() => internalGroupId("group.%")).toThrow("Invalid group id");
  });

  it.skipIf(!vectors)("is read as it was seen to be (skipped without ../shared/fixtures/signal)", () => {
    const seen = readFileSync(vectors!, "utf8").trim().split("\n");
    expect(seen.length).toBeGreaterThan(10);
    for (const line of seen) {
      const vector = JSON.parse(line) as Record<string, string>;
      if (vector["internal"]) expect(restGroupId(vector["internal"])).toBe(vector["rest"]);
      else if (vector["error"]) expect(() => decideRecipientType(vector["recipient"]!)).toThrow(vector["error"]);
      else
        expect([vector["recipient"], decideRecipientType(vector["recipient"]!)]).toEqual([
          vector["recipient"],
          vector["type"],
        ]);
    }
  });
});
