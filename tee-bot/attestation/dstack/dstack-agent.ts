/** The guest agent of dstack from 0.5 on: agent_rpc.proto, service DstackGuest, over its Unix socket. */
import type { Clock } from "../../../shared/clock.ts";
import { toHex } from "../../../shared/hex.ts";
import type { AgentAddress } from "./agent-place.ts";
import {
  attestAnswer,
  emptyAnswer,
  gpuAnswer,
  infoAnswer,
  keyAnswer,
  quoteAnswer,
  signAnswer,
  tlsKeyAnswer,
  verifyAnswer,
  versionAnswer,
} from "./answers.ts";
import { createCaller, slowCallTimeoutMs, unlessAbsent, type CallAgent } from "./call-agent.ts";
import { formatAddress } from "./exchange.ts";
import type {
  AgentInfo,
  AgentKey,
  AgentQuote,
  AgentSignature,
  AgentTlsKey,
  AgentVersion,
  GuestAgent,
  KeyRequest,
  SignAlgorithm,
  TlsKeyRequest,
} from "./guest-agent.ts";
import { reportDataHex, tlsKeyBody } from "./requests.ts";

export class DstackAgent implements GuestAgent {
  readonly address: string;
  readonly #call: CallAgent;

  constructor(address: AgentAddress, clock: Clock) {
    this.address = formatAddress(address);
    this.#call = createCaller({ address, prefix: "/", clock });
  }

  info(): Promise<AgentInfo> {
    return this.#call("Info", {}, infoAnswer);
  }

  async quote(reportData: Uint8Array): Promise<AgentQuote> {
    return await this.#call("GetQuote", { report_data: reportDataHex(reportData) }, quoteAnswer, slowCallTimeoutMs);
  }

  async attest(reportData: Uint8Array): Promise<Uint8Array> {
    const body = { report_data: reportDataHex(reportData) };
    return (await this.#call("Attest", body, attestAnswer, slowCallTimeoutMs)).attestation;
  }

  key({ path, purpose, algorithm }: KeyRequest): Promise<AgentKey> {
    return this.#call("GetKey", { path, purpose, algorithm }, keyAnswer);
  }

  tlsKey(request: TlsKeyRequest): Promise<AgentTlsKey> {
    return this.#call("GetTlsKey", tlsKeyBody(request), tlsKeyAnswer, slowCallTimeoutMs);
  }

  sign(algorithm: SignAlgorithm, data: Uint8Array): Promise<AgentSignature> {
    return this.#call("Sign", { algorithm, data: toHex(data) }, signAnswer);
  }

  async verify(
    algorithm: SignAlgorithm,
    data: Uint8Array,
    signature: Uint8Array,
    publicKey: Uint8Array,
  ): Promise<boolean> {
    const body = { algorithm, data: toHex(data), signature: toHex(signature), public_key: toHex(publicKey) };
    return (await this.#call("Verify", body, verifyAnswer)).valid;
  }

  async emitEvent(event: string, payload: Uint8Array): Promise<void> {
    await this.#call("EmitEvent", { event, payload: toHex(payload) }, emptyAnswer);
  }

  async gpuInfo(): Promise<string> {
    return (await this.#call("GpuInfo", {}, gpuAnswer)).attestation;
  }

  version(): Promise<AgentVersion | undefined> {
    return unlessAbsent(this.#call("Version", {}, versionAnswer));
  }
}
