/** One simulated machine with what its guest agent can do for it, as the calls use it. */
import { reportDataBytes } from "../pki/reports.ts";
import type { SimulatorPki } from "../pki.ts";
import type { Clock } from "../../../../shared/clock.ts";
import { AgentError } from "./agent-error.ts";
import { AppKeys } from "./app-keys.ts";
import type { Faults } from "./faults.ts";
import type { KeyProvider } from "./key-provider.ts";
import type { Machine } from "./machine.ts";
import { deriveP256Key, issueTlsKey, type TlsKeyRequest } from "./tls-key.ts";

export interface GuestOptions {
  readonly machine: Machine;
  readonly pki: SimulatorPki;
  readonly keyProvider: KeyProvider;
  readonly clock: Clock;
  /** What a quote takes of the hardware, which makes one at a time. */
  readonly quoteMs: number;
  readonly faults: Faults;
}

/** As a quote is given to the caller: its log is of the same moment. */
export interface Quoted {
  readonly quote: Uint8Array;
  readonly reportData: Uint8Array;
  readonly eventLog: string;
}

/** Callers that wait for the hardware at once. */
const maxWaiting = 1_000;

export class Guest {
  readonly machine: Machine;
  readonly keys: AppKeys;
  readonly #options: GuestOptions;
  #lastQuote: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: GuestOptions) {
    const { machine, keyProvider } = options;
    this.machine = machine;
    this.keys = new AppKeys(keyProvider.rootKey, machine.appId);
    this.#options = options;
  }

  /** Waits its turn. At most 64 bytes; zeros follow. */
  quote(data: Uint8Array): Promise<Quoted> {
    if (data.length > reportDataBytes) throw new AgentError("Report data is too long");
    const reportData = Buffer.concat([data, Buffer.alloc(reportDataBytes - data.length)]);
    if (this.#waiting >= maxWaiting) throw new AgentError("Too many calls wait for a quote");
    this.#waiting++;
    const turn = this.#lastQuote.then(() => this.#quoteNow(reportData)).finally(() => this.#waiting--);
    this.#lastQuote = turn.catch(() => undefined);
    return turn;
  }

  async tlsKey(secret: Uint8Array, path: string, request: TlsKeyRequest) {
    const { keyProvider, clock } = this.#options;
    const quote = (reportData: Uint8Array): Promise<Quoted> => this.quote(reportData);
    const { appId } = this.machine;
    return issueTlsKey(deriveP256Key(secret, path), request, { ca: keyProvider.ca, appId, now: clock.now(), quote });
  }

  async #quoteNow(reportData: Uint8Array): Promise<Quoted> {
    const { pki, clock, quoteMs, faults } = this.#options;
    if (quoteMs > 0) await clock.sleep(quoteMs);
    if (faults.withoutQuotes) throw new AgentError("Failed to get quote");
    const { measurements, eventLog } = this.machine;
    return { quote: pki.signQuote({ ...measurements, reportData }), reportData, eventLog };
  }
}
