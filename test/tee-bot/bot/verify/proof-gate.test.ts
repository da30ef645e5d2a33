import { describe, expect, it } from "vitest";
import { decideChat, type GateFacts } from "../../../../tee-bot/bot/verify/proof-gate.ts";

const good: GateFacts = {
  isRequired: true,
  tee: "dstack",
  standing: { state: "good", spkiSha256: "ab", at: 1 },
};
const bad = { state: "bad", trouble: { detail: "secret detail", remedy: "" }, at: 1 } as const;

describe("the gate before the model", () => {
  it("lets chat where no proof is required, whatever the evidence", () => {
    expect(decideChat({ isRequired: false, tee: "none", standing: bad })).toEqual({ ok: true });
  });

  it("lets chat while the node's own evidence is good, in a simulator too", () => {
    expect(decideChat(good)).toEqual({ ok: true });
    expect(decideChat({ ...good, tee: "simulated" })).toEqual({ ok: true });
  });

  it.each([
    ["there is no TEE", { ...good, tee: "none" }, "it runs in none"],
    ["nobody has looked yet", { ...good, standing: { state: "unknown" } }, "has not been checked yet"],
    ["it is bad", { ...good, standing: bad }, "is not good now"],
  ] as const)("refuses in a sentence of its own where %s", (_, facts, said) => {
    const decided = decideChat(facts);
    expect(decided).toMatchObject({ ok: false, sentence: expect.stringContaining(said) as string });
    expect(JSON.stringify(decided)).not.toContain("secret detail");
  });
});
