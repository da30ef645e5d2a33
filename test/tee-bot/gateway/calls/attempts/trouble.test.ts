import { describe, expect, it } from "vitest";
import type { EndpointName } from "../../../../../tee-bot/gateway/api/endpoints.ts";
import { judgeFailure, type Trouble } from "../../../../../tee-bot/gateway/calls/attempts/trouble.ts";

const now = Date.parse("2026-11-21T12:00:00Z");

function judge(
  status: number,
  error: unknown = {},
  headers: Record<string, string> = {},
  endpoint: EndpointName = "chat",
): Trouble {
  const body = Buffer.from(typeof error === "string" ? error : JSON.stringify({ error }));
  return judgeFailure({ kind: "refused", answer: { status, headers, body } }, endpoint, now);
}

describe("a failure", () => {
  it.each([408, 425, 500, 502, 503, 504, 529])("with status %i may be gone in a moment", (status) => {
    expect(judge(status).kind).toBe("transient");
    expect(judge(status, "<html>").kind).toBe("transient");
  });

  it.each([400, 409, 413, 422])("with status %i is the client's", (status) => {
    expect(judge(status, { code: "content_policy_violation" }).kind).toBe("client-fault");
  });

  it.each([401, 402, 403])("with status %i is about this gateway's key", (status) => {
    expect(judge(status).kind).toBe("key-refused");
  });

  it("with an empty account is about the key too, not about the rate", () => {
    expect(judge(429, { code: "insufficient_quota" }).kind).toBe("key-refused");
  });

  it.each([
    [{ "retry-after": "2" }, 2_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Sat, 21 Nov 2026 12:00:07 GMT" }, 7_000],
    [{ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after-ms": "120", "retry-after": "1" }, 120],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("of too many requests says when to come back: %j", (headers, retryAfterMs) => {
    expect(judge(429, {}, headers as Record<string, string>)).toEqual({ kind: "limited", retryAfterMs });
  });

  it.each([
    [400, { code: "context_length_exceeded" }],
    [400, { type: "exceed_context_size_error" }],
    [400, { message: "This model's maximum context length is 4096 tokens." }],
    [502, { code: "context_length_exceeded" }],
  ])("for want of room is known by its words: %i %j", (status, error) => {
    expect(judge(status, error).kind).toBe("too-long");
  });

  it("with status 404 is a model that is not there", () => {
    expect(judge(404, { code: "model_not_found", message: "The model x does not exist" }).kind).toBe("absent");
    expect(judge(404, "404 page not found").kind).toBe("absent");
  });

  it.each([
    [404, "404 page not found"],
    [404, '{"detail":"Not Found"}'],
    [404, { message: "Not Found", code: 404 }],
    [405, ""],
    [501, {}],
    [502, '{"error":"Unexpected endpoint or method. (POST /v1/responses)"}'],
  ])("at /v1/responses of a provider without it is told from others: %i %j", (status, error) => {
    expect(judge(status, error, {}, "responses").kind).toBe("unsupported");
  });

  it("at /v1/responses for want of a model or an earlier response is none of the endpoint", () => {
    expect(judge(404, { code: "model_not_found" }, {}, "responses").kind).toBe("absent");
    expect(judge(404, { message: "model 'x' not found" }, {}, "responses").kind).toBe("absent");
    expect(judge(404, { code: "previous_response_not_found" }, {}, "responses").kind).toBe("absent");
  });

  it("without an answer is transient, or silent", () => {
    expect(judgeFailure({ kind: "unreachable", reason: "" }, "chat", now)).toEqual({ kind: "transient" });
    expect(judgeFailure({ kind: "broken", reason: "" }, "chat", now)).toEqual({ kind: "transient" });
    expect(judgeFailure({ kind: "silent", reason: "" }, "chat", now)).toEqual({ kind: "silent" });
  });
});
