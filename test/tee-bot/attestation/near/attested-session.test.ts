import { describe, expect, it } from "vitest";
import { attestedSession, type SessionFacts } from "../../../../tee-bot/attestation/near/attested-session.ts";
import { SessionStore } from "../../../../tee-bot/attestation/near/sessions.ts";

/** The facts of the published vector of `aci/1` (private-ai-gateway, spec/test-vectors.md §3). */
const facts: SessionFacts = {
  upstreamName: "demo-upstream",
  verifierId: "example/1",
  endpoint: "https://upstream.example.com",
  channelBinding: [{ origin: "https://upstream.example.com", spkiSha256: "d1".repeat(32) }],
  asserted: { tee_attested: "example quote verified" },
  extra: { gpu_arch: "HOPPER", tcb_status: "UpToDate" },
  establishedAt: 1_750_000_000,
  expiresAt: 1_750_003_600,
  evidence: { mediaType: "text/plain", bytes: Buffer.from("example-evidence") },
};

describe("an attested session", () => {
  it("has the id that the published vector has", () => {
    expect(attestedSession(facts).id).toBe("95ad1cb4dd25445808c2e9d116caf420b05703730b506395e8fc1ca6faeae28f");
  });

  it("has another id with any other fact", () => {
    const { id } = attestedSession(facts);
    expect(attestedSession({ ...facts, expiresAt: facts.expiresAt + 1 }).id).not.toBe(id);
    expect(attestedSession({ ...facts, asserted: {} }).id).not.toBe(id);
    const evidence = { ...facts.evidence, bytes: Buffer.from("example-evidencf") };
    expect(attestedSession({ ...facts, evidence }).id).not.toBe(id);
  });
});

describe("the sessions of a node", () => {
  it("are found by their id and as the newest of a model, and the oldest are forgotten", () => {
    const store = new SessionStore();
    const sessions = Array.from({ length: 70 }, (_, at) => attestedSession({ ...facts, establishedAt: at }));
    for (const session of sessions) store.add("near", "m", session);
    expect(store.newest("near", "m")).toBe(sessions.at(-1));
    expect(store.get(sessions.at(-64)!.id)).toBe(sessions.at(-64));
    expect(store.get(sessions.at(-65)!.id)).toBeUndefined();
    expect(store.newest("near", "other")).toBeUndefined();
    expect(store.newest("other", "m")).toBeUndefined();
  });
});
