import type { Tunnel } from "./tunnel.ts";

/** The tunnels that take visitors, by node. */
export class Tunnels {
  readonly #byNode = new Map<string, Tunnel[]>();
  readonly #onMissing: () => void;

  /** `onMissing` may add what is asked for and not there. */
  constructor({ onMissing = () => {} }: { onMissing?: (() => void) | undefined } = {}) {
    this.#onMissing = onMissing;
  }

  add(tunnel: Tunnel): void {
    this.#byNode.set(tunnel.node, [...this.of(tunnel.node), tunnel]);
  }

  remove(tunnel: Tunnel): void {
    const left = this.of(tunnel.node).filter((one) => one !== tunnel);
    if (left.length > 0) this.#byNode.set(tunnel.node, left);
    else this.#byNode.delete(tunnel.node);
  }

  of(node: string): readonly Tunnel[] {
    return this.#byNode.get(node) ?? [];
  }

  /** The newest tunnel that is ready, else the newest: an older one may be dead and not know it yet. */
  choose(node: string, epoch: number): Tunnel | undefined {
    const tunnel = this.#choose(node, epoch);
    if (tunnel) return tunnel;
    this.#onMissing();
    return this.#choose(node, epoch);
  }

  #choose(node: string, epoch: number): Tunnel | undefined {
    let chosen: Tunnel | undefined;
    for (const tunnel of this.of(node)) if (tunnel.epoch === epoch && (tunnel.ready || !chosen?.ready)) chosen = tunnel;
    return chosen;
  }
}
