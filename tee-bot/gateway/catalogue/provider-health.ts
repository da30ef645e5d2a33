/** What `GET /health` tells of the gateway: whether anybody can answer, and on this machine how each provider is. */
import type { Surface } from "../api/call.ts";
import type { Misfit } from "../providers/manager.ts";
import type { ProviderKind } from "../providers/provider.ts";
import type { ProviderState } from "../providers/standing.ts";
import type { ProviderView } from "../routing/offers.ts";

export interface GatewayHealth {
  /** `no_provider`: no call can be answered now. */
  readonly status: "ok" | "no_provider";
  /** Providers by state. */
  readonly counts: Readonly<Record<ProviderState, number>>;
  readonly providers?: readonly ProviderHealth[];
}

export interface ProviderHealth {
  readonly id: string;
  readonly kind: ProviderKind;
  readonly state: ProviderState;
  /** RFC 3339. */
  readonly since: string;
  readonly reason?: string;
  readonly location?: string;
  readonly trust?: string;
  readonly models?: number;
  readonly outstanding?: number;
  /** Of the last minute's calls, a moving average. */
  readonly first_byte_ms?: number;
  readonly breaker?: { readonly state: string; readonly reason?: string; readonly retry_in_ms: number };
}

/** To the public only numbers are told: who answers there is nobody's business. */
export function reportGatewayHealth(
  views: readonly ProviderView[],
  misfits: readonly Misfit[],
  surface: Surface,
): GatewayHealth {
  const counts = { up: 0, asleep: 0, "refused-key": 0, broken: misfits.length };
  for (const { standing } of views) counts[standing.state]++;
  return {
    status: counts.up > 0 ? "ok" : "no_provider",
    counts,
    ...(surface === "local" && { providers: [...views.map(healthOf), ...misfits.map(healthOfMisfit)] }),
  };
}

function healthOf({ provider, standing, models, attempts }: ProviderView): ProviderHealth {
  const { id, kind, location, trust } = provider;
  const { outstanding, firstByteMs, breaker } = attempts;
  return {
    id,
    kind,
    state: standing.state,
    since: new Date(standing.since).toISOString(),
    ...(standing.reason !== undefined && { reason: standing.reason }),
    location,
    trust,
    models: models.length,
    outstanding,
    ...(firstByteMs !== undefined && { first_byte_ms: Math.round(firstByteMs) }),
    breaker: {
      state: breaker.state,
      ...(breaker.reason !== undefined && { reason: breaker.reason }),
      retry_in_ms: Math.round(breaker.retryInMs),
    },
  };
}

function healthOfMisfit({ id, kind, since, reason }: Misfit): ProviderHealth {
  return { id, kind, state: "broken", since: new Date(since).toISOString(), reason };
}
