/** The node's tunnels: one to each relay that the edge names, under the newest epoch. */
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import type { Registration, RelayEndpoint } from "../../shared/registry/messages.ts";
import { version } from "../../shared/version.ts";
import { LostRelays } from "./lost-relays.ts";
import type { Transport, TransportSetting } from "./transport.ts";
import { startTunnel, type Tunnel, type Visitor } from "./tunnel.ts";

export interface TunnelsOptions {
  identity: Identity;
  transport: TransportSetting;
  clock: Clock;
  random: () => number;
  log: Log;
  onVisitor: (visitor: Visitor) => void;
  /** A tunnel went up or down, or changed its transport. */
  onChange: () => void;
  /** A relay says that a newer registration of this key exists; only the edge knows for sure. */
  onSuperseded: () => void;
  /** A relay says that it stops; only the edge knows which to use instead. */
  onDraining: () => void;
  /** A tunnel stays lost; only the edge knows which relay to use instead. */
  onLost: () => void;
}

/** Visitors still come to a relay that DNS names no more: for as long as somebody may remember the record. */
const serveMs = 2 * 60_000;
/** And those who came may stay so much longer. */
const finishMs = 10 * 60_000;

export class Tunnels {
  readonly #options: TunnelsOptions;
  /** What the edge should know of the relays it has named. */
  readonly lost: LostRelays;
  readonly #tunnels = new Map<string, Tunnel>();
  /** To relays that the edge names no more. */
  readonly #leaving = new Set<Tunnel>();

  constructor(options: TunnelsOptions) {
    this.#options = options;
    this.lost = new LostRelays({
      ...options,
      tunnels: () =>
        [...this.#tunnels.values()].map(({ relay, state, downSince }) => ({ relay: relay.relay, state, downSince })),
    });
  }

  /** Relays whose tunnel is up. */
  get up(): readonly RelayEndpoint[] {
    return [...this.#tunnels.values()].filter(({ state }) => state === "up").map(({ relay }) => relay);
  }

  /** The tunnel to a relay, if there is one. */
  to(relay: RelayEndpoint): Tunnel | undefined {
    return this.#tunnels.get(keyOf(relay));
  }

  /** In words, what does not go the best way; empty when everything does. */
  get fallbacks(): readonly string[] {
    return [...this.#tunnels.values()].flatMap(({ relay, transport, fallback }) =>
      fallback
        ? [`${relay.name} is reached ${transportWords[transport]}, since its pool does not work: ${fallback}`]
        : [],
    );
  }

  get total(): number {
    return this.#tunnels.size;
  }

  /**
   * Opens and keeps tunnels so that they are those of the registration, and leaves the others. An edge that names no
   * relay at all knows none that is better than those we have.
   */
  follow({ relays, epoch }: Pick<Registration, "relays" | "epoch">): void {
    const wanted = new Map(relays.map((relay) => [keyOf(relay), relay]));
    for (const [key, tunnel] of this.#tunnels) {
      if (tunnel.state === "superseded") this.#end(key, tunnel);
      else if (wanted.has(key) || wanted.size === 0) tunnel.setEpoch(epoch);
      else void this.#leave(key, tunnel);
    }
    for (const [key, relay] of wanted) if (!this.#tunnels.has(key)) this.#tunnels.set(key, this.#start(relay, epoch));
    this.lost.check();
  }

  /** Takes no new visitors, lets the present ones finish for `ms`, and closes. */
  async drain(ms: number): Promise<void> {
    await Promise.all([...this.#tunnels.values(), ...this.#leaving].map((tunnel) => tunnel.drain(ms)));
    this.#tunnels.clear();
    this.lost[Symbol.dispose]();
  }

  #start(relay: RelayEndpoint, epoch: number): Tunnel {
    const { onChange, onSuperseded, onDraining, onLost: _, ...options } = this.#options;
    const onState = (state: Tunnel["state"]): void => {
      this.lost.check();
      onChange();
      if (state === "superseded") onSuperseded();
      if (state === "draining") onDraining();
    };
    return startTunnel({ ...options, relay, epoch, version, onState, onTransport: onChange });
  }

  async #leave(key: string, tunnel: Tunnel): Promise<void> {
    this.#tunnels.delete(key);
    this.#leaving.add(tunnel);
    await tunnel.leave({ serveMs, finishMs });
    this.#leaving.delete(tunnel);
  }

  #end(key: string, tunnel: Tunnel): void {
    this.#tunnels.delete(key);
    void tunnel[Symbol.asyncDispose]();
  }
}

const transportWords: Record<Transport, string> = {
  pool: "directly",
  tls: "inside TLS",
  http2: "over a single connection",
};

function keyOf({ relay, host, port, name }: RelayEndpoint): string {
  return `${relay} ${host} ${port} ${name}`;
}
