import { createHash, type Hash } from "node:crypto";
import { AnswerId } from "../../attestation/near/answer-id.ts";
import type { ClientAnswer, ClientListener } from "../calls/answers/client-answer.ts";
import type { Candidate } from "../routing/route.ts";
import type { ReceiptDocument, ReceiptEvent } from "./receipt.ts";

/** What was verified of an upstream, as receipts cite it. */
export interface CitedSession {
  readonly id: string;
  readonly document: object;
}

/** One call, as its receipt will tell it. */
export interface ReceiptSubject {
  readonly id: string;
  readonly endpoint: string;
  /** Of the keyset that is served now: `sha256:` and hex. */
  readonly keysetDigest: string;
  readonly keyId: string;
  readonly sessionOf: (upstream: string, model: string) => CitedSession | undefined;
}

export interface DraftedReceipt {
  readonly document: ReceiptDocument;
  readonly session: CitedSession | undefined;
}

/** The client's end of one call, which hashes what goes out exactly as it goes, and is told what else a receipt says. */
export class ReceiptDraft implements ClientAnswer {
  readonly #inner: ClientAnswer;
  readonly #subject: ReceiptSubject;
  readonly #returned: Hash = createHash("sha256");
  readonly #answerId = new AnswerId();
  #received: string | undefined;
  #model: string | null = null;
  #required = false;
  readonly #attempts: { readonly candidate: Candidate; readonly hash: string }[] = [];
  #answeredBy: Candidate | undefined;
  #isWhole = false;

  constructor(inner: ClientAnswer, subject: ReceiptSubject) {
    this.#inner = inner;
    this.#subject = subject;
  }

  /** `required`: nobody whose TEE is not verified may answer. */
  received(body: Uint8Array, model: string, required: boolean): void {
    this.#received = hashOf(body);
    this.#model = model;
    this.#required = required;
  }

  forwarded(candidate: Candidate, body: Uint8Array): void {
    this.#attempts.push({ candidate, hash: hashOf(body) });
  }

  /** The answer that goes out is this provider's; without it it is an error of ours. */
  answeredBy(candidate: Candidate): void {
    this.#answeredBy = candidate;
  }

  /** Undefined: the answer was not sent whole, or nothing was asked, so there is nothing to sign. `now`: Unix milliseconds. */
  finish(now: number): DraftedReceipt | undefined {
    if (!this.#isWhole || this.#received === undefined) return undefined;
    const { id, endpoint, keysetDigest, keyId } = this.#subject;
    const last = this.#attempts.findLast(({ candidate }) => candidate === this.#answeredBy);
    const session = last && this.#sessionOf(last.candidate);
    const events: ReceiptEvent[] = [{ type: "request.received", body_hash: this.#received }];
    for (const { candidate, hash } of this.#attempts)
      events.push({
        type: "postern.attempted",
        ...namesOf(candidate),
        location: candidate.provider.location,
        body_hash: hash,
      });
    if (last) events.push({ type: "request.forwarded", body_hash: last.hash });
    const upstream = last && this.#upstreamEvent(last.candidate, session);
    if (upstream) events.push(upstream);
    events.push({ type: "response.returned", body_hash: `sha256:${this.#returned.digest("hex")}` });
    return {
      session,
      document: {
        api_version: "aci/1",
        receipt_id: id,
        chat_id: this.#answerId.find() ?? null,
        model: this.#model,
        workload_keyset_digest: keysetDigest,
        endpoint,
        method: "POST",
        served_at: Math.floor(now / 1_000),
        event_log: events,
        key_id: keyId,
      },
    };
  }

  #sessionOf({ provider, model, attestation }: Candidate): CitedSession | undefined {
    return attestation === "verified" ? this.#subject.sessionOf(provider.id, model) : undefined;
  }

  /** A model in this node's own process group has no upstream: it is what the node's quote measures. */
  #upstreamEvent(candidate: Candidate, session: CitedSession | undefined): ReceiptEvent | undefined {
    const { provider, model, attestation } = candidate;
    if (provider.kind === "embedded") return undefined;
    const common = { type: "upstream.verified", required: this.#required, model_id: model } as const;
    if (session) return { ...common, result: "verified", session_id: session.id };
    const reason =
      attestation === undefined
        ? `no TEE is said to be there; it is ${provider.location}`
        : `its TEE is ${attestation} only`;
    return { ...common, result: "failed", upstream_name: provider.id, reason };
  }

  get left(): boolean {
    return this.#inner.left;
  }

  get begun(): boolean {
    return this.#inner.begun;
  }

  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  get listener(): ClientListener | undefined {
    return this.#inner.listener;
  }

  set listener(listener: ClientListener | undefined) {
    this.#inner.listener = listener;
  }

  begin(status: number, headers: readonly string[]): void {
    this.#inner.begin(status, headers);
  }

  write(bytes: Buffer): boolean {
    this.#hash(bytes);
    return this.#inner.write(bytes);
  }

  end(bytes?: Buffer): void {
    if (bytes) this.#hash(bytes);
    this.#isWhole = !this.#inner.left;
    this.#inner.end(bytes);
  }

  breakOff(): void {
    this.#inner.breakOff();
  }

  #hash(bytes: Buffer): void {
    this.#returned.update(bytes);
    this.#answerId.add(bytes);
  }
}

function namesOf({ provider, model }: Candidate): { upstream_name: string; model_id: string } {
  return { upstream_name: provider.id, model_id: model };
}

function hashOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
