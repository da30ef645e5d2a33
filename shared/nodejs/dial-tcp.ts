import { connect, type Socket } from "node:net";
import { lookupWithLoopback } from "./loopback-lookup.ts";

const keepAliveMs = 30_000;

/** A connection that a visitor may travel over: half-open as visitors may be, without delay, and missed when its path is cut. */
export function dialTcp(host: string, port: number): Socket {
  return connect({
    host,
    port,
    lookup: lookupWithLoopback,
    noDelay: true,
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  });
}
