/** What an operator sees of the process as a whole and of what it hears from the edge. */
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

export interface ProcessState {
  routes: number;
  feed: { connected: boolean };
  draining: boolean;
}

/** `state` is read when somebody asks. */
export function processMetrics(state: () => ProcessState): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, read: (now: ProcessState) => number): void => {
    const named = { name: `postern_relay_${name}`, help, registers: [registry] };
    const metric: Gauge = new Gauge({ ...named, collect: () => metric.set(read(state())) });
  };
  gauge("routes", "Names this relay knows", (now) => now.routes);
  gauge("feed_connected", "1 while the edge tells of changes", (now) => Number(now.feed.connected));
  gauge("draining", "1 from SIGTERM on", (now) => Number(now.draining));
  collectDefaultMetrics({ register: registry });
  return registry;
}
