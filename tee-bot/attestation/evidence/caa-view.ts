/** The CAA records of the node's names as a resolver sees them: who else could get a certificate for one. */
import { fetchEffectiveCaa } from "../../../shared/dns/effective-caa.ts";
import type { DnsServer } from "../../../shared/dns/server.ts";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Evidence } from "../../../shared/attestation/evidence.ts";
import type { Log } from "../../../shared/log.ts";

export interface CaaViewOptions {
  /** Asked one after the other until one answers; none: the records are not shown. */
  readonly resolvers: () => readonly DnsServer[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Records live for five minutes; who verifies asks DNS himself, this is for who reads it later. */
const caaAgeMs = 15 * 60_000;
const maxNames = 16;
const maxRecords = 32;

/** Evidence does not wait longer for DNS that does not answer; then it shows none, or those of before. */
const caaWaitMs = 2_000;

export class CaaView {
  readonly #options: CaaViewOptions;
  #of = "";
  #at = 0;
  #asked: Promise<Evidence["caa"]> | undefined;
  #known: Evidence["caa"] = [];

  constructor(options: CaaViewOptions) {
    this.#options = options;
  }

  /** Of each name that could be asked for. Never throws. */
  async of(hostnames: readonly string[], zone: string | undefined): Promise<Evidence["caa"]> {
    const { clock } = this.#options;
    const now = clock.now();
    const of = hostnames.join();
    if (this.#of !== of) this.#known = [];
    if (!this.#asked || this.#of !== of || now - this.#at >= caaAgeMs) {
      this.#of = of;
      this.#at = now;
      this.#asked = this.#ask(hostnames, zone);
    }
    const done = new AbortController();
    const late = clock.sleep(caaWaitMs, done.signal).then(
      () => this.#known,
      () => this.#known,
    );
    this.#known = await Promise.race([this.#asked, late]);
    done.abort();
    return this.#known;
  }

  async #ask(hostnames: readonly string[], zone: string | undefined): Promise<Evidence["caa"]> {
    const names = hostnames.slice(0, maxNames);
    const answers = await Promise.all(names.map((name) => this.#askOne(name, zone ?? name)));
    return answers.filter((one) => one !== undefined);
  }

  async #askOne(name: string, zone: string): Promise<Evidence["caa"][number] | undefined> {
    for (const resolver of this.#options.resolvers())
      try {
        const { contents } = await fetchEffectiveCaa(name, zone, resolver);
        return { name, records: contents.slice(0, maxRecords) };
      } catch (error) {
        this.#options.log.info("caa.unseen", { name, resolver: resolver.address, error: errorText(error) });
      }
    return undefined;
  }
}
