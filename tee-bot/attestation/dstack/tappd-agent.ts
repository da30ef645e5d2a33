/**
 * The guest agent of dstack before 0.5 (agent_rpc.proto, service Tappd). It makes quotes and keys, and tells what it
 * runs; the rest did not exist yet.
 */
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { AgentAddress } from "./agent-place.ts";
import { quoteAnswer, tappdInfoAnswer, tappdKeyAnswer, tlsKeyAnswer, versionAnswer } from "./answers.ts";
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
  TlsKeyRequest,
} from "./guest-agent.ts";
import { reportDataHex, tlsKeyBody } from "./requests.ts";

export class TappdAgent implements GuestAgent {
  readonly address: string;
  readonly #call: CallAgent;

  constructor(address: AgentAddress, clock: Clock) {
    this.address = formatAddress(address);
    this.#call = createCaller({ address, prefix: "/prpc/Tappd.", clock });
  }

  info(): Promise<AgentInfo> {
    return this.#call("Info", {}, tappdInfoAnswer);
  }

  /** RawQuote, since TdxQuote would hash what it is given. */
  async quote(reportData: Uint8Array): Promise<AgentQuote> {
    return await this.#call("RawQuote", { report_data: reportDataHex(reportData) }, quoteAnswer, slowCallTimeoutMs);
  }

  /** The same 32 bytes as GetKey of later agents; only for secp256k1 is the chain right. */
  key({ path, purpose, algorithm }: KeyRequest): Promise<AgentKey> {
    if (algorithm !== "secp256k1") return absent(`Keys of ${algorithm}`);
    return this.#call("DeriveK256Key", { path, purpose }, tappdKeyAnswer);
  }

  /** DeriveKey makes the same key for the same path; random_seed has it make a fresh one. */
  tlsKey(request: TlsKeyRequest): Promise<AgentTlsKey> {
    const body = { path: "", ...tlsKeyBody(request), random_seed: true };
    return this.#call("DeriveKey", body, tlsKeyAnswer, slowCallTimeoutMs);
  }

  attest(): Promise<Uint8Array> {
    return absent("Attest");
  }

  sign(): Promise<AgentSignature> {
    return absent("Sign");
  }

  verify(): Promise<boolean> {
    return absent("Verify");
  }

  emitEvent(): Promise<void> {
    return absent("EmitEvent");
  }

  gpuInfo(): Promise<string> {
    return absent("GpuInfo");
  }

  version(): Promise<AgentVersion | undefined> {
    return unlessAbsent(this.#call("Version", {}, versionAnswer));
  }
}

function absent(what: string): Promise<never> {
  const detail = `${what} is not supported by this guest agent: it is from before dstack 0.5.`;
  return Promise.reject(new AppError("not-supported", detail));
}
