/**
 * Answers of models at NEAR AI Cloud, each compared with what the model's TEE says to have signed. The bytes are hashed
 * as they pass; the signature is asked for when the answer is complete, so the proof comes after it.
 */
import { createHash, type Hash } from "node:crypto";
import { skip, type Check } from "../../../shared/attestation/check.ts";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import { AnswerId } from "./answer-id.ts";
import { decideAnswer, type ReceivedAnswer } from "./decide-answer.ts";
import { fetchSignature } from "./fetch-signature.ts";
import type { ModelStanding } from "./model-standing.ts";
import type { ModelWatch } from "./model-watch.ts";
import type { NearApi } from "./near-api.ts";
import type { SigningAlgorithm, SigningKey } from "./signing-key.ts";

export interface AnswerChecksOptions {
  readonly api: NearApi;
  readonly algorithm: SigningAlgorithm;
  readonly watch: Pick<ModelWatch, "standingOf" | "renew" | "distrust">;
  readonly clock: Clock;
}

/** The answer that is passing, told of as it does. */
export interface AnswerInTransit {
  sent(body: Uint8Array): void;
  received(piece: Uint8Array): void;
  /** It is complete; resolves with what its signature shows, and never rejects. */
  check(): Promise<Check>;
}

const id = "answer-signature";
const checkTimeoutMs = 20_000;
/** Of four times as many calls as may be under way by default. */
const maxUnderWay = 1_024;
/** Others are put together by NEAR's gateway, which signs them itself, or by nobody. */
export const signedEndpoints = ["chat", "completions"] as const;

export class AnswerChecks implements Disposable {
  readonly #options: AnswerChecksOptions;
  readonly #ending = new AbortController();
  #underWay = 0;

  constructor(options: AnswerChecksOptions) {
    this.#options = options;
  }

  /** `endpoint`: by this gateway's name. */
  begin(model: string, endpoint: string): AnswerInTransit {
    const request = createHash("sha256");
    const response = createHash("sha256");
    const answerId = new AnswerId();
    return {
      sent: (body) => void request.update(body),
      received(piece) {
        response.update(piece);
        answerId.add(piece);
      },
      check: () => this.#check(answerId.find(), endpoint, { model, ...hashes(request, response) }),
    };
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  async #check(answer: string | undefined, endpoint: string, received: ReceivedAnswer): Promise<Check> {
    if (!signedEndpoints.some((signed) => signed === endpoint))
      return skip(id, `Answers of ${endpoint} are not signed by a model's TEE.`);
    const standing = this.#options.watch.standingOf(received.model);
    if (!standing?.report) return skip(id, "The model's evidence has not been verified, so no key is known to be its.");
    if (answer === undefined) return skip(id, "The answer has no id by which its signature could be asked for.");
    if (this.#underWay >= maxUnderWay) return skip(id, "Too many answers wait for their signatures.");
    this.#underWay++;
    try {
      return await this.#compare(answer, received, standing);
    } catch (error) {
      return skip(id, errorText(error));
    } finally {
      this.#underWay--;
    }
  }

  async #compare(answer: string, received: ReceivedAnswer, standing: ModelStanding): Promise<Check> {
    const { api, algorithm, watch, clock } = this.#options;
    const { model } = received;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(checkTimeoutMs)]);
    const signature = await fetchSignature({ api, answer, model, algorithm, clock, signal });
    const known = decideAnswer(signature, received, keysOf(standing));
    const isBySomebody =
      !("absent" in signature) && decideAnswer(signature, received, [keyOf(signature)]).outcome === "pass";
    const check =
      known.outcome === "fail" && isBySomebody
        ? decideAnswer(signature, received, await this.#newerKeys(model, signal))
        : known;
    if (check.outcome === "fail") watch.distrust(model, `${check.id}: ${check.detail}`);
    return check;
  }

  async #newerKeys(model: string, signal: AbortSignal): Promise<readonly SigningKey[]> {
    const { watch, clock } = this.#options;
    const late = clock.sleep(newKeysTimeoutMs, signal).then(() => undefined);
    return keysOf((await Promise.race([watch.renew(model), late])) ?? watch.standingOf(model));
  }
}

/** Another key may be that of a machine that has joined: then there is evidence of it now, and soon. */
const newKeysTimeoutMs = 10_000;

const keyOf = (signature: { signing_algo: SigningAlgorithm; signing_address: string }): SigningKey => ({
  algorithm: signature.signing_algo,
  address: signature.signing_address,
});

const keysOf = (standing: ModelStanding | undefined): readonly SigningKey[] => standing?.report?.keys ?? [];

function hashes(request: Hash, response: Hash): Omit<ReceivedAnswer, "model"> {
  return { requestSha256: request.digest("hex"), responseSha256: response.digest("hex") };
}
