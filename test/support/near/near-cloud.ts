/**
 * A stand-in for NEAR AI Cloud with evidence: reports and signatures in the forms of cloud-api, right and wrong in the ways
 * that a gateway could be wrong. Its machines' quotes are signed by a simulator.
 */
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { debugAttributes } from "../../../tee-bot/attestation/simulator/pki/reports.ts";
import type { SimulatorPki } from "../../../tee-bot/attestation/simulator/pki.ts";
import { nearModels } from "../models/near-ai.ts";
import { NearMachine } from "./near-machine.ts";

export const wrongReports = [
  "other-nonce",
  "other-address",
  "other-root",
  "debug",
  "model-missing",
  "model-is-gateways",
  "stale",
  "gateway-missing",
  "gateway-other-address",
  "other-public-key",
  "other-model",
  "other-gpu-nonce",
] as const;
export const wrongSignatures = ["gateway-kind", "other-bytes", "other-request", "other-signer", "other-text"] as const;
/** `late`: a 404 first. `withheld`: always. `disconnected`: a 200 that says there is none. `down`: 500 for reports. */
export type NearFault =
  | (typeof wrongReports)[number]
  | (typeof wrongSignatures)[number]
  | "late"
  | "withheld"
  | "disconnected"
  | "relayed"
  | "chutes"
  | "unsaid"
  | "down";

export interface NearCloudOptions {
  readonly pki: SimulatorPki;
  /** Of another simulator, for evidence under another root. */
  readonly otherPki: SimulatorPki;
  /** To be reached over TLS: key and certificate, PEM, and what its gateway says that its key's SHA-256 is. */
  readonly tls?: NearTls;
  readonly withGpu?: boolean;
}

export interface NearTls {
  readonly key: string;
  readonly cert: string;
  readonly fingerprint: string;
}

export const nearModel = "zai-org/GLM-5.1-FP8";
/** Of machines' own certificates, which no client of the gateway ever sees. */
const unseenFingerprint = createHash("sha256").update("certificate of a machine").digest("hex");

export class NearCloud implements AsyncDisposable {
  readonly #options: NearCloudOptions;
  readonly #server: Server | TlsServer;
  readonly gateway: NearMachine;
  readonly machine: NearMachine;
  readonly #stranger: NearMachine;
  readonly #signatures = new Map<string, object>();
  #firstNonce: Buffer | undefined;
  readonly #asked = new Set<string>();
  /** What its gateway's quote says of its certificate. */
  #fingerprint: string | undefined;
  readonly requests: { line: string; headers: IncomingMessage["headers"] }[] = [];
  fault: NearFault | undefined;
  /** Another machine has joined, which signs from now on. */
  joined: NearMachine | undefined;

  constructor(options: NearCloudOptions) {
    const { pki, tls } = options;
    this.#options = options;
    this.#fingerprint = tls?.fingerprint;
    this.gateway = new NearMachine({ pki, name: "gateway" });
    this.machine = new NearMachine({ pki, name: "machine" });
    this.#stranger = new NearMachine({ pki, name: "stranger" });
    const listener: RequestListener = (request, response) => void this.#handle(request, response);
    this.#server = tls ? createTlsServer(tls, listener) : createServer(listener);
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  /** Who comes from now on is shown this certificate; with `evidence` the quotes name its key, too. */
  show({ key, cert, fingerprint }: NearTls, { evidence }: { evidence: boolean }): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext({ key, cert });
    if (evidence) this.#fingerprint = fingerprint;
  }

