/** The tunnels of this relay: opens one for each node let in, and ends those whose node may not be served any more. */
import type { Socket } from "node:net";
import type { Clock } from "../shared/clock.ts";
import type { Log } from "../shared/log.ts";
import type { ControlChannel } from "../shared/nodejs/control-channel.ts";
import type { Goaway } from "../shared/tunnel/control.ts";
import { decideRetirement } from "./admission.ts";
import type { RelayLimits } from "./config.ts";
import type { AdmittedNode, NodeEvents } from "./control.ts";
import type { RelayMetrics } from "./metrics.ts";
import { Http2Tunnel } from "./http2-tunnel.ts";
import { Passes } from "./passes.ts";
import { PoolTunnel } from "./pool-tunnel.ts";
import type { Tunnel } from "./tunnel.ts";
import { Tunnels } from "./tunnels.ts";

/** 500 nodes a second: what the relays they go to, and the edge, take without a queue. */
const announcedAtOnce = 50;
const announceEveryMs = 100;

export interface TunnelKeeperOptions {
  limits: RelayLimits;
  /** The newest epoch known of a node; undefined when it has no name. */
  epochOf: (node: string) => number | undefined;
  metrics: RelayMetrics;
  clock: Clock;
  log: Log;
}

export class TunnelKeeper {
  readonly tunnels = new Tunnels();
  readonly #options: TunnelKeeperOptions;
  readonly #passes: Passes<PoolTunnel>;
  /** Those retired too, until their last visitor has left. */
  readonly #all = new Set<PoolTunnel | Http2Tunnel>();
  readonly #channels = new Map<Tunnel, ControlChannel>();

  constructor(options: TunnelKeeperOptions) {
    this.#options = options;
    this.#passes = new Passes(options);
  }

  get poolIdle(): number {
    let idle = 0;
    for (const tunnel of this.#all) idle += tunnel.idle;
    return idle;
  }

  open(admitted: AdmittedNode): NodeEvents {
    const { metrics, clock, log } = this.#options;
    const { node, epoch, version, link } = admitted;
    const openedAt = clock.now();
    const tunnel = this.#open(admitted);
    this.#all.add(tunnel);
    this.tunnels.add(tunnel);
    this.#channels.set(tunnel, admitted.channel);
    log.info("tunnel.opened", { node, epoch, version, ...(link && { transport: "http2" }) });
    return {
      onGoaway: () => {
        this.tunnels.remove(tunnel);
        tunnel.close();
      },
      onEnd: (end, detail) => {
        this.tunnels.remove(tunnel);
        this.#all.delete(tunnel);
        this.#channels.delete(tunnel);
        metrics.tunnelEnded(end);
        log.info("tunnel.closed", { node, epoch, end, detail, openMs: clock.now() - openedAt });
        // A frozen node holds its visitors for ever; one that only lost its control connection may still serve them.
        if (end === "silent") tunnel.destroy();
        else tunnel.close();
      },
    };
  }

  /** Gives a pool connection to the tunnel whose pass it has. */
  adopt(socket: Socket, pass: Uint8Array): boolean {
    const tunnel = this.#passes.redeem(pass);
    tunnel?.adopt(socket);
    return tunnel !== undefined;
  }

  /** The epoch or the names of these nodes may have changed. */
  judge(nodes: Iterable<string>): void {
    for (const node of nodes) {
      for (const tunnel of this.tunnels.of(node)) {
        const goaway = decideRetirement(tunnel.epoch, this.#options.epochOf(node));
        if (goaway) this.#retire(tunnel, goaway);
      }
    }
  }

  /**
   * Tells every node, while their tunnels go on. Some at a time: each asks the edge at once where else to go. Resolves
   * when all know, or the signal aborts.
   */
  async announce(goaway: Goaway, signal: AbortSignal): Promise<void> {
    let told = 0;
    for (const channel of this.#channels.values()) {
      if (told++ % announcedAtOnce === announcedAtOnce - 1)
        await this.#options.clock.sleep(announceEveryMs, signal).catch(() => {});
      if (signal.aborted) return;
      channel.send({ type: "goaway", ...goaway });
    }
  }

  retireAll(goaway: Goaway): void {
    for (const tunnel of this.tunnels.all()) this.#retire(tunnel, goaway);
  }

  destroy(): void {
    for (const tunnel of this.#all) tunnel.destroy();
  }

  #open({ link, ...admitted }: AdmittedNode): PoolTunnel | Http2Tunnel {
    const { limits, metrics, clock } = this.#options;
    const { pairingMs, poolFloor: floor, poolCap: cap } = limits;
    if (link) return new Http2Tunnel({ ...admitted, link, pairingMs, clock });
    const onEmpty = (): void => metrics.pool("miss");
    return new PoolTunnel({ ...admitted, passes: this.#passes, floor, cap, pairingMs, clock, onEmpty });
  }

  #retire(tunnel: Tunnel, goaway: Goaway): void {
    this.#options.log.info("tunnel.retired", { node: tunnel.node, epoch: tunnel.epoch, reason: goaway.reason });
    this.tunnels.remove(tunnel);
    tunnel.retire(goaway);
  }
}
