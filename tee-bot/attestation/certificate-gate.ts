/**
 * Stands between a certificate and the visitors. Where the node must prove itself, no visitor is shown a certificate whose
 * key is not named by evidence that the node's own verifier accepts at that time.
 */
import type { Log } from "../../shared/log.ts";
import type { Terminator } from "../server/terminator.ts";
import { decideServing, type Standing } from "./evidence/standing.ts";

export interface CertificateGateOptions {
  readonly required: boolean;
  readonly terminator: Pick<Terminator, "setCertificate" | "withholdCertificate">;
  /** SHA-256 of the key's SubjectPublicKeyInfo, hex. */
  readonly spkiSha256: string;
  readonly log: Log;
}

export class CertificateGate {
  readonly #options: CertificateGateOptions;
  #offered: { readonly chain: string; readonly key: string } | undefined;
  #serves = false;

  constructor(options: CertificateGateOptions) {
    this.#options = options;
  }

  /** Takes the certificate that is to be served as soon as it may be. PEM. */
  offer(chain: string, key: string, standing: Standing): void {
    this.#offered = { chain, key };
    this.#serves = false;
    this.follow(standing);
  }

  /** Shows the certificate to new visitors, or none, as the evidence stands. Open connections stay. */
  follow(standing: Standing): void {
    const { required, terminator, spkiSha256, log } = this.#options;
    if (!this.#offered) return;
    const serves = decideServing(required, standing, spkiSha256);
    if (serves === this.#serves) return;
    this.#serves = serves;
    if (serves) return terminator.setCertificate(this.#offered.chain, this.#offered.key);
    terminator.withholdCertificate();
    log.warn("certificate.withheld", { why: "attestation.required, and there is no evidence that stands" });
  }
}
