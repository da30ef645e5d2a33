/** The node's tunnels: one to each relay that the edge names, under the newest epoch. */
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import type { Registration, RelayEndpoint } from "../../shared/registry/messages.ts";
import { version } from "../../shared/version.ts";
import type { Transport, TransportSetting } from "./transport.ts";
import { startTunnel, type Tunnel, type Visitor } from "./tunnel.ts";

export interface TunnelsOptions {
  identity: Identity;
  transport: TransportSetting;
  clock: Clock;
  log: Log;
  onVisitor: (visitor: Visitor) => void;
  /** A tunnel went up or down, or changed its transport. */
  onChange: () => void;
  /** A relay says that a newer registration of this key exists; only the edge knows for sure. */
  onSuperseded: () => void;
}

export class Tunnels {
  readonly #options: TunnelsOptions;
  readonly #tunnels = new Map<string, Tunnel>();

  constructor(options: TunnelsOptions) {
    this.#options = options;
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

  /** Opens, keeps and closes tunnels so that they are those of the registration. */
  follow({ relays, epoch }: Pick<Registration, "relays" | "epoch">): void {
    const wanted = new Map(relays.map((relay) => [keyOf(relay), relay]));
    for (const [key, tunnel] of this.#tunnels) {
      if (wanted.has(key) && tunnel.state !== "superseded") tunnel.setEpoch(epoch);
      else this.#end(key, tunnel);
    }
    for (const [key, relay] of wanted) if (!this.#tunnels.has(key)) this.#tunnels.set(key, this.#start(relay, epoch));
  }

  /** Takes no new visitors, lets the present ones finish for `ms`, and closes. */
  async drain(ms: number): Promise<void> {
    await Promise.all([...this.#tunnels.values()].map((tunnel) => tunnel.drain(ms)));
    this.#tunnels.clear();
  }

  #start(relay: RelayEndpoint, epoch: number): Tunnel {
    const { onChange, onSuperseded, ...options } = this.#options;
    const onState = (state: Tunnel["state"]): void => {
      onChange();
      if (state === "superseded") onSuperseded();
    };
    return startTunnel({ ...options, relay, epoch, version, onState, onTransport: onChange });
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
