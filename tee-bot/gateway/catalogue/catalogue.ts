/**
 * What `GET /v1/models` tells: every model that a call may name now, in OpenAI's form, and below `postern` what that has no
 * words for. Made of what was seen last; nobody is asked.
 */
import type { Check } from "../../../shared/attestation/check.ts";
import type { ModelEvidence, ProviderModel } from "../providers/provider.ts";
import { expandAlias, type Aliases } from "../routing/aliases.ts";
import { isUnverified, whyForbidden, type Policy } from "../routing/obstacle.ts";
import type { Offer, Offers } from "../routing/offers.ts";

/** https://platform.openai.com/docs/api-reference/models/object */
export interface CatalogueEntry {
  readonly id: string;
  readonly object: "model";
  /** Unix seconds; 0: unknown. */
  readonly created: number;
  readonly owned_by: string;
  readonly postern: ModelFacts & {
    /** Other names that a call may use for it: the provider's own, and this node's aliases. */
    readonly synonyms?: readonly string[];
    readonly aliases?: readonly string[];
    /** Of an alias: what it stands for, in the order in which it is tried. */
    readonly alias_for?: readonly string[];
    readonly delivery?: "whole";
    /** Who else has it. */
    readonly also_at?: readonly ModelFacts[];
  };
}

/** One model at one provider. */
export interface ModelFacts {
  readonly provider: string;
  readonly location: Offer["location"];
  readonly trust: Offer["trust"];
  readonly attestation?: ProviderModel["attestation"];
  /** What was looked at of its evidence, and what was seen. */
  readonly evidence?: { readonly checked_at: string; readonly session_id?: string; readonly checks: readonly Check[] };
  /** `resting`: it has failed, and is left alone for some seconds. */
  readonly state: "up" | "resting";
  readonly loaded?: boolean;
  readonly context_length?: number;
  readonly max_context_length?: number;
  readonly size?: number;
  readonly quantization?: string;
  readonly family?: string;
  /** Whether it takes images; left out: unknown. */
  readonly vision?: boolean;
  readonly endpoints?: readonly string[];
  readonly description?: string;
  /** A toy that has learnt a few sentences by heart. */
  readonly demo?: boolean;
}

/** Sorted by id; models of providers that are not up, and those that the settings forbid, are left out. */
export function listCatalogue(offers: Offers, aliases: Aliases, policy: Policy): CatalogueEntry[] {
  const byId = new Map<string, Offer[]>();
  for (const view of offers.views) {
    for (const { id } of view.models) {
      const here = offers.find(id).find((offer) => offer.view === view);
      if (here && isOffered(here, policy)) byId.set(id, [...(byId.get(id) ?? []), here]);
    }
  }
  const entries = new Map([...byId].map(([id, having]) => [id, entryOf(id, having, aliasesOf(id, aliases))]));
  for (const [name, { whole }] of aliases) {
    const models = expandAlias(name, aliases);
    const having = models.flatMap((model) => offers.find(model).filter((offer) => isOffered(offer, policy)));
    const [first] = having;
    if (first) entries.set(name, entryOfAlias(name, models, first, whole));
    else entries.delete(name); // the name leads nowhere now, whatever else has it
  }
  return [...entries.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The entry of a model by any name that a call may use. */
export function findEntry(
  name: string,
  entries: readonly CatalogueEntry[],
  offers: Offers,
): CatalogueEntry | undefined {
  const ids = new Set([name, ...offers.find(name).map(({ model }) => model.id)]);
  return entries.find(({ id }) => id === name) ?? entries.find(({ id }) => ids.has(id));
}

function isOffered(offer: Offer, policy: Policy): boolean {
  const isFree = offer.model.withheld === undefined && !isUnverified(offer, policy);
  return isFree && offer.view.standing.state === "up" && whyForbidden(offer, policy) === undefined;
}

function aliasesOf(id: string, aliases: Aliases): string[] {
  return [...aliases.keys()].filter((name) => name !== id && expandAlias(name, aliases).includes(id)).toSorted();
}

function entryOf(id: string, having: readonly Offer[], aliases: readonly string[]): CatalogueEntry {
  const ordered = having.toSorted((a, b) => Number(b.location === "local") - Number(a.location === "local"));
  const [best, ...others] = ordered as [Offer, ...Offer[]];
  const synonyms = best.model.synonyms ?? [];
  return {
    id,
    object: "model",
    created: best.model.created ?? 0,
    owned_by: best.model.ownedBy ?? best.view.provider.id,
    postern: {
      ...factsOf(best),
      ...(synonyms.length > 0 && { synonyms }),
      ...(aliases.length > 0 && { aliases }),
      ...(others.length > 0 && { also_at: others.map(factsOf) }),
    },
  };
}

function entryOfAlias(name: string, models: readonly string[], first: Offer, whole: boolean): CatalogueEntry {
  return {
    id: name,
    object: "model",
    created: first.model.created ?? 0,
    owned_by: "postern",
    postern: { ...factsOf(first), alias_for: models, ...(whole && { delivery: "whole" }) },
  };
}

function factsOf({ view, model, location, trust }: Offer): ModelFacts {
  const { attestation, loaded, contextLength, maxContextLength, size, quantization, family } = model;
  const { vision, endpoints, description, demo, evidence } = model;
  return {
    provider: view.provider.id,
    location,
    trust,
    ...(attestation && trust === "attested" && { attestation }),
    ...(evidence && { evidence: shownEvidence(evidence) }),
    state: view.attempts.breaker.state === "closed" ? "up" : "resting",
    ...(loaded !== undefined && { loaded }),
    ...(contextLength !== undefined && { context_length: contextLength }),
    ...(maxContextLength !== undefined && { max_context_length: maxContextLength }),
    ...(size !== undefined && { size }),
    ...(quantization !== undefined && { quantization }),
    ...(family !== undefined && { family }),
    ...(vision !== undefined && { vision }),
    ...(endpoints && { endpoints }),
    ...(description !== undefined && { description }),
    ...(demo === true && { demo }),
  };
}

function shownEvidence({ checkedAt, checks, session }: ModelEvidence): NonNullable<ModelFacts["evidence"]> {
  return {
    checked_at: new Date(checkedAt).toISOString(),
    ...(session !== undefined && { session_id: session }),
    checks,
  };
}
