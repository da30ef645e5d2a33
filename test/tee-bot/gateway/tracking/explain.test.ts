import { describe, expect, it } from "vitest";
import { explain } from "../../../../tee-bot/gateway/tracking/explain.ts";
import { attemptRecord, requestRecord } from "../../support/tracked-call.ts";

describe("the explanation of a request", () => {
  it("says why this provider, and who was not asked", () => {
    expect(explain(requestRecord("req_1"))).toEqual([
      "ollama was asked for m (local, loaded, 2 outstanding): answered, its first byte after 20 ms, 30 ms in all.",
      "near was passed over: privacy rule local.",
      "It was answered with 200 after 31 ms. It used 12 + 3 tokens.",
    ]);
  });

  it("tells each attempt, what was decided after it, and who failed", () => {
    const failed = { firstByteMs: undefined, status: 503, outcome: "status 503", endedMs: 5 };
    const record = requestRecord("req_1", {
      queuedMs: 1_200,
      status: 502,
      error: "upstream_unreachable",
      failed: "upstream",
      tokens: undefined,
      attempts: [
        attemptRecord({ ...failed, decided: "retry after 300 ms" }),
        attemptRecord({ ...failed, decided: "next provider" }),
        attemptRecord({
          ...failed,
          provider: "near",
          status: undefined,
          outcome: "connection refused",
          decided: "given up",
        }),
      ],
      route: {
        candidates: [
          { provider: "ollama", model: "m", reason: "local" },
          { provider: "near", model: "m", reason: "cloud" },
          { provider: "other", model: "n", reason: "cloud, slow" },
        ],
        passedOver: [],
      },
    });
    expect(explain(record)).toEqual([
      "It waited 1200 ms for its turn.",
      "ollama was asked for m (local): status 503, 4.0 ms in all; then: retry after 300 ms.",
      "ollama was asked for m again: status 503, 4.0 ms in all; then: next provider.",
      "near was asked for m (cloud): connection refused, 4.0 ms in all; then: given up.",
      "other would have been asked next, for n: cloud, slow.",
      "It was answered with 502 after 31 ms; the provider failed (upstream_unreachable).",
    ]);
  });

  it.each([
    ["pass", "The model's TEE has signed this answer: Why."],
    ["fail", "No TEE of the model has signed this answer: Why."],
    ["skip", "Nothing shows whether a TEE made this answer: Why."],
  ] as const)("says what the answer's signature has shown: %s", (outcome, sentence) => {
    const answer = { id: "answer-signature", outcome, detail: "Why." } as const;
    const proof = { provider: "near", model: "m", evidence: [], answer, session: undefined };
    expect(explain(requestRecord("req_1", { proof })).at(-1)).toBe(sentence);
  });

  it("says that the client left, and that nobody was asked", () => {
    const left = requestRecord("req_1", {
      status: 499,
      error: "client_closed_request",
      failed: "client",
      tokens: { prompt: 1, completion: 2, estimated: true },
      attempts: [],
    });
    expect(explain(left)).toEqual([
      "Nobody was asked.",
      "ollama would have been asked next, for m: local, loaded, 2 outstanding.",
      "near was passed over: privacy rule local.",
      "The client left after 31 ms; the client failed (client_closed_request). It used 1 + 2 tokens, by our estimate.",
    ]);
    const busy = requestRecord("req_2", { status: 503, error: "overloaded", failed: "gateway", attempts: [] });
    expect(explain(busy)[0]).toBe("Nobody was asked: overloaded.");
  });
});
