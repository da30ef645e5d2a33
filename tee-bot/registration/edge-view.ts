/**
 * What the edge knows of this node besides its lease: plans of renewals, and troubles that somebody has to look at.
 * Asked every few minutes, and soon after something has changed.
 */
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { nodeViewSchema, type NodeView, type RenewalPlan } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface EdgeViewOptions {
  node: NodeId;
  edge: EdgeClient;
  clock: Clock;
  log: Log;
  random: () => number;
  /** The view says something else than before. */
  onChange: () => void;
}

const intervalMs = 5 * 60_000;
/** After a change; several in a row are one. */
const settleMs = 1_000;
/** And once more after that: the edge looks at what it has changed from outside, half a minute later. */
const secondLookMs = 60_000;

export class EdgeView {
  readonly #options: EdgeViewOptions;
  #current: NodeView | undefined;
  #wanted = false;
  #wake: AbortController = new AbortController();

  constructor(options: EdgeViewOptions) {
    this.#options = options;
  }

  get troubles(): NodeView["troubles"] {
    return this.#current?.troubles ?? [];
  }

  /** URIs of the ACME accounts that CAA records let in; none while the edge has not said. */
  get accounts(): NodeView["accounts"] {
    return this.#current?.accounts ?? [];
  }

  /** The plan for the certificate that ends at `notAfter` (ms since the Unix epoch). */
  planOf(notAfter: number): RenewalPlan | undefined {
    const held = this.#current?.certificates.find(
      (one) => one.purpose === "serve" && one.status === "valid" && one.notAfter === notAfter,
    );
    return held?.renewal;
  }

  /** Asks soon rather than at the next interval. */
  check(): void {
    this.#wanted = true;
    this.#wake.abort();
  }

  /** Asks until the signal aborts; with the edge away what it said last stands. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    for (let changed = false; !signal.aborted;) {
      const waitMs = changed ? secondLookMs : intervalMs;
      if (!this.#wanted) await this.#rest(waitMs * (0.8 + 0.4 * random()), signal);
      await clock.sleep(settleMs, signal).catch(() => {});
      changed = this.#wanted;
      this.#wanted = false;
      if (!signal.aborted) await this.#ask(signal);
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { edge, node, log, onChange } = this.#options;
    try {
      const view = await edge.request("GET", `/v1/nodes/${node}`, nodeViewSchema, { signal });
      const before = JSON.stringify([this.#current?.troubles, this.#current?.certificates, this.#current?.accounts]);
      this.#current = view;
      if (JSON.stringify([view.troubles, view.certificates, view.accounts]) === before) return;
      for (const { detail } of view.troubles) log.warn("trouble.told", { detail });
      onChange();
    } catch (error) {
      if (!signal.aborted) log.info("view.kept", { error: errorText(error) });
    }
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    await this.#options.clock.sleep(ms, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
  }
}
