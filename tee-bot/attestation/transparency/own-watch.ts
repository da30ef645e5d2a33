/**
 * A node's look at the logs for its own names: a certificate with another key than its own is a trouble. It can be
 * silenced by whoever has the machine, so somebody else should run `postern watch` too.
 */
import type { Trouble } from "../../../shared/acme/ports.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { CertificateJudge } from "./certificate-judge.ts";
import { KnownKeys } from "./known-keys.ts";
import { createLogHttp } from "./log/log-http.ts";
import { openLog, parseLogSpec } from "./log-spec.ts";
import { LogWatch } from "./log-watch.ts";
import { openMemory, type MemoryFile, type ToldCertificate } from "./memory.ts";
import { Outbox } from "./outbox.ts";
import { createVoice } from "./voice.ts";

export const ownWatchIntervalMs = 300_000;
/** A share of the processor that visitors do not notice. */
const entriesPerSecond = 500;

export interface OwnWatchOptions {
  /** As `--log` of `postern watch` takes them. */
  readonly logs: readonly string[];
  /** SHA-256 of SubjectPublicKeyInfos, hex: the node's own key, and others that may be there. */
  readonly expected: readonly string[];
  readonly path: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The troubles are others than before. */
  readonly onChange: () => void;
}

export class OwnWatch {
  readonly #options: OwnWatchOptions;
  /** What is known; a trouble when it cannot be read, for then nothing is watched. */
  readonly #memory: MemoryFile | Trouble;
  readonly #watches: readonly LogWatch[];
  #names: readonly string[] = [];

  /** Throws `bad-request` when a log is not as it should be written. */
  constructor(options: OwnWatchOptions) {
    this.#options = options;
    this.#memory = openOrTrouble(options.path);
    this.#watches = "memory" in this.#memory ? this.#open(this.#memory) : [];
  }

  /** The names that the node has. */
  follow(names: readonly string[]): void {
    this.#names = names;
  }

  get troubles(): Trouble[] {
    if (!("memory" in this.#memory)) return [this.#memory];
    const now = this.#options.clock.now();
    const foreign = this.#memory.memory.told.filter(
      ({ name, explained, notAfter }) => !explained && notAfter > now && this.#names.includes(name),
    );
    return [...foreign.map(foreignTrouble), ...this.#watches.flatMap((watch) => watch.trouble ?? [])];
  }

  /** Looks until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#watches.map((watch) => this.#repeat(watch, signal)));
  }

  #open(file: MemoryFile): LogWatch[] {
    const { logs, expected, fetch, clock, random, log } = this.#options;
    const outbox = new Outbox({ webhook: undefined, file, fetch, clock, random, log });
    const raise = createVoice({ outbox, alerts: log, clock });
    const known = new KnownKeys({ expected, ask: undefined, simulated: false, file, clock, log });
    const judge = new CertificateJudge({ names: () => this.#names, known, file, raise, log });
    judge.explain();
    return logs.map(parseLogSpec).map((spec) => {
      const one = openLog(spec, createLogHttp({ url: spec.url, fetch, clock, random }));
      return new LogWatch({ log: one, from: "now", entriesPerSecond, judge, file, raise, clock, report: log });
    });
  }

  async #repeat(watch: LogWatch, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const before = JSON.stringify(this.troubles);
        await watch.round(signal);
        if (JSON.stringify(this.troubles) !== before) this.#options.onChange();
      } catch (error) {
        if (!signal.aborted) this.#options.log.warn("watch.failed", { error: errorText(error) });
      }
      await this.#options.clock.sleep(ownWatchIntervalMs, signal).catch(() => {});
    }
  }
}

function openOrTrouble(path: string): MemoryFile | Trouble {
  try {
    return openMemory(path);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const detail = `The logs of certificates are not watched: ${error.detail}`;
    return { detail, remedy: `Move ${path} away, and start the node again.` };
  }
}

function foreignTrouble({ name, issuer, serial }: ToldCertificate): Trouble {
  return {
    detail: `A public log has a certificate for ${name} with a key that is not this node's (${issuer}, serial ${serial}).`,
    remedy:
      "If it is not yours, have its CA revoke it, and find out who could change the name's DNS; if it is, put its key into attestation.watch.expect.",
  };
}
