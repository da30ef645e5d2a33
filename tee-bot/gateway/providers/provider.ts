import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { Check } from "../../../shared/attestation/check.ts";
import type { ModelRecord } from "../../attestation/near/model-record.ts";
import type { ModelReport } from "../../attestation/near/model-report.ts";
import type { EndpointName } from "../api/endpoints.ts";

export const providerKinds = ["embedded", "ollama", "lm-studio", "openai", "near-ai"] as const;
export type ProviderKind = (typeof providerKinds)[number];

/** Where a provider's machine is, as `GET /v1/models` tells it. */
export type Location = "local" | "cloud" | "peer";

/** Who may read a prompt there: the node's own user only, a TEE that was attested, or whoever runs it. */
export type Trust = "local" | "attested" | "plain";

/**
 * Something that answers calls of the API. All of them are reached over HTTP, whatever carries it: a dispatcher may
 * lead to a socket of the embedded engine, to another machine, and later over a peer's carrier.
 */
export interface Provider extends AsyncDisposable {
  /** Unique in this node: `ollama`, or the id of the configuration. */
  readonly id: string;
  readonly kind: ProviderKind;
  readonly location: Location;
  readonly trust: Trust;
  readonly upstream: Upstream;
  /** Says nothing about reachability of others; throws {@link ProviderError}. At most `listTimeoutMs`. */
  fetchModels(signal: AbortSignal): Promise<readonly ProviderModel[]>;
  /**
   * Why the head of an answer shows that no TEE gave it, or not the one whose evidence was verified, for those who asked
   * for one; undefined: it may have been.
   */
  readonly checkAttested?: (headers: IncomingHttpHeaders, attestation: Attestation | undefined) => string | undefined;
  /** Looks at the evidence of its models; undefined: nobody does. */
  readonly attestor?: Attestor;
}

/** How much is behind the trust `attested`. `claimed`: the provider says so; `simulated`: under a simulator's root. */
export type Attestation = "claimed" | "simulated" | "verified";

/** Looks at the evidence of a provider's models, for as long as the provider is in use, and at what they answer. */
export interface Attestor {
  /** Nothing of an answer reaches the client before it is proved. */
  readonly holdsAnswers: boolean;
  /** Looks at these models from now on; `onChange`: a model is to be judged anew. */
  follow(models: readonly ProviderModel[], onChange: () => void): void;
  /** The model with what is known of its evidence. */
  judge(model: ProviderModel): ProviderModel;
  /** `endpoint`: of this gateway. */
  observe(model: string, endpoint: EndpointName): AnswerObserver;
  /** Looks at one model now, with the nonce of somebody who asks, whatever is held of it. Throws when it cannot be seen. */
  examine(model: string, nonce: Uint8Array, signal: AbortSignal): Promise<ExaminedModel>;
}

export interface ExaminedModel {
  readonly report: ModelReport;
  readonly record: ModelRecord;
}

/** Is told of one answer as it passes. */
export interface AnswerObserver {
  sent(body: Uint8Array): void;
  began(headers: IncomingHttpHeaders): void;
  received(piece: Uint8Array): void;
  /** The answer is complete. Never rejects. */
  prove(): Promise<AnswerProof>;
}

/** What is known of where an answer was made. */
export interface AnswerProof {
  readonly provider: string;
  readonly model: string;
  /** Of the model's evidence. */
  readonly evidence: readonly Check[];
  readonly answer: Check;
  /** The session in which the model was verified; undefined: it was not. */
  readonly session: string | undefined;
}

/** How a request is put to a provider. */
export interface Upstream {
  readonly dispatcher: Dispatcher;
  /** `http://127.0.0.1:11434`. */
  readonly origin: string;
  /** Without a slash at its end: `/v1`. */
  readonly basePath: string;
  /** Names and values in turn: credentials, and what this provider wants to be told. Never logged. */
  readonly headers: readonly string[];
}

export interface ProviderModel {
  /** The provider's own name of it. */
  readonly id: string;
  /** Other names that the provider takes for it. */
  readonly synonyms?: readonly string[];
  /** Undefined: unknown, so anything is tried. */
  readonly endpoints?: readonly EndpointName[];
  /** In memory now, so that its first token comes soon. */
  readonly loaded?: boolean;
  /** In tokens, as it runs; unknown while it is not loaded, where that is decided only then. */
  readonly contextLength?: number;
  /** In tokens, the most that it could be run with. */
  readonly maxContextLength?: number;
  /** Unix seconds. */
  readonly created?: number;
  readonly ownedBy?: string;
  /** Bytes of its weights. */
  readonly size?: number;
  readonly quantization?: string;
  readonly family?: string;
  /** It takes images; undefined: unknown, so they are tried. */
  readonly vision?: boolean;
  /** Of this model alone, where it is another than the provider's. */
  readonly trust?: Trust;
  readonly location?: Location;
  readonly attestation?: Attestation;
  /** What was seen of its evidence last. */
  readonly evidence?: ModelEvidence;
  /** Why it must not be asked, though it is there: its evidence is bad. */
  readonly withheld?: string;
  /** What its makers say it is, in a sentence. */
  readonly description?: string;
  /** A toy that has learnt a few sentences by heart; shown wherever the model is. */
  readonly demo?: boolean;
}

export interface ModelEvidence {
  /** Unix milliseconds. */
  readonly checkedAt: number;
  readonly checks: readonly Check[];
  readonly session: string | undefined;
}

/** Why models could not be listed. A machine that is off is asleep, which is no error. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly kind: "asleep" | "refused-key" | "broken";

  constructor(kind: ProviderError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
