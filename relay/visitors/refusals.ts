import type { AlertDescription } from "../../shared/tls/alert.ts";

/** Why a visitor is not served, and what its client is told. */
export const refusals = {
  "no-name": "unrecognized_name",
  "foreign-name": "unrecognized_name",
  "unknown-name": "unrecognized_name",
  "lookup-unavailable": "internal_error",
  "no-tunnel": "internal_error",
  "too-many-visitors": "internal_error",
  "network-rate": "internal_error",
  "network-full": "internal_error",
  "not-allowed": "access_denied",
  "node-rate": "internal_error",
  "node-full": "internal_error",
  "pairing-closed": "internal_error",
  "pairing-busy": "internal_error",
  "pairing-timeout": "internal_error",
  "pairing-broken": "internal_error",
  "pairing-gone": "internal_error",
  "forward-full": "internal_error",
  "forward-refused": "internal_error",
} as const satisfies Record<string, AlertDescription>;

export type Refusal = keyof typeof refusals;
