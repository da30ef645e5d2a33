import { ApiError } from "../api/api-error.ts";
import { findNearNames } from "./near-names.ts";
import { isUnverified, whyForbidden, type Obstacle, type Policy } from "./obstacle.ts";
import type { Offers } from "./offers.ts";
import type { RouteQuestion } from "./route.ts";

/** An offer that was passed over, and why. */
export interface Passed extends Obstacle {
  readonly provider: string;
}

const maxShown = 100;

/** What to tell the client when nobody has the model by this name. */
export function refuseUnknown({ model }: RouteQuestion, offers: Offers, policy: Policy): ApiError {
  const owner = offers.views.find(({ provider }) => model.startsWith(`${provider.id}/`));
  if (owner && owner.standing.state !== "up" && owner.models.length === 0)
    return new ApiError("no_provider", `The provider ${owner.provider.id} is ${owner.standing.state}.`, {
      param: "model",
      retryAfterMs: 2_000,
    });
  const near = findNearNames(model, visibleNames(offers, policy)).map((name) => `"${name}"`);
  const hint = near.length > 0 ? `Did you mean ${near.join(", ")}? ` : "";
  return new ApiError(
    "model_not_found",
    `No provider of this node has a model "${model.slice(0, maxShown)}". ${hint}GET /v1/models lists what there is.`,
    { param: "model" },
  );
}

/** Of models that could be called. */
function visibleNames({ views }: Offers, policy: Policy): Set<string> {
  const names = new Set<string>();
  for (const { provider, standing, models } of views) {
    if (standing.state !== "up") continue;
    for (const model of models) {
      const { id, location = provider.location, trust = provider.trust, withheld } = model;
      const isFree = withheld === undefined && !isUnverified({ model, trust }, policy);
      if (isFree && whyForbidden({ location, trust }, policy) === undefined) names.add(id);
    }
  }
  return names;
}

/** What to tell the client when all who have the model were passed over. What helps by waiting is said first. */
export function refusePassed(
  { model, endpoint, privacy: asked }: RouteQuestion,
  passed: readonly Passed[],
  { privacy, strategy }: Policy,
) {
  const name = `"${model.slice(0, maxShown)}"`;
  const of = (kind: Obstacle["kind"]): Passed[] => passed.filter((one) => one.kind === kind);
  const told = (some: readonly Passed[]): string =>
    some.map(({ provider, reason }) => `${provider} (${reason})`).join(", ");

  const resting = of("rest");
  if (resting.length > 0)
    return new ApiError("no_provider", `Nobody who has ${name} can answer now: ${told(resting)}. Try again soon.`, {
      param: "model",
      retryAfterMs: Math.min(...resting.map(({ retryInMs = 0 }) => retryInMs)),
    });
  const bad = of("evidence");
  if (bad.length > 0)
    return new ApiError(
      "evidence_rejected",
      `Who has ${name} has not shown that it runs in a TEE: ${told(bad)}. Choose another model.`,
      { param: "model" },
    );
  const forbidden = of("policy");
  if (forbidden.length > 0)
    return new ApiError(
      "privacy_rule",
      asked === privacy
        ? `Only ${told(forbidden)} would have ${name}, which X-Postern-Privacy: ${asked} does not allow. Choose another model.`
        : `Only ${told(forbidden)} would have ${name}, and this node's settings (privacy: ${privacy}, strategy: ${strategy}) ` +
            "do not allow it. Choose another model, or ask the node's owner.",
      { param: "model" },
    );
  const elsewhere = of("target");
  if (elsewhere.length > 0)
    return new ApiError(
      "model_not_found",
      `X-Target-Node asks for models of this node itself, and ${name} is at ${told(elsewhere)}.`,
      { param: "model" },
    );
  return new ApiError("not_supported", `The model ${name} is not for ${endpoint}: ${told(of("endpoint"))}.`, {
    param: "model",
  });
}
