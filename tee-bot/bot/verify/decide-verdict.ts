/** What both layers come to together. Rules only. */
import type { ModelLook } from "./look-at-model.ts";
import type { NodeLook } from "./look-at-node.ts";

/**
 * `verified`: both are TEEs. `partly`: the bot is, and nobody claims it of the model. `outside`: the bot is in no TEE.
 * `refused`: the evidence of one is bad. `unknown`: that of one could not be looked at. `simulated`: a simulator has signed,
 * which proves nothing.
 */
export type BotVerdict = "verified" | "partly" | "outside" | "refused" | "unknown" | "simulated";

/** The worst of both; what is not known never passes. */
export function decideBotVerdict(node: NodeLook, model: ModelLook): BotVerdict {
  if (node.kind === "outside") return "outside";
  const { verdict } = node.report;
  const { place } = model.shown;
  const ofModel = model.report?.verdict;
  if (verdict === "refused" || ofModel === "refused") return "refused";
  if (verdict === "unknown" || ofModel === "unknown" || place === "unseen" || place === "none") return "unknown";
  if (verdict === "simulated" || ofModel === "simulated") return "simulated";
  return place === "plain" ? "partly" : "verified";
}
