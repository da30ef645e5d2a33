/** The tunnels of this relay: opens one for each node let in, and ends those whose node may not be served any more. */
import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { Goaway } from "../../shared/tunnel/control.ts";
import { decideRetirement } from "./admission.ts";
import type { RelayLimits } from "../config.ts";
import type { AdmittedNode, NodeEvents } from "../door/control-door.ts";
import type { RelayMetrics } from "../operations/metrics.ts";
import { Http2Tunnel, type VisitorLink } from "./http2-tunnel.ts";
import type { PassTable } from "./pass-table.ts";
import { Passes } from "./passes.ts";
import { PoolTunnel } from "./pool-tunnel.ts";
import type { Tunnel } from "./tunnel.ts";
import { TunnelControl } from "./tunnel-control.ts";
import type { ControlLink, TunnelPart } from "./tunnel-part.ts";
import { Tunnels } from "./tunnels.ts";

const announceEveryMs = 100;

export interface TunnelKeeperOptions {
  limits: RelayLimits;
  table: PassTable;
  /** Nodes that are told at once that the relay stops, ten times a second. */
  announcedAtOnce: number;
  /** The newest epoch known of a node; undefined when it has no name. */
  epochOf: (node: string) => number | undefined;
  /** A node was let in; what it said first is not answered yet. */
  onOpened?: (control: TunnelControl) => void;
  /** Visitors may be served by one tunnel more. */
  onPart: () => void;
  /** Told when something is asked for that this thread does not have. */
  onMissing?: () => void;
  metrics: RelayMetrics;
  clock: Clock;
  log: Log;
}

/** What a thread must know of a tunnel to have a part of it. */
export interface PartOptions {
  id: number;
  node: NodeId;
  epoch: number;
  control: ControlLink;
  /** Of a tunnel in one connection. */
  link: VisitorLink | undefined;
  confirmEnd: () => Promise<boolean>;
}

export class TunnelKeeper {
  readonly tunnels: Tunnels;
  /** Those whose control connection is here, until it ends. */
  readonly controls = new Map<number, TunnelControl>();
  readonly #options: TunnelKeeperOptions;
  readonly #parts = new Map<number, Tunnel & TunnelPart>();
  #size = 0;

  constructor(options: TunnelKeeperOptions) {
    this.#options = options;
    this.tunnels = new Tunnels(options);
  }

  /** Tunnels that take visitors and have their control connection here. */
  get size(): number {
    return this.#size;
  }

  get poolIdle(): number {
    let idle = 0;
    for (const part of this.#parts.values()) idle += part.state.idle;
    return idle;
  }

  /** Lets a node in whose control connection has come here. */
  open(admitted: AdmittedNode): NodeEvents {
    const { limits, table, metrics, clock, log, onOpened } = this.#options;
    const { node, epoch, version, link } = admitted;
    const openedAt = clock.now();
    const id = table.newTunnel();
    const control = new TunnelControl({
      id,
      admitted,
      passes: new Passes({ table, tunnel: id, clock }),
      floor: limits.poolFloor,
      cap: limits.poolCap,
      onClosed: () => this.#size--,
      clock,
      log,
    });
    this.#size++;
    this.controls.set(id, control);
    control.join(this.addPart({ id, node, epoch, control, link, confirmEnd: () => Promise.resolve(true) }));
    onOpened?.(control);
    log.info("tunnel.opened", { node, epoch, version, ...(link && { transport: "http2" }) });
    return {
      onGoaway: () => control.close(),
      onEnd: (end, detail) => {
        this.controls.delete(id);
        metrics.tunnelEnded(end);
        log.info("tunnel.closed", { node, epoch, end, detail, openMs: clock.now() - openedAt });
        // A frozen node holds its visitors for ever; one that only lost its control connection may still serve them.
        if (end === "silent") control.destroy();
        else control.close();
      },
    };
  }

  /** Has visitors of this thread served by a tunnel, wherever its control connection is. */
  addPart({ id, link, ...options }: PartOptions): Tunnel & TunnelPart {
    const { limits, metrics, clock, onPart } = this.#options;
    const onClosed = (): void => {
      this.tunnels.remove(part);
      this.#parts.delete(id);
    };
    const shared = { ...options, onClosed, pairingMs: limits.pairingMs, clock };
    const part: Tunnel & TunnelPart = link
      ? new Http2Tunnel({ ...shared, link })
      : new PoolTunnel({ ...shared, onEmpty: () => metrics.pool("miss") });
    this.#parts.set(id, part);
    this.tunnels.add(part);
    onPart();
    return part;
  }

  /** Gives a pool connection to the tunnel whose pass it has. */
  adopt(socket: Socket, pass: Uint8Array): boolean {
    const { table, onMissing } = this.#options;
    const id = table.redeem(pass);
    if (id === undefined) return false;
    if (!this.#parts.has(id)) onMissing?.();
    const part = this.#parts.get(id);
    part?.adopt?.(socket);
    return part !== undefined;
  }

  /** The epoch or the names of these nodes may have changed. */
  judge(nodes: Iterable<string>): void {
    for (const node of nodes) {
      for (const tunnel of this.tunnels.of(node)) {
        const goaway = decideRetirement(tunnel.epoch, this.#options.epochOf(node));
        if (goaway) tunnel.retire(goaway);
      }
    }
  }

  /**
   * Tells every node, while their tunnels go on. Some at a time: each asks the edge at once where else to go. Resolves
   * when all know, or the signal aborts.
   */
  async announce(goaway: Goaway, signal: AbortSignal): Promise<void> {
    const { announcedAtOnce, clock } = this.#options;
    let told = 0;
    for (const { admitted } of this.controls.values()) {
      if (told++ % announcedAtOnce === announcedAtOnce - 1) await clock.sleep(announceEveryMs, signal).catch(() => {});
      if (signal.aborted) return;
      admitted.channel.send({ type: "goaway", ...goaway });
    }
  }

  retireAll(goaway: Goaway): void {
    for (const control of this.controls.values()) control.retire(goaway);
  }

  destroy(): void {
    for (const control of this.controls.values()) control.destroy();
  }
}
