import { isPoolUnfit } from "./transport.ts";

/**
 * Watches what becomes of one pool's connections, and tells when they do not get through although the relay is there:
 * what a relay's own end looks like is no reason to change the transport.
 */
export class PoolWitness {
  /** Resolves with the reason, once. */
  readonly unfit: Promise<string>;
  readonly #relayLives: () => Promise<boolean>;
  #tell: (reason: string) => void = () => {};
  #failed = 0;
  #missed = 0;

  constructor(relayLives: () => Promise<boolean>) {
    this.#relayLives = relayLives;
    this.unfit = new Promise((resolve) => (this.#tell = resolve));
  }

  saw(outcome: "worked" | "failed", detail: string): void {
    if (outcome === "worked") this.#failed = this.#missed = 0;
    else {
      this.#failed++;
      this.#judge(`${this.#failed} connections in a row failed: ${detail}`);
    }
  }

  /** The relay has not got so many of the passes it gave. */
  missed(passes: number): void {
    this.#missed += passes;
    this.#judge(`${this.#missed} connections did not reach the relay.`);
  }

  #judge(reason: string): void {
    if (!isPoolUnfit({ failed: this.#failed, missed: this.#missed })) return;
    void this.#tellIfRelayLives(reason);
  }

  async #tellIfRelayLives(reason: string): Promise<void> {
    if (await this.#relayLives()) this.#tell(reason);
  }
}