  /** Without `/v1`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return this.#options.tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: target = "/", headers } = request;
    this.requests.push({ line: `${method} ${target}`, headers });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(target, "http://near.test");
    if (headers.authorization === undefined) return sendJson(response, 401, { error: { message: "no key" } });
    if (pathname === "/v1/model/list") return sendJson(response, 200, { models: nearModels, total: nearModels.length });
    if (pathname === "/v1/chat/completions") return this.#chat(Buffer.concat(chunks), response);
    if (pathname === "/v1/attestation/report")
      return this.fault === "down"
        ? sendJson(response, 500, { error: { message: "secret-in-the-answer" } })
        : sendJson(response, 200, this.#report(searchParams));
    if (pathname.startsWith("/v1/signature/")) return this.#signature(pathname.slice(14), response);
    sendJson(response, 404, { error: { message: "not found" } });
  }

  #report(query: URLSearchParams): object {
    const { otherPki, withGpu } = this.#options;
    const { fault } = this;
    const asked = Buffer.from(query.get("nonce") ?? "", "hex");
    this.#firstNonce ??= asked;
    const nonce = fault === "stale" ? this.#firstNonce : fault === "other-nonce" ? Buffer.alloc(32, 7) : asked;
    const isBound = query.get("include_tls_fingerprint") === "true";
    const gpuNonce = fault === "other-gpu-nonce" ? "00".repeat(32) : nonce.toString("hex");
    const gpu = withGpu ? JSON.stringify({ nonce: gpuNonce, arch: "HOPPER", evidence_list: [{}] }) : undefined;
    const ofGateway = {
      nonce,
      fingerprint: isBound ? (this.#fingerprint ?? unseenFingerprint) : undefined,
      ...(fault === "gateway-other-address" && { address: this.#stranger.key.address }),
    };
    const ofModel = {
      nonce,
      fingerprint: isBound ? unseenFingerprint : undefined,
      gpu,
      model: fault === "other-model" ? "another/model" : (query.get("model") ?? ""),
      ...(fault === "other-address" && { address: this.#stranger.key.address }),
      ...(fault === "other-root" && { pki: otherPki }),
      ...(fault === "debug" && { attributes: debugAttributes }),
    };
    const machines = [this.machine, ...(this.joined ? [this.joined] : [])].map((one) => one.evidence(ofModel));
    if (fault === "other-public-key") Object.assign(machines[0]!, { signing_public_key: this.#stranger.publicKey });
    const gateway = this.gateway.evidence(ofGateway);
    const shown = fault === "model-is-gateways" ? [gateway] : fault === "model-missing" ? [] : machines;
    return { ...(fault !== "gateway-missing" && { gateway_attestation: gateway }), model_attestations: shown };
  }

  #chat(body: Buffer, response: ServerResponse): void {
    const { model, stream } = JSON.parse(body.toString()) as { model: string; stream?: boolean };
    const id = `chatcmpl-${randomUUID()}`;
    const pieces = stream === true ? eventsOf(id, model) : [answerOf(id, model)];
    const type = stream === true ? "text/event-stream" : "application/json";
    const serving = { relayed: "non-attested", chutes: "chutes", unsaid: undefined }[String(this.fault)] ?? "near";
    const said = this.fault === "unsaid" ? {} : { "x-serving-provider": serving };
    response.writeHead(200, { "content-type": type, ...said });
    for (const piece of pieces) response.write(piece);
    this.#signatures.set(id, this.#sign(model, body, Buffer.from(pieces.join(""))));
    response.end();
  }

  #sign(model: string, request: Buffer, answer: Buffer): object {
    const { fault } = this;
    const signer = fault === "other-signer" ? this.#stranger : (this.joined ?? this.machine);
    const asked = sha256(fault === "other-request" ? "another request" : request);
    const answered = sha256(fault === "other-bytes" ? "another answer" : answer);
    if (fault === "gateway-kind") {
      const text = `${asked}:${answered}`;
      return signatureOf(text, this.gateway, "gateway");
    }
    const text = `${model}:${asked}:${answered}`;
    return { ...signatureOf(text, signer, "provider_tee"), ...(fault === "other-text" && { text: `${text}0` }) };
  }

  #signature(id: string, response: ServerResponse): void {
    const isFirst = !this.#asked.has(id);
    this.#asked.add(id);
    const found = this.#signatures.get(id);
    if (!found || this.fault === "withheld" || (this.fault === "late" && isFirst))
      return sendJson(response, 404, { error: { message: "not found" } });
    if (this.fault === "disconnected")
      return sendJson(response, 200, { error_code: "STREAM_DISCONNECTED", message: "Verification not available." });
    sendJson(response, 200, found);
  }
}

function signatureOf(text: string, signer: NearMachine, kind: string): object {
  const { address, algorithm } = signer.key;
  const named = { signing_address: `0x${address}`, signing_algo: algorithm, signature_kind: kind };
  return { text, signature: signer.sign(text), ...named };
}

const answerOf = (id: string, model: string): string =>
  JSON.stringify({
    id,
    object: "chat.completion",
    model,
    choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 1 },
  });

function eventsOf(id: string, model: string): string[] {
  const event = (choice: object): string =>
    `data: ${JSON.stringify({ id, object: "chat.completion.chunk", model, choices: [{ index: 0, ...choice }] })}\n\n`;
  const words = ["Hel", "lo."].map((content) => event({ delta: { content }, finish_reason: null }));
  return [": keep-alive\n\n", ...words, event({ delta: {}, finish_reason: "stop" }), "data: [DONE]\n\n"];
}

function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
