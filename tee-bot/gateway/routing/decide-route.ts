import type { EndpointName } from "../api/endpoints.ts";
import type { AnswerObserver, ProviderModel } from "../providers/provider.ts";
import { ApiError } from "../api/api-error.ts";
import { expandAlias, type Aliases } from "./aliases.ts";
import { decideObstacle, type Policy } from "./obstacle.ts";
import type { Offer, Offers, ProviderView } from "./offers.ts";
import { rankOffers } from "./ranking.ts";
import { refusePassed, refuseUnknown, type Passed } from "./refusal.ts";
import { stricterRule, type Candidate, type Route, type RouteQuestion } from "./route.ts";

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
  const having = new Set<ProviderView>();
  const seen = new Set<ProviderModel>(); // an alias may come to one model in two ways
  for (const name of expandAlias(question.model, aliases)) {
    const possible: Offer[] = [];
    for (const offer of offers.find(name)) {
      if (seen.has(offer.model)) continue;
      seen.add(offer.model);
      having.add(offer.view);
      const obstacle = decideObstacle(offer, question, routing, now);
      if (obstacle) passed.push({ ...obstacle, provider: offer.view.provider.id });
      else possible.push(offer);
    }
    for (const offer of rankOffers(possible, strategy, random)) candidates.push(candidateOf(offer, routing));
  }

  if (having.size === 0) throw refuseUnknown(question, offers, routing);
  if (candidates.length === 0) throw refusePassed(question, passed, routing);
  const lacking = offers.views.filter((view) => !having.has(view));
  return {
    candidates,
    passedOver: [
      ...passed.map(({ provider, reason }) => ({ provider, reason })),
      ...lacking.map((view) => ({ provider: view.provider.id, reason: lackOf(view) })),
    ],
    whole: aliases.get(question.model)?.whole === true,
  };
}

function checkTarget(target: string, names: readonly string[]): void {
  if (names.includes(target.toLowerCase())) return;
  throw new ApiError(
    "target_not_found",
    "X-Target-Node names a node that this one does not know. Leave it out, or give this node's own id or alias.",
  );
}

function candidateOf({ view, model, name, location, trust }: Offer, { privacy }: Policy): Candidate {
  const { provider, attempts, standing } = view;
  const { outstanding, firstByteMs } = attempts;
  const loaded = model.loaded === undefined ? "" : model.loaded ? ", loaded" : ", not loaded";
  const speed = firstByteMs === undefined ? "" : `, first byte after ${Math.round(firstByteMs)} ms`;
  const gone = standing.state === "up" ? "" : ", asleep since a moment ago";
  const isByTee = trust === "attested";
  const wantsTee = isByTee && (privacy === "local-or-attested" || privacy === "local-or-verified");
  const { attestor } = provider;
  const observe = (endpoint: EndpointName): AnswerObserver => attestor!.observe(name, endpoint);
  return {
    provider,
    model: name,
    contextLength: model.contextLength,
    reason: `${location}${loaded}, ${outstanding} outstanding${speed}${gone}`,
    ...(wantsTee && { checkAnswer: (headers) => provider.checkAttested?.(headers, model.attestation) }),
    ...(isByTee && attestor && { observe, holdsAnswers: attestor.holdsAnswers }),
    ...(isByTee && { attestation: model.attestation }),
    admit: () => attempts.admit(),
  };
}

function lackOf({ standing, models }: ProviderView): string {
  if (standing.state === "up" || models.length > 0) return "does not have it";
  return standing.state === "asleep" ? "asleep" : `${standing.state}: ${standing.reason ?? ""}`;
}
