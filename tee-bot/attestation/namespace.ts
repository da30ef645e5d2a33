/**
 * What one caller on this machine may have of the TEE: quotes for its bytes, keys, signatures, events. All of it is
 * below the caller's name, paths and purposes alike, so no caller reaches a key of another or of the node, and none can
 * have anything signed that could be taken for the node's own word.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { callerReportData, callerTag } from "../../shared/attestation/report-data.ts";
import { joinBytes } from "../../shared/bytes.ts";
import { AppError } from "../../shared/errors.ts";
import type { AgentKey, AgentQuote, GuestAgent, KeyAlgorithm } from "./dstack/guest-agent.ts";

export const signatureTag = "postern:signature:v1";

/** How the bytes of a quote are made, for whoever is to check it. */
export const callerFormula = `SHA-512("${callerTag}" ‖ 00 ‖ data)`;
/** What a signature is over; with secp256k1 the SHA-256 of it. */
export const signatureFormula = `"${signatureTag}" ‖ 00 ‖ namespace ‖ 00 ‖ data`;

export interface NamespaceQuote extends AgentQuote {
  readonly reportData: Uint8Array;
}

export interface NamespaceKey extends AgentKey {
  /** Where it is, and what the chain of signatures says that it is for. */
  readonly path: string;
}

export interface NamespaceSignature {
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Of the application's key for `<path>:<public key in hex>`, then of the key provider's root for that one. */
  readonly signatureChain: readonly Uint8Array[];
  readonly path: string;
}

export class TeeNamespace {
  readonly #agent: GuestAgent;
  readonly #name: string;

  /** `name` is the node's to give: one for each kind of caller. */
  constructor(agent: GuestAgent, name: string) {
    this.#agent = agent;
    this.#name = name;
  }

  async quote(data: Uint8Array): Promise<NamespaceQuote> {
    const reportData = await callerReportData(data);
    return { ...(await this.#agent.quote(reportData)), reportData };
  }

  /** The same for the same path and algorithm. Throws {@link AppError} for a path that is not plain. */
  async deriveKey(path: string, algorithm: KeyAlgorithm): Promise<NamespaceKey> {
    if (!isPlainPath(path))
      throw new AppError(
        "bad-request",
        `A path has 1 to ${maxPathLength} characters: words of a-z, A-Z, 0-9, _ and -, with slashes between them.`,
      );
    return this.#key(`key/${algorithm}/${path}`, algorithm);
  }

  /** By a key that signs for this namespace only, and that nobody can derive. */
  async sign(data: Uint8Array, algorithm: KeyAlgorithm): Promise<NamespaceSignature> {
    const { key, path, signatureChain } = await this.#key(`sign/${algorithm}`, algorithm);
    const curve = curves[algorithm];
    const signature = curve.sign(statementOf(this.#name, data), key);
    return { signature, publicKey: curve.getPublicKey(key), signatureChain, path };
  }

  verify(data: Uint8Array, algorithm: KeyAlgorithm, signature: Uint8Array, publicKey: Uint8Array): boolean {
    try {
      return curves[algorithm].verify(signature, statementOf(this.#name, data), publicKey);
    } catch {
      return false; // a signature or a key of another length
    }
  }

  /** Extends RTMR3, for as long as the VM runs; answers with the name under which it stands in the log. */
  async emitEvent(event: string, payload: Uint8Array): Promise<string> {
    const name = `app/${this.#name}/${event}`;
    await this.#agent.emitEvent(name, payload);
    return name;
  }

  /** The purpose is the path: with one of the caller's own choice, a chain could say that the key is one of the node's. */
  async #key(below: string, algorithm: KeyAlgorithm): Promise<NamespaceKey> {
    const path = `app/${this.#name}/${below}`;
    return { ...(await this.#agent.key({ path, purpose: path, algorithm })), path };
  }
}

const curves = { ed25519, secp256k1 } as const;

const maxPathLength = 128;

/** No dots, so that nothing reads as a step upwards. */
function isPlainPath(path: string): boolean {
  return path.length <= maxPathLength && /^[\w-]+(?:\/[\w-]+)*$/.test(path);
}

function statementOf(namespace: string, data: Uint8Array): Uint8Array {
  return joinBytes([new TextEncoder().encode(`${signatureTag}\0${namespace}\0`), data]);
}
