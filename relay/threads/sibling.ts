/**
 * Another thread of the relay, as this one sees it: its parts of the tunnels that are held here, and the tunnels that are
 * held there, of which this thread has a part. No visitor waits for a message, but for one who finds no connection.
 */
import { receiveMessageOnPort, type MessagePort } from "node:worker_threads";
import type { Goaway } from "../../shared/tunnel/control.ts";
import type { TunnelControl } from "../tunnel/tunnel-control.ts";
import type { TunnelKeeper } from "../tunnel/tunnel-keeper.ts";
import type { ControlLink, TunnelPart } from "../tunnel/tunnel-part.ts";
import { HopLink } from "./hop-link.ts";
import type { SiblingMessage } from "./messages.ts";
import { RemotePart } from "./remote-part.ts";

/** What changes, or is asked, within this time is told at once: a message costs as much as a tenth of a visitor. */
const gatherMs = 2;

export interface SiblingOptions {
  port: MessagePort;
  /** Where it takes visitors of tunnels in one connection that are held there. */
  hopPort: number;
  hopSecret: Uint8Array;
  keeper: TunnelKeeper;
}

export class Sibling {
  /** Resolves when it has told of every tunnel that it held at the begin, or is gone. */
  readonly joined: Promise<void>;
  readonly #options: SiblingOptions;
  readonly #heldHere = new Map<number, { control: TunnelControl; part: RemotePart }>();
  readonly #heldThere = new Map<number, TunnelPart>();
  readonly #changed = new Set<number>();
  /** Who wants to know whether the node of a tunnel lives: until it is asked, by tunnel, and then by question. */
  readonly #doubts = new Map<number, ((alive: boolean) => void)[]>();
  readonly #asked = new Map<number, readonly ((alive: boolean) => void)[]>();
  #lastAsk = 0;
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #gone = false;
  #onJoined: () => void = () => {};

  constructor(options: SiblingOptions) {
    this.#options = options;
    this.joined = new Promise((resolve) => (this.#onJoined = resolve));
    options.port.on("message", (message: SiblingMessage) => this.#take(message));
    for (const control of options.keeper.controls.values()) if (!control.closed) this.open(control);
    this.#post({ type: "joined" });
  }

  /** Has it make a part of a tunnel that is held here. */
  open(control: TunnelControl): void {
    const { node, epoch, link } = control.admitted;
    const part = new RemotePart(control.id, (message) => this.#post(message));
    this.#heldHere.set(control.id, { control, part });
    this.#post({ type: "opened", id: control.id, node, epoch, hops: link !== undefined });
    control.join(part);
  }

  /** Takes what has been said and not been heard yet. */
  catchUp(): void {
    let received: { message: unknown } | undefined;
    while (!this.#gone && (received = receiveMessageOnPort(this.#options.port)))
      this.#take(received.message as SiblingMessage);
  }

  /** The other thread has ended, and with it what was held there. */
  end(): void {
    this.catchUp();
    this.#gone = true;
    this.#options.port.close();
    this.#onJoined();
    for (const doubts of [...this.#asked.values(), ...this.#doubts.values()]) for (const prove of doubts) prove(false);
    this.#asked.clear();
    this.#doubts.clear();
    for (const { control, part } of this.#heldHere.values()) control.leave(part);
    for (const part of this.#heldThere.values()) part.close();
  }

  #take(message: SiblingMessage): void {
    switch (message.type) {
      case "opened":
        return this.#makePart(message);
      case "close":
        return this.#heldThere.get(message.id)?.close();
      case "destroy":
        return this.#heldThere.get(message.id)?.destroy();
      case "trim":
        return this.#heldThere.get(message.id)?.trim(message.count);
      case "proof":
        for (const prove of this.#asked.get(message.ask) ?? []) prove(message.alive);
        this.#asked.delete(message.ask);
        return;
      case "joined":
        return this.#onJoined();
      case "told":
        for (const [id, state] of message.states) {
          const held = this.#heldHere.get(id);
          if (!held) continue;
          held.part.state = state;
          if (state.closed && state.busy === 0) this.#heldHere.delete(id);
          held.control.changed();
        }
        for (const [id, ask] of message.asks) void this.#prove(id, ask);
        return;
      case "retire":
        return this.#heldHere.get(message.id)?.control.retire(message.goaway);
    }
  }

  #makePart({ id, node, epoch, hops }: Extract<SiblingMessage, { type: "opened" }>): void {
    const { keeper, hopPort, hopSecret } = this.#options;
    const control: ControlLink = {
      changed: () => this.#change(id),
      proveAlive: () => this.#askProof(id),
      retire: (goaway: Goaway) => this.#post({ type: "retire", id, goaway }),
    };
    const link = hops ? new HopLink({ id, port: hopPort, secret: hopSecret }) : undefined;
    // What ends may be the other thread, and not what the node has said.
    const confirmEnd = (): Promise<boolean> => this.#askProof(id);
    this.#heldThere.set(id, keeper.addPart({ id, node, epoch, control, link, confirmEnd }));
  }

  async #prove(id: number, ask: number): Promise<void> {
    const alive = (await this.#heldHere.get(id)?.control.proveAlive()) ?? false;
    this.#post({ type: "proof", ask, alive });
  }

  #askProof(id: number): Promise<boolean> {
    if (this.#gone) return Promise.resolve(false);
    return new Promise((resolve) => {
      const doubts = this.#doubts.get(id);
      if (doubts) doubts.push(resolve);
      else this.#doubts.set(id, [resolve]);
      this.#tellSoon(false);
    });
  }

  #change(id: number): void {
    this.#changed.add(id);
    this.#tellSoon((this.#heldThere.get(id)?.state.waiting ?? 0) > 0);
  }

  #tellSoon(isUrgent: boolean): void {
    if (this.#timer && !(isUrgent && "refresh" in this.#timer)) return;
    if (this.#timer && "refresh" in this.#timer) clearTimeout(this.#timer);
    this.#timer = isUrgent ? setImmediate(() => this.#tell()) : setTimeout(() => this.#tell(), gatherMs);
  }

  #tell(): void {
    this.#timer = undefined;
    const states = [...this.#changed].flatMap((id) => {
      const state = this.#heldThere.get(id)?.state;
      if (state?.closed && state.busy === 0) this.#heldThere.delete(id);
      return state ? [[id, state] as const] : [];
    });
    const asks = [...this.#doubts].map(([id, doubts]) => {
      this.#asked.set(++this.#lastAsk, doubts);
      return [id, this.#lastAsk] as const;
    });
    this.#changed.clear();
    this.#doubts.clear();
    if (states.length + asks.length > 0) this.#post({ type: "told", states, asks });
  }

  #post(message: SiblingMessage): void {
    if (!this.#gone) this.#options.port.postMessage(message);
  }
}
