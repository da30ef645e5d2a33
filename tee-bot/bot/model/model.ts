/** Who answers people: the node's own gateway, so whatever provider it leads to. */
import type { Sensitive } from "../../../shared/sensitive.ts";

/** A message of OpenAI's chat completions, where what a person says may have images. */
export interface ModelMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string | readonly ModelPart[];
}

export type ModelPart =
  | { readonly type: "text"; readonly text: string }
  /** A `data:` URL. */
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } };

export interface ModelQuestion {
  readonly messages: readonly ModelMessage[];
  /** Undefined: the one of the settings, else the first that the gateway offers. */
  readonly model: string | undefined;
  readonly signal: AbortSignal;
  /** Told of the text so far, as it comes. */
  readonly onText?: ((soFar: Sensitive<string>) => void) | undefined;
}

export interface ModelAnswer {
  readonly text: Sensitive<string>;
  /** As the gateway names it. */
  readonly model: string;
  readonly provider: string | undefined;
  /** What was known of its TEE when it was asked; undefined: none is claimed. */
  readonly attestation: string | undefined;
  /** Of the call, in the gateway's traces. */
  readonly requestId: string | undefined;
  /** It was cut by the limit of tokens or of time. */
  readonly isCut: boolean;
}

export interface OfferedModel {
  readonly id: string;
  readonly provider: string;
  /** Other names that may be said for it. */
  readonly synonyms: readonly string[];
  /** Who may read what it is asked: the node's own user, a TEE, or whoever runs it. */
  readonly trust: "local" | "attested" | "plain";
  /** How much is behind `attested`: `claimed`, `simulated` or `verified`. */
  readonly attestation: string | undefined;
  /** Undefined: unknown. */
  readonly hasVision: boolean | undefined;
  /** A toy that has learnt a few sentences by heart. */
  readonly isDemo: boolean;
}

export interface Model {
  /** Throws {@link ModelError}, or the signal's reason. */
  ask(question: ModelQuestion): Promise<ModelAnswer>;
  /** Throws {@link ModelError}. Spends no tokens. */
  list(signal: AbortSignal): Promise<OfferedModel[]>;
}
