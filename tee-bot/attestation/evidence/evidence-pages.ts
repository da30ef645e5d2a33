/**
 * The two places where the node shows its evidence. Nobody needs a key for it: what it says is for everyone, and who asks
 * is counted by address. A request that leaves gives up its place.
 */
import { evidencePath } from "../../../shared/attestation/evidence.ts";
import { aciVersion } from "../../../shared/attestation/aci-statement.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { HttpRequest, HttpResponse } from "../../server/terminator.ts";
import { readConnection } from "./connection.ts";
import { answerAsApi, answerAsProblem, type AnswerError } from "./error-answers.ts";
import type { NodeEvidence } from "./node-evidence.ts";
import { readNonce } from "./read-nonce.ts";
import { clientOf, RequestRates, type RequestKind } from "./request-rates.ts";

export interface EvidencePagesOptions {
  /** Undefined outside a TEE. */
  readonly evidence: NodeEvidence | undefined;
  /** Why there is no TEE: a sentence. */
  readonly absent: string;
  readonly clock: Clock;
  readonly log: Log;
}

const shownHeaders = { "cache-control": "no-store", "access-control-allow-origin": "*" } as const;
const preflightSeconds = 7_200;

type Make = (evidence: NodeEvidence) => Promise<{ headers: Record<string, string>; body: Buffer }>;

export class EvidencePages {
  readonly #options: EvidencePagesOptions;
  readonly #rates: RequestRates;

  constructor(options: EvidencePagesOptions) {
    this.#options = options;
    this.#rates = new RequestRates(options.clock.now());
  }

  /** `GET /.well-known/postern-attestation?nonce=`; `address`: the visitor's. */
  connection(request: HttpRequest, response: HttpResponse, address: string): void {
    this.#answer(request, response, answerAsProblem, async (evidence) => {
      const nonce = readNonce(request.url ?? "");
      if (nonce === undefined)
        throw new AppError("bad-request", `Give a nonce: GET ${evidencePath}?nonce=<64 lower-case hex characters>.`);
      const bytes = Buffer.from(nonce, "hex");
      const connection = readConnection(request, bytes);
      const client = this.#admit("made", address);
      const signal = signalOf(response);
      const shown = await evidence.ofConnection(bytes, connection, { client, signal });
      return { headers: {}, body: Buffer.from(JSON.stringify(shown)) };
    });
  }

  /** `GET /v1/aci/attestation[?nonce=]`. */
  report(request: HttpRequest, response: HttpResponse, address: string): void {
    this.#answer(request, response, answerAsApi, async (evidence) => {
      const nonce = readNonce(request.url ?? "");
      const client = this.#admit(nonce === undefined ? "shown" : "made", address);
      const body = await evidence.aciReport(nonce, hostOf(request), client);
      const { digest } = await evidence.keyset;
      return { headers: { "x-aci-version": aciVersion, "x-aci-keyset-digest": `sha256:${digest}` }, body };
    });
  }

  #answer(request: HttpRequest, response: HttpResponse, answerError: AnswerError, make: Make): void {
    if (request.method === "OPTIONS")
      return void response
        .writeHead(204, {
          "access-control-allow-origin": "*",
          "access-control-allow-methods": "GET",
          "access-control-max-age": String(preflightSeconds),
        })
        .end();
    void this.#tell(request, response, answerError, make);
  }

  async #tell(request: HttpRequest, response: HttpResponse, answerError: AnswerError, make: Make): Promise<void> {
    try {
      const { headers, body } = await this.#made(request, make);
      const length = { "content-type": "application/json", "content-length": body.length };
      if (!response.destroyed) response.writeHead(200, { ...shownHeaders, ...headers, ...length }).end(body);
    } catch (error) {
      if (response.destroyed) return;
      if (!(error instanceof AppError)) this.#options.log.error("evidence.failed", { error: errorText(error) });
      answerError(response, this.#forStrangers(error), shownHeaders);
    }
  }

  async #made({ method }: HttpRequest, make: Make): ReturnType<Make> {
    if (method !== "GET") throw new AppError("method-not-allowed", `Evidence is asked for with GET, not ${method}.`);
    const { evidence, absent } = this.#options;
    if (!evidence) throw new AppError("tee-absent", absent);
    return await make(evidence);
  }

  /** What the guest agent says of its failures, and where it is, is for the log. */
  #forStrangers(error: unknown): unknown {
    if (!(error instanceof AppError && error.code.startsWith("upstream-"))) return error;
    this.#options.log.warn("quote.failed", { code: error.code, error: error.detail });
    return new AppError(error.code, "The TEE of this node has made no quote; the node's log says why.");
  }

  /** Whose turn it counts as. Throws `too-many-requests`. */
  #admit(kind: RequestKind, address: string): string {
    const client = clientOf(address);
    const waitMs = this.#rates.count(kind, client, this.#options.clock.now());
    if (waitMs === undefined) return client;
    const seconds = Math.ceil(waitMs / 1000);
    throw new AppError("too-many-requests", `Evidence was asked for too often. Try again in ${seconds} s.`);
  }
}

/** Aborts when the visitor leaves before the answer. */
function signalOf(response: HttpResponse): AbortSignal {
  const left = new AbortController();
  response.once("close", () => left.abort(new AppError("bad-request", "The visitor has left.")));
  return left.signal;
}

function hostOf({ headers }: HttpRequest): string | undefined {
  const host = headers[":authority"] ?? headers.host;
  return typeof host === "string"
    ? host
        .replace(/:\d{1,5}$/, "")
        .replace(/\.$/, "")
        .toLowerCase()
    : undefined;
}
