/** The certificate and what belongs to it, on disk. A disk that takes nothing costs the next start, not this one. */
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import { chainAbove, readCertificate } from "./certificate.ts";
import type { HeldCertificate } from "./certificate-source.ts";
import { readHeld, writeHeld } from "./held-file.ts";

export interface CertificatePaths {
  /** PEM chain, leaf first. */
  readonly certificate: string;
  /** The chain above the leaf: for `curl --cacert` where the CA's root is not among those that clients have. */
  readonly issuerChain: string;
  /** Where it came from, and when it is to be renewed. */
  readonly renewal: string;
}

export class CertificateFiles {
  readonly #paths: CertificatePaths;
  readonly #log: Log;

  constructor({ paths, log }: { paths: CertificatePaths; log: Log }) {
    this.#paths = paths;
    this.#log = log;
  }

  read(): HeldCertificate | undefined {
    const certificate = readCertificate(this.#paths.certificate);
    return certificate && readHeld(this.#paths.renewal, certificate);
  }

  /** A new certificate. */
  write(held: HeldCertificate): void {
    const { certificate } = held;
    this.#try(() => writeFileAtomic(this.#paths.certificate, certificate.chain));
    this.#try(() => writeFileAtomic(this.#paths.issuerChain, chainAbove(certificate).join("")));
    this.note(held);
  }

  /** A new plan for the same one. */
  note(held: HeldCertificate): void {
    this.#try(() => writeHeld(this.#paths.renewal, held));
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#log.warn("certificate.unsaved", { error: errorText(error) });
    }
  }
}
