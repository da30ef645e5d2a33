/**
 * Answers the CA's `tls-alpn-01` validation in this process (RFC 8737): the relay hands the CA's connection on like any
 * visitor's, and TLS ends here. It holds a certificate only for names whose challenge is pending; the terminator asks
 * it about nobody while there is none.
 */
import { createSecureContext, type SecureContext } from "node:tls";
import type { AlpnResponder } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Challenges } from "../server/terminator.ts";
import { createAlpnCertificate } from "./alpn-certificate.ts";

export class TlsAlpnResponder implements AlpnResponder, Challenges {
  readonly #clock: Clock;
  readonly #contexts = new Map<string, SecureContext>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  async present(hostname: string, keyAuthorization: string): Promise<void> {
    const { certificate, key } = await createAlpnCertificate(hostname, keyAuthorization, this.#clock.now());
    this.#contexts.set(hostname.toLowerCase(), createSecureContext({ cert: certificate, key }));
  }

  withdraw(hostname: string): void {
    this.#contexts.delete(hostname.toLowerCase());
  }

  get pending(): boolean {
    return this.#contexts.size > 0;
  }

  contextFor(serverName: string): SecureContext | undefined {
    return this.#contexts.get(serverName.toLowerCase());
  }
}
