import type { MessagePort } from "node:worker_threads";
import type { TunnelControl } from "../tunnel/tunnel-control.ts";
import type { TunnelKeeper } from "../tunnel/tunnel-keeper.ts";
import { Sibling } from "./sibling.ts";

/** The other threads of this relay, as they come and go. */
export class Siblings {
  readonly #hopSecret: Uint8Array;
  readonly #byThread = new Map<number, Sibling>();

  constructor(hopSecret: Uint8Array) {
    this.#hopSecret = hopSecret;
  }

  add(thread: number, ways: { port: MessagePort; hopPort: number }, keeper: TunnelKeeper): void {
    this.#byThread.set(thread, new Sibling({ ...ways, hopSecret: this.#hopSecret, keeper }));
  }

  remove(thread: number): void {
    const sibling = this.#byThread.get(thread);
    this.#byThread.delete(thread);
    sibling?.end();
  }

  /** Tells all of a tunnel that is held here. */
  open(control: TunnelControl): void {
    for (const sibling of this.#byThread.values()) sibling.open(control);
  }

  /** Hears everything that was said before now. */
  catchUp(): void {
    for (const sibling of this.#byThread.values()) sibling.catchUp();
  }

  /** Resolves when each has told which tunnels it holds. */
  async joined(): Promise<void> {
    await Promise.all([...this.#byThread.values()].map((sibling) => sibling.joined));
  }
}
