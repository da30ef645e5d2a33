/** The whole of `GET /metrics`: what calls came to, how the gateway and its providers are now, and the process. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { ProviderHealth } from "../catalogue/provider-health.ts";

export interface GatewayState {
  readonly running: number;
  readonly waiting: number;
  /** Calls without a key that is good, by what was wrong with it. */
  readonly refused: ReadonlyMap<string, number>;
  readonly providers: readonly ProviderHealth[];
}

const providerStates = ["up", "asleep", "refused-key", "broken"];
const breakerStates = ["closed", "open", "half-open"];

/**
 * Answers what reads them, in the text format of Prometheus. Nothing is measured of the process before somebody asks for the
 * first time: to look at the event loop costs something.
 */
export function gatewayMetrics(requests: Registry, state: () => GatewayState): () => Promise<string> {
  let registry: Registry | undefined;
  return () => {
    registry ??= stateMetrics(state);
    return Registry.merge([requests, registry]).metrics(); // others may have added theirs meanwhile
  };
}

function stateMetrics(state: () => GatewayState): Registry {
  const registry = new Registry();
  const named = (name: string, help: string) => ({ name: `postern_gateway_${name}`, help, registers: [registry] });
  const gauge = (name: string, help: string, read: (now: GatewayState) => number): void => {
    const metric: Gauge = new Gauge({ ...named(name, help), collect: () => metric.set(read(state())) });
  };
  gauge("calls", "Calls under way", (now) => now.running);
  gauge("queue", "Calls that wait for their turn", (now) => now.waiting);

  const refused: Counter = new Counter({
    ...named("key_refusals_total", "Calls that were not let in, by what was wrong with their key"),
    labelNames: ["why"],
    collect: () => {
      refused.reset();
      for (const [why, count] of state().refused) refused.inc({ why }, count);
    },
  });

  const perProvider = (
    name: string,
    help: string,
    label: string,
    set: (gauge: Gauge, one: ProviderHealth) => void,
  ): void => {
    const metric: Gauge = new Gauge({
      ...named(name, help),
      labelNames: label === "" ? ["provider"] : ["provider", label],
      collect: () => {
        metric.reset(); // providers come and go with the settings
        for (const one of state().providers) set(metric, one);
      },
    });
  };
  perProvider("provider_calls", "Attempts under way at a provider", "", (metric, { id, outstanding }) =>
    metric.set({ provider: id }, outstanding ?? 0),
  );
  perProvider("provider_state", "1 for the state that a provider is in", "state", (metric, { id, state: now }) => {
    for (const one of providerStates) metric.set({ provider: id, state: one }, Number(one === now));
  });
  perProvider("breaker_state", "1 for the state of a provider's breaker", "state", (metric, { id, breaker }) => {
    for (const one of breakerStates) metric.set({ provider: id, state: one }, Number(one === breaker?.state));
  });
  collectDefaultMetrics({ register: registry });
  return registry;
}
