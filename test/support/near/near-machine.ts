/** A confidential VM of NEAR's that cannot run here: its quotes are signed under a simulator's root, its log is true. */
import { createHash, hkdfSync } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { nearReportData } from "../../../tee-bot/attestation/near/report-data.ts";
import { addressOf, personalHash, type SigningKey } from "../../../tee-bot/attestation/near/signing-key.ts";
import { Machine } from "../../../tee-bot/attestation/simulator/guest/machine.ts";
import type { SimulatorPki } from "../../../tee-bot/attestation/simulator/pki.ts";

export interface NearMachineOptions {
  readonly pki: SimulatorPki;
  /** What tells its key and its compose text from others'. */
  readonly name: string;
}

export interface EvidenceOptions {
  readonly nonce: Uint8Array;
  /** Of the key of its certificate, hex. */
  readonly fingerprint?: string | undefined;
  /** What its quote names instead of its own key. */
  readonly address?: string;
  readonly pki?: SimulatorPki;
  readonly attributes?: Uint8Array;
  /** JSON text. */
  readonly gpu?: string | undefined;
  readonly model?: string;
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

export class NearMachine {
  readonly #options: NearMachineOptions;
  readonly #machine: Machine;
  readonly #secret: Uint8Array;
  readonly publicKey: string;
  readonly key: SigningKey;

  constructor(options: NearMachineOptions) {
    const { name } = options;
    this.#options = options;
    this.#machine = new Machine({
      generation: "0.5",
      compose: composeOf(name),
      eventVersion: 1,
      keyProviderSpki: Buffer.from("key provider"),
      instanceSeed: Buffer.from(name),
    });
    this.#secret = new Uint8Array(hkdfSync("sha256", name, "", "signing key of a stand-in", 32));
    this.publicKey = Buffer.from(secp256k1.getPublicKey(this.#secret, false).subarray(1)).toString("hex");
    this.key = { algorithm: "ecdsa", address: addressOf("ecdsa", this.publicKey)! };
  }

  /** As it stands in a report of cloud-api. */
  evidence({ nonce, fingerprint, address, pki, attributes, gpu, model }: EvidenceOptions): object {
    const named = { ...this.key, ...(address !== undefined && { address }) };
    const { key, nonce: asked } = nearReportData(named, fingerprint, nonce);
    const quote = (pki ?? this.#options.pki).signQuote({
      ...this.#machine.measurements,
      reportData: Buffer.from(key + asked, "hex"),
      ...(attributes && { tdAttributes: attributes }),
    });
    const tcbInfo = JSON.stringify({ app_compose: this.#machine.compose });
    return {
      signing_address: `0x${this.key.address}`,
      signing_algo: "ecdsa",
      signing_public_key: this.publicKey,
      intel_quote: Buffer.from(quote).toString("hex"),
      event_log: this.#machine.eventLog,
      request_nonce: asked,
      info: { tcb_info: tcbInfo, vm_config: this.#machine.vmConfig },
      ...(fingerprint !== undefined && { tls_cert_fingerprint: fingerprint }),
      ...(gpu !== undefined && { nvidia_payload: gpu }),
      ...(model !== undefined && { model_name: model }),
    };
  }

  /** EIP-191, as hex. */
  sign(text: string): string {
    const hash = personalHash(new TextEncoder().encode(text));
    const recovered = secp256k1.sign(hash, this.#secret, { prehash: false, format: "recovered" });
    return `0x${Buffer.from([...recovered.subarray(1), recovered[0]! + 27]).toString("hex")}`;
  }
}

function composeOf(name: string): string {
  const image = `docker.io/nearai/stand-in@sha256:${digest(name)}`;
  return JSON.stringify({
    manifest_version: 2,
    name,
    runner: "docker-compose",
    docker_compose_file: `services:\n  ${name}:\n    image: ${image}\n`,
    kms_enabled: true,
    public_tcbinfo: true,
  });
}
