import type { Tunnel } from "./tunnel.ts";

/** The tunnels that take visitors, by node. */
export class Tunnels {
  readonly #byNode = new Map<string, Tunnel[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(tunnel: Tunnel): void {
    this.#byNode.set(tunnel.node, [...this.of(tunnel.node), tunnel]);
    this.#size++;
  }

  remove(tunnel: Tunnel): void {
    const before = this.of(tunnel.node);
    const left = before.filter((one) => one !== tunnel);
    if (left.length > 0) this.#byNode.set(tunnel.node, left);
    else this.#byNode.delete(tunnel.node);
    this.#size -= before.length - left.length;
  }

  of(node: string): readonly Tunnel[] {
    return this.#byNode.get(node) ?? [];
  }

  all(): Tunnel[] {
    return [...this.#byNode.values()].flat();
  }

  /** The newest tunnel that is ready, else the newest: an older one may be dead and not know it yet. */
  choose(node: string, epoch: number): Tunnel | undefined {
    const tunnels = this.of(node);
    return (
      tunnels.findLast((tunnel) => tunnel.epoch === epoch && tunnel.ready) ??
      tunnels.findLast((tunnel) => tunnel.epoch === epoch)
    );
  }
}
