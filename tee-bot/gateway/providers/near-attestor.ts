/** Joins what looks at the evidence of NEAR's models with the gateway, which asks what it may tell and do with them. */
import type { IncomingHttpHeaders } from "node:http";
import { failed, skip, type Check } from "../../../shared/attestation/check.ts";
import type { Policy } from "../../../shared/attestation/policy.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { AnswerChecks, signedEndpoints } from "../../attestation/near/answer-checks.ts";
import { ModelWatch } from "../../attestation/near/model-watch.ts";
import type { ModelStanding } from "../../attestation/near/model-standing.ts";
import { recordModel } from "../../attestation/near/model-record.ts";
import { nearSession } from "../../attestation/near/near-session.ts";
import type { CheckPeer } from "../../attestation/near/peer-key.ts";
import type { UpstreamVerification } from "../../attestation/near/upstream-verification.ts";
import { verifyModel } from "../../attestation/near/verify-model.ts";
import { findOtherServer, type OtherServer } from "./near-ai.ts";
import type { AnswerObserver, AnswerProof, Attestor, ExaminedModel, Provider, ProviderModel } from "./provider.ts";

/** ecdsa, as all of NEAR's machines sign; what a signature names is an address, from which the key can be had. */
const algorithm = "ecdsa";

export interface NearAttestorOptions {
  readonly verification: UpstreamVerification;
  readonly provider: Pick<Provider, "id" | "upstream">;
  readonly policy: Policy;
  /** Nothing of an answer reaches the client before it is proved. */
  readonly holdsAnswers: boolean;
  /** Calls go over connections to the attested key only. */
  readonly isPinned: boolean;
  /** Models that cannot show anything are offered as any other. */
  readonly unattested: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export class NearAttestor implements Attestor, AsyncDisposable {
  readonly holdsAnswers: boolean;
  readonly #options: NearAttestorOptions;
  readonly #watch: ModelWatch;
  readonly #answers: AnswerChecks;
  #onChange: (() => void) | undefined;

  constructor(options: NearAttestorOptions) {
    const { provider, verification, policy, clock } = options;
    const { upstream } = provider;
    this.#options = options;
    this.holdsAnswers = options.holdsAnswers;
    this.#watch = new ModelWatch({
      ...options,
      provider: provider.id,
      verify: (model, signal) =>
        verifyModel(model, signal, { ...verification, api: upstream, algorithm, policy, clock }),
      onChange: (model, standing) => this.#changed(model, standing),
    });
    this.#answers = new AnswerChecks({ api: upstream, algorithm, watch: this.#watch, clock });
  }

  follow(models: readonly ProviderModel[], onChange: () => void): void {
    this.#onChange = onChange;
    this.#watch.follow(models.filter(({ attestation }) => attestation !== undefined).map(({ id }) => id));
  }

  judge(model: ProviderModel): ProviderModel {
    const standing = this.#watch.standingOf(model.id);
    if (!standing) return model;
    const { state, checkedAt, checks, reason } = standing;
    const session = standing.report && this.#session(model.id);
    const shown = this.holdsAnswers ? withSignedAnswers(model) : model;
    const seen = checkedAt === undefined ? shown : { ...shown, evidence: { checkedAt, checks, session } };
    if (state !== "refused") return { ...seen, attestation: state };
    const { attestation: _claim, ...plain } = seen;
    return this.#options.unattested
      ? { ...plain, trust: "plain" }
      : { ...seen, withheld: `its evidence is bad: ${reason}` };
  }

  observe(model: string, endpoint: string): AnswerObserver {
    const passing = this.#answers.begin(model, endpoint);
    let other: OtherServer | undefined;
    return {
      sent: (body) => passing.sent(body),
      received: (piece) => passing.received(piece),
      began: (headers: IncomingHttpHeaders) => (other = findOtherServer(headers)),
      prove: async () => this.#proofOf(model, other ? this.#judgeOther(model, other) : await passing.check()),
    };
  }

  examine(model: string, nonce: Uint8Array, signal: AbortSignal): Promise<ExaminedModel> {
    const { verification, policy, clock, provider } = this.#options;
    return recordModel(model, signal, { ...verification, api: provider.upstream, algorithm, policy, clock, nonce });
  }

  /** Whether a call may be sent to who holds this key. */
  readonly checkPeer: CheckPeer = (key) => {
    if (key !== undefined && this.#watch.gatewayKeys.has(key)) return undefined;
    if (key !== undefined) void this.#watch.renewGateway();
    return "The key of its certificate is not one that its quote names.";
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#answers[Symbol.dispose]();
    await this.#watch[Symbol.asyncDispose]();
  }

  #judgeOther(model: string, { kind, reason }: OtherServer): Check {
    if (kind === "unverified") return skip("answer-signature", reason);
    const check = failed("answer-signature", reason);
    this.#watch.distrust(model, `${check.id}: ${reason}`);
    return check;
  }

  #proofOf(model: string, answer: Check): AnswerProof {
    const standing = this.#watch.standingOf(model);
    const session = standing?.report && this.#session(model);
    return { provider: this.#options.provider.id, model, evidence: standing?.checks ?? [], answer, session };
  }

  #session(model: string): string | undefined {
    return this.#options.verification.sessions.newest(this.#options.provider.id, model)?.id;
  }

  #changed(model: string, { report, checkedAt }: ModelStanding): void {
    const { provider, verification, isPinned } = this.#options;
    const { id, upstream } = provider;
    if (report && report.at === checkedAt)
      verification.sessions.add(
        id,
        model,
        nearSession(report, { upstreamName: id, endpoint: upstream.origin + upstream.basePath, isPinned }),
      );
    this.#onChange?.();
  }
}

/** Nothing else can be proved, so nobody is asked for it. */
function withSignedAnswers(model: ProviderModel): ProviderModel {
  const { endpoints = signedEndpoints } = model;
  return { ...model, endpoints: endpoints.filter((one) => signedEndpoints.some((signed) => signed === one)) };
}
