import { describe, expect, it } from "vitest";
import type { Verdict } from "../../../../shared/attestation/check.ts";
import { formatAnswer } from "../../../../tee-bot/bot/format/format.ts";
import type { ModelReport } from "../../../../tee-bot/attestation/near/model-report.ts";
import { decideBotVerdict, type BotVerdict } from "../../../../tee-bot/bot/verify/decide-verdict.ts";
import type { ModelLook } from "../../../../tee-bot/bot/verify/look-at-model.ts";
import type { NodeLook } from "../../../../tee-bot/bot/verify/look-at-node.ts";
import { renderVerdict } from "../../../../tee-bot/bot/verify/render-verdict.ts";
import { someKeyset } from "../../attestation/client/support/evidence.ts";

const now = 1_800_000_000_000;
const measured = { composeHash: "ab".repeat(32) } as unknown as NonNullable<
  Extract<NodeLook, { kind: "seen" }>["report"]["measured"]
>;
const half = "123456789012345678901234567890";

const node = (verdict: Verdict, reason = "It is so."): NodeLook => ({
  kind: "seen",
  where: "alice.nodes.example",
  report: { verdict, reason, measured },
  keyset: someKeyset({ signal_identity: `05${"ab".repeat(32)}`, signal_safety_number: half }),
  prove: undefined,
});
const outside: NodeLook = { kind: "outside", reason: "There is no guest agent." };

const named = { name: "a/model_with_underscores", provider: "near" };
const attested = (verdict: Verdict): ModelLook => ({
  shown: {
    place: "attested",
    ...named,
    record: { model: "m", recorded_at: 0, nonce: "", report: {}, collateral: [] },
  },
  report: {
    model: "m",
    at: now - 5_000,
    verdict,
    checks: [{ id: "model-quote", outcome: verdict === "refused" ? "fail" : "skip", detail: "As was seen." }],
  } as unknown as ModelReport,
});
const at = (place: "here" | "plain"): ModelLook => ({ shown: { place, ...named }, report: undefined });
const unseen: ModelLook = { shown: { place: "unseen", ...named, problem: "Nobody answers." }, report: undefined };
const none: ModelLook = { shown: { place: "none" }, report: undefined };

const render = (nodeLook: NodeLook, model: ModelLook): string =>
  renderVerdict({
    verdict: decideBotVerdict(nodeLook, model),
    node: nodeLook,
    model,
    nonce: "cd".repeat(32),
    hasWords: false,
    file: nodeLook.kind === "outside" ? undefined : "postern-proof-cdcdcdcd.json",
    lookedAt: now - 2_000,
    now,
  });

const cases: [NodeLook, ModelLook, BotVerdict][] = [
  [node("verified"), attested("verified"), "verified"],
  [node("verified"), at("here"), "verified"],
  [node("verified"), at("plain"), "partly"],
  [node("verified"), attested("refused"), "refused"],
  [node("verified"), attested("unknown"), "unknown"],
  [node("verified"), unseen, "unknown"],
  [node("verified"), none, "unknown"],
  [node("refused"), attested("verified"), "refused"],
  [node("unknown"), attested("verified"), "unknown"],
  [node("unknown"), attested("refused"), "refused"],
  [node("simulated"), attested("verified"), "simulated"],
  [node("verified"), attested("simulated"), "simulated"],
  [node("simulated"), unseen, "unknown"],
  [outside, attested("verified"), "outside"],
  [outside, at("here"), "outside"],
];

describe("the verdict of !verify", () => {
  it.each(cases)("is the worst of both layers (%#)", (one, model, verdict) => {
    expect(decideBotVerdict(one, model)).toBe(verdict);
  });

  it.each(cases)("is told in at most eight lines, as a person sees them (%#)", (one, model) => {
    const [piece, more] = formatAnswer(render(one, model), { maxUnits: 4_000, maxBytes: 65_536 });
    expect(more).toBeUndefined();
    expect(piece?.plain.split("\n").length).toBeLessThanOrEqual(8);
  });

  it("is good in no word where it is not", () => {
    for (const [one, model, verdict] of cases) {
      const text = render(one, model);
      expect(text.startsWith("**VERIFIED.**")).toBe(verdict === "verified");
      if (verdict === "simulated") expect(text).toContain("PROVES NOTHING");
    }
  });

  it("has the code, the model, the nonce, the safety number's half and the command", () => {
    const text = render(node("verified"), attested("verified"));
    expect(text).toContain("code `abababab…abababab`");
    expect(text).toContain(
      "`a/model_with_underscores` at near runs in TEEs, and so does the gateway before it; looked at 5 s ago",
    );
    expect(text).toContain("nonce `cdcdcdcd…cdcdcdcd`");
    expect(text).toContain("`12345 67890 12345 67890 12345 67890`");
    expect(text).toContain("`postern verify postern-proof-cdcdcdcd.json`");
  });

  it("says of bad evidence why, and nothing that rests on it", () => {
    const text = render(node("refused", "Somebody *is* `in` [between](https://evil.example)."), at("here"));
    expect(text).toContain("Bot: Somebody is in between (https://evil.example).");
    expect(text).not.toContain("Signal:");
    expect(text).not.toContain("code `");
  });
});
