import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { readAnswer, sentSchema } from "../../../../tee-bot/bot/send/answers.ts";
import { decideFailure, SignalFailure, type FailureKind } from "../../../../tee-bot/bot/send/signal-failure.ts";
import { signalFixtures } from "./support/fixtures.ts";

const answer = (status: number, body: unknown) => ({ status, bytes: Buffer.from(JSON.stringify(body)) });
const failureOf = (status: number, body: unknown): SignalFailure => {
  try {
    readAnswer(answer(status, body), sentSchema);
  } catch (error) {
    if (error instanceof SignalFailure) return error;
  }
  throw new Error("It did not fail.");
};

it.each<[number, string, FailureKind]>([
  [429, "Failed to send message due to rate limiting.", "rate-limited"],
  [400, "Failed to send message due to untrusted identities", "untrusted"],
  [400, "Unable to complete request due to untrusted recipient keys", "untrusted"],
  [400, "The user +15550000009 is not registered.", "unregistered"],
  [400, "Failed to send message", "network"],
  [400, "Invalid identifier group.AAAA", "refused"],
  [400, "Specified account does not exist", "refused"],
  [400, "read tcp 127.0.0.1:5->127.0.0.1:6001: i/o timeout", "unknown"],
  [400, "EOF", "unknown"],
  [404, "No attachment with that name found", "absent"],
  [404, "", "misplaced"],
  [401, "", "misplaced"],
  [302, "", "misplaced"],
  [413, "", "refused"],
  [500, "anything", "unknown"],
  [502, "", "unknown"],
])("an answer %i «%s» means: %s", (status, text, kind) => {
  expect(decideFailure(status, text)).toBe(kind);
});

it("what a failure says repeats nothing of the answer, which names people", () => {
  const failure = failureOf(400, { error: "The user +15550000009 is not registered." });
  expect(failure.kind).toBe("unregistered");
  expect(`${failure.message} ${failure.stack} ${JSON.stringify(failure)}`).not.toContain("5550000009");
});

it("the token of a challenge is told from the empty one of a plain rate limit, and prints as nothing", () => {
  const limited = failureOf(429, { error: "rate limiting", challenge_tokens: ["26ccfae6-secret"], account: "+1" });
  expect(limited.challenge?.reveal()).toBe("26ccfae6-secret");
  expect(JSON.stringify(limited) + inspect(limited)).not.toContain("26ccfae6");
  expect(failureOf(429, { error: "rate limiting", challenge_tokens: [""] }).challenge).toBeUndefined();
});

describe("an answer to a sent message", () => {
  it.each([
    ["of release 0.100", { timestamp: "1767225600123" }],
    ["of later ones", [{ timestamp: "1767225600123" }]],
    ["with a number", { timestamp: 1_767_225_600_123 }],
    ["with no errors", [{ timestamp: "1767225600123", errors: null }]],
  ])("%s has its timestamp", (_, body) => {
    expect(readAnswer(answer(201, body), sentSchema)).toEqual({ timestamp: 1_767_225_600_123, failures: [] });
  });

  it("names those whom it did not reach", () => {
    const recipients = [{ number: "+1", uuid: "cccccccc-2222-4222-8222-222222222222", reason: "IDENTITY_FAILURE" }];
    const { failures } = readAnswer(answer(201, [{ timestamp: "1", errors: { recipients } }]), sentSchema);
    expect(failures).toEqual([{ person: "cccccccc-2222-4222-8222-222222222222", reason: "IDENTITY_FAILURE" }]);
  });

  it.each([
    [{}],
    [[]],
    [{ timestamp: "soon" }],
    [{ timestamp: "" }],
    [[{ timestamp: "1" }, { timestamp: "2" }]],
    ["OK"],
  ])("that cannot be read leaves it unknown: %j", (body) => {
    expect(failureOf(201, body).kind).toBe("unknown");
  });
});

describe.skipIf(!signalFixtures)("the answers that are known (skipped without ../shared/fixtures/signal)", () => {
  const known: Readonly<Record<string, FailureKind | undefined>> = {
    "ok_0.100_and_older": undefined,
    "ok_master_after_2026-07-23": undefined,
    partial_failure_master: undefined,
    all_untrusted_master: "untrusted",
    "all_untrusted_0.100": "untrusted",
    rate_limited_captcha: "rate-limited",
    rate_limited_plain: "rate-limited",
    mixed_or_other_failure: "network",
    unregistered: "unregistered",
    bad_json: "refused",
    no_recipients: "refused",
    no_number: "refused",
    view_once_without_attachment: "refused",
    group_plus_number: "refused",
    two_groups: "refused",
    group_single_base64: "refused",
    empty_message: "refused",
  };

  it("each have their class", () => {
    const { send } = JSON.parse(readFileSync(join(signalFixtures!, "rest-responses.json"), "utf8")) as {
      send: Record<string, { status: number; body: unknown }>;
    };
    expect(Object.keys(send).toSorted()).toEqual(Object.keys(known).toSorted());
    for (const [name, { status, body }] of Object.entries(send)) {
      const kind = known[name];
      if (kind === undefined) expect(readAnswer(answer(status, body), sentSchema).timestamp).toBe(1_767_225_600_123);
      else expect([name, failureOf(status, body).kind]).toEqual([name, kind]);
    }
  });
});
