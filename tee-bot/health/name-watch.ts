/**
 * Repeats the loopback check for as long as the node runs: often while the name does not answer, at leisure once it
 * does, and at once when something changed (`check()`).
 */
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import type { Target } from "../expose/target.ts";
import { checkLoopback, fetchServedKey } from "./loopback.ts";

export interface NameWatchOptions {
  /** What to check, or undefined while there is no name or no tunnel yet. */
  subject: () => NameWatchSubject | undefined;
  clock: Clock;
  log: Log;
  onChange: () => void;
}

export interface NameWatchSubject {
  hostnames: readonly string[];
  relays: readonly RelayEndpoint[];
  roots: readonly string[];
  /** A chain may end in one of `roots` that is no root itself. */
  partial?: boolean;
  /** The key that must answer: ours, or that of the TLS server we expose. */
  spki: Buffer;
  target: Target;
}

const unhealthyIntervalMs = 1_000;
const healthyIntervalMs = 30_000;

export class NameWatch {
  readonly #options: NameWatchOptions;
  #problem: string | undefined = "not checked yet";
  #wasHealthy = false;
  #expected: Buffer | undefined;
  #wake: AbortController = new AbortController();

  constructor(options: NameWatchOptions) {
    this.#options = options;
  }

  /** Why the name does not answer as it should; undefined when it does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The key (SubjectPublicKeyInfo, DER) that answered at home when it was last looked at. */
  get expected(): Buffer | undefined {
    return this.#expected;
  }

  /** Whether the name has answered since this process began. */
  get wasHealthy(): boolean {
    return this.#wasHealthy;
  }

  /** Checks again now rather than at the next interval. */
  check(): void {
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, onChange } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const before = this.#problem;
      const expectedBefore = this.#expected;
      this.#problem = await this.#checkAll();
      if (this.#problem === undefined) this.#wasHealthy = true;
      const isNews = this.#problem !== before;
      if (isNews) log.info(this.#problem === undefined ? "name.answered" : "name.failed", { problem: this.#problem });
      if (isNews || areOther(this.#expected, expectedBefore)) onChange();
      const waitMs = this.#problem === undefined ? healthyIntervalMs : unhealthyIntervalMs;
      await clock.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
    }
  }

  async #checkAll(): Promise<string | undefined> {
    const subject = this.#options.subject();
    if (!subject) return "there is no certificate or no tunnel yet";
    let expected = subject.spki;
    try {
      expected = await expectedKey(subject);
      this.#expected = expected;
    } catch (error) {
      return `the exposed TLS server does not answer: ${errorText(error)}`;
    }
    for (const serverName of subject.hostnames) {
      for (const relay of subject.relays) {
        const { roots, partial = false, target } = subject;
        const chain = target.kind !== "tls";
        const problem = await checkLoopback(relay, { serverName, roots, partial, spki: expected, chain });
        if (problem !== undefined) return problem;
      }
    }
    return undefined;
  }
}

function areOther(key: Buffer | undefined, before: Buffer | undefined): boolean {
  return key !== undefined && before?.equals(key) !== true;
}

/** With TLS handed on, the key to expect is the one that the local server shows when it is asked directly. */
async function expectedKey({ target, spki, hostnames }: NameWatchSubject): Promise<Buffer> {
  if (target.kind !== "tls") return spki;
  const { host, port, proxy } = target;
  return (await fetchServedKey({ host, port, proxy, serverName: hostnames[0] ?? host, roots: [] })).spki;
}
