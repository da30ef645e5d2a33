import type { ProviderModel } from "../providers/provider.ts";
import { ApiError } from "../api/api-error.ts";
import { expandAlias, type Aliases } from "./aliases.ts";
import { decideObstacle, type Policy } from "./obstacle.ts";
import type { Offer, Offers, ProviderView } from "./offers.ts";
import { rankOffers } from "./ranking.ts";
import { refusePassed, refuseUnknown, type Passed } from "./refusal.ts";
import { stricterRule, type Candidate, type PrivacyRule, type Route, type RouteQuestion } from "./route.ts";

export interface Routing extends Policy {
  readonly offers: Offers;
  readonly aliases: Aliases;
  /** What this node is called: its id, its alias, its hostnames; in lower case. */
  readonly names: readonly string[];
  /** Unix milliseconds. */
  readonly now: number;
  readonly random: () => number;
}

/**
 * Who answers a call, the best first, and of everybody else why not. The models that an alias stands for are tried in
 * its order; among the providers of one model the strategy decides. Throws {@link ApiError}, as `Router` says.
 */
export function decideRoute(question: RouteQuestion, settings: Routing): Route {
  const asked = question.privacy;
  const routing = asked ? { ...settings, privacy: stricterRule(asked, settings.privacy) } : settings;
  const { offers, aliases, strategy, random, now } = routing;
  if (question.targetNode !== undefined) checkTarget(question.targetNode, routing.names);

  const candidates: Candidate[] = [];
  const passed: Passed[] = [];
  const having: ProviderView[] = [];
  const seen: ProviderModel[] = []; // an alias may come to one model in two ways
  for (const name of expandAlias(question.model, aliases)) {
    const possible: Offer[] = [];
    for (const offer of offers.find(name)) {
      if (seen.includes(offer.model)) continue;
      seen.push(offer.model);
      having.push(offer.view);
      const obstacle = decideObstacle(offer, question, routing, now);
      if (obstacle) passed.push({ ...obstacle, provider: offer.view.provider.id });
      else possible.push(offer);
    }
    for (const offer of rankOffers(possible, strategy, random)) candidates.push(candidateOf(offer, routing));
  }

  if (having.length === 0) throw refuseUnknown(question, offers, routing);
  if (candidates.length === 0) throw refusePassed(question, passed, routing);
  const passedOver: { provider: string; reason: string }[] = passed.map(({ provider, reason }) => ({
    provider,
    reason,
  }));
  for (const view of offers.views)
    if (!having.includes(view)) passedOver.push({ provider: view.provider.id, reason: lackOf(view) });
  return { candidates, passedOver, whole: aliases.get(question.model)?.whole === true };
}

function checkTarget(target: string, names: readonly string[]): void {
  if (names.includes(target.toLowerCase())) return;
  throw new ApiError(
    "target_not_found",
    "X-Target-Node names a node that this one does not know. Leave it out, or give this node's own id or alias.",
  );
}

function candidateOf(offer: Offer, { privacy }: Policy): Candidate {
  const { view, model, name, location, trust } = offer;
  const { provider, attempts, standing } = view;
  const { outstanding, firstByteMs } = attempts;
  const loaded = model.loaded === undefined ? "" : model.loaded ? ", loaded" : ", not loaded";
  const speed = firstByteMs === undefined ? "" : `, first byte after ${Math.round(firstByteMs)} ms`;
  const gone = standing.state === "up" ? "" : ", asleep since a moment ago";
  const candidate: Candidate = {
    provider,
    model: name,
    contextLength: model.contextLength,
    reason: `${location}${loaded}, ${outstanding} outstanding${speed}${gone}`,
    admit: () => attempts.admit(),
  };
  return trust === "attested" ? { ...candidate, ...checksOf(offer, privacy) } : candidate;
}

/** How it is seen to that a TEE answers, as far as that can be seen and was asked for. */
function checksOf({ view: { provider }, model, name }: Offer, privacy: PrivacyRule): Partial<Candidate> {
  const { attestor } = provider;
  const wantsTee = privacy === "local-or-attested" || privacy === "local-or-verified";
  return {
    ...(wantsTee && { checkAnswer: (headers) => provider.checkAttested?.(headers, model.attestation) }),
    ...(attestor && {
      observe: (endpoint) => attestor.observe(name, endpoint),
      holdsAnswers: attestor.holdsAnswers,
    }),
    attestation: model.attestation,
  };
}

function lackOf({ standing, models }: ProviderView): string {
  if (standing.state === "up" || models.length > 0) return "does not have it";
  return standing.state === "asleep" ? "asleep" : `${standing.state}: ${standing.reason ?? ""}`;
}
