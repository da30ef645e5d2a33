/** The node's keys, from what the guest agent derives for this application. */
import { hkdfSync } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { custodyPath, custodyStatement } from "../../../shared/attestation/custody.ts";
import type { Custody } from "../../../shared/attestation/evidence.ts";
import { toHex } from "../../../shared/hex.ts";
import type { KeyUse, PublicKey, TeeKeys } from "../attestation.ts";
import type { AgentKey, GuestAgent } from "../dstack/guest-agent.ts";

const keyBytes = 32;

export class AgentKeys implements TeeKeys {
  readonly #agent: GuestAgent;
  readonly #held = new Map<KeyUse, Promise<AgentKey>>();

  constructor(agent: GuestAgent) {
    this.#agent = agent;
  }

  async derive(use: KeyUse): Promise<Uint8Array> {
    const { key } = await this.#keyFor(use);
    return new Uint8Array(hkdfSync("sha256", key, "", use, keyBytes));
  }

  async custody(use: KeyUse, { algorithm, bytes }: PublicKey): Promise<Custody> {
    const { key, signatureChain } = await this.#keyFor(use);
    const path = custodyPath(use);
    return {
      key: use,
      algorithm,
      public_key: toHex(bytes),
      path,
      purpose: path,
      derived_key: toHex(secp256k1.getPublicKey(key)),
      signature: toHex(secp256k1.sign(custodyStatement(use, algorithm, bytes), key)),
      signature_chain: signatureChain.map(toHex),
    };
  }

  /** Asked once; again after a failure. secp256k1, since for that one the chain of signatures holds. */
  #keyFor(use: KeyUse): Promise<AgentKey> {
    const held = this.#held.get(use);
    if (held) return held;
    const path = custodyPath(use);
    const asked = this.#agent.key({ path, purpose: path, algorithm: "secp256k1" });
    this.#held.set(use, asked);
    asked.catch(() => this.#held.delete(use));
    return asked;
  }
}
