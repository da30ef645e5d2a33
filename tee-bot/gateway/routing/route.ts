import type { IncomingHttpHeaders } from "node:http";
import type { EndpointName } from "../api/endpoints.ts";
import type { AnswerObserver, Attestation, Provider } from "../providers/provider.ts";

export const strategies = ["local-only", "prefer-local", "load-balance"] as const;
export type Strategy = (typeof strategies)[number];

/** From the least strict on: what one of them allows, those before it allow too. */
export const privacyRules = ["any", "local-or-attested", "local-or-verified", "local"] as const;
export type PrivacyRule = (typeof privacyRules)[number];

/** What the router needs to know of a call. */
export interface RouteQuestion {
  readonly model: string;
  readonly endpoint: EndpointName;
  readonly targetNode: string | undefined;
  /** The call itself asks for this rule; of it and that of the settings the stricter one holds. */
  readonly privacy?: PrivacyRule | undefined;
}

export function stricterRule(one: PrivacyRule, other: PrivacyRule): PrivacyRule {
  return privacyRules.indexOf(one) >= privacyRules.indexOf(other) ? one : other;
}

/** Who may answer, the best first; and of everybody else why not, for the trace. */
export interface Route {
  readonly candidates: readonly Candidate[];
  readonly passedOver: readonly { readonly provider: string; readonly reason: string }[];
  /** The alias that was asked for wants answers held until they are complete (`delivery: whole`). */
  readonly whole?: boolean;
}

/** One provider and its name of the model. */
export interface Candidate {
  readonly provider: Provider;
  readonly model: string;
  /** In tokens; undefined: unknown. */
  readonly contextLength: number | undefined;
  /** Why it is at this place, for the trace: `local, loaded, 2 outstanding`. */
  readonly reason: string;
  /**
   * Looks at the head of an answer before anything of it is passed on: why it must not be, or undefined. An answer that
   * is refused counts as a failure of the provider.
   */
  readonly checkAnswer?: (headers: IncomingHttpHeaders) => string | undefined;
  /** Follows one answer, to compare it with what the model's TEE has signed. */
  readonly observe?: (endpoint: EndpointName) => AnswerObserver;
  /** Nothing of an answer is passed on before it is proved. */
  readonly holdsAnswers?: boolean;
  /** How much is behind it that a TEE answers; undefined: none is said to. */
  readonly attestation?: Attestation | undefined;
  /** Leave to make one attempt; undefined while the breaker is open, or another probes it. */
  admit(): Permit | undefined;
}

/** One attempt at a provider, whose end its breaker and its load are told. Exactly one of the three is called. */
export interface Permit {
  /** The answer has begun as it should; `firstByteMs` after the attempt began. */
  succeeded(firstByteMs: number): void;
  /** The provider is at fault. `retryAfterMs`: it asked to be left alone for so long. */
  failed(retryAfterMs?: number): void;
  /** It says nothing about the provider: the client left, or its request was wrong. */
  abandoned(): void;
  /** After any of these: nothing of it is under way any more. */
  [Symbol.dispose](): void;
}

/** Throws {@link ApiError}: `model_not_found`, `privacy_rule`, `no_provider`, `target_not_found`, `not_supported`. */
export interface Router {
  route(question: RouteQuestion): Route;
}
