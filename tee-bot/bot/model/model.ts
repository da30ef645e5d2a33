/** Who answers: the node's own gateway, so whatever provider it leads to. */
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
  /** Of the call, in `postern` traces. */
  readonly requestId: string | undefined;
  /** It was cut by the limit of tokens or of time. */
  readonly isCut: boolean;
}

export interface OfferedModel {
  readonly id: string;
  readonly provider: string | undefined;
  /** By what its provider's place was looked at; undefined: nobody claims a TEE. */
  readonly trust: "local" | "attested" | "verified" | undefined;
  readonly hasVision: boolean;
}

/** Why there is no answer, each with a sentence of its own for the person. */
export type ModelTrouble =
  | "rate-limited"
  | "auth"
  | "outage"
  | "timeout"
  | "too-long"
  | "no-model"
  | "privacy"
  | "refused";

export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly trouble: ModelTrouble;
  /** For the person: what happened, and what to do. */
  readonly sentence: string;
  /** Of the call, where there was one. */
  readonly requestId: string | undefined;

  constructor(trouble: ModelTrouble, sentence: string, requestId?: string) {
    super(`${trouble}: the model gave no answer`);
    this.trouble = trouble;
    this.sentence = sentence;
    this.requestId = requestId;
  }
}

export interface Model {
  /** Throws {@link ModelError}, or the signal's reason. */
  ask(question: ModelQuestion): Promise<ModelAnswer>;
  /** Throws {@link ModelError}. Spends no tokens. */
  list(signal: AbortSignal): Promise<OfferedModel[]>;
}
