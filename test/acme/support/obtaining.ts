/** A node's order under way: what a person is told of it, and what is stored, as the node's keeper does both. */
import type { Trouble } from "../../../shared/acme/ports.ts";
import { systemClock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { CertificateRequest, CertificateSource } from "../../../tee-bot/certificate/certificate-source.ts";
import { until } from "../../support/postern.ts";

const patienceMs = 30_000;
const againMs = 250;

export class Obtaining {
  readonly words: string[] = [];
  readonly troubles: Trouble[] = [];
  readonly #stop = new AbortController();
  readonly #chain: Promise<string>;
  #request: CertificateRequest;

  constructor(source: CertificateSource, request: CertificateRequest) {
    this.#request = request;
    this.#chain = this.#follow(source);
    this.#chain.catch(() => {}); // it may be asked for later, or never
  }

  /** The certificate, PEM. Rejects when the order is refused. */
  chain(): Promise<string> {
    return this.#chain;
  }

  /** Ends the process, as it were; the request as it was stored. */
  crash(): CertificateRequest {
    this.#stop.abort();
    return this.#request;
  }

  /** Until a person is told of a trouble. */
  async troubled(): Promise<Trouble> {
    await until(() => this.troubles.length > 0, patienceMs, "a trouble is told");
    return this.troubles[0] ?? { detail: "", remedy: "" };
  }

  async #follow(source: CertificateSource): Promise<string> {
    const { signal } = this.#stop;
    for (const deadline = Date.now() + patienceMs; ;) {
      try {
        const end = await source.obtain(this.#request, {
          signal,
          tell: (words, trouble) => {
            this.words.push(words);
            if (trouble) this.troubles.push(trouble);
          },
          save: (progress) => {
            if (!signal.aborted) this.#request = { ...this.#request, progress };
          },
        });
        if (end.status === "valid") return end.chain;
        throw new Refused(`${end.trouble.detail} ${end.trouble.remedy}`);
      } catch (error) {
        if (signal.aborted || error instanceof Refused || Date.now() > deadline) throw error;
        this.words.push(errorText(error)); // the edge is away
        await systemClock.sleep(againMs, signal);
      }
    }
  }
}

class Refused extends Error {
  override readonly name = "Refused";
}
