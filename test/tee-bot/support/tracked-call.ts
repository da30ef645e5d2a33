import { endpoints } from "../../../tee-bot/gateway/api/endpoints.ts";
import type { TrackedCall } from "../../../tee-bot/gateway/tracking/call-track.ts";
import type { AttemptRecord, RequestRecord } from "../../../tee-bot/gateway/tracking/track.ts";

export function trackedCall(id: string, changes: Partial<TrackedCall> = {}): TrackedCall {
  return { id, surface: "public", endpoint: endpoints[0]!, model: "m", stream: false, startedAt: 0, ...changes };
}

export function attemptRecord(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    provider: "ollama",
    model: "m",
    startedMs: 1,
    firstByteMs: 20,
    endedMs: 31,
    status: 200,
    outcome: "answered",
    decided: undefined,
    ...changes,
  };
}

export function requestRecord(id: string, changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id,
    at: Date.UTC(2026, 10, 21, 12),
    surface: "public",
    endpoint: "chat",
    key: undefined,
    model: "m",
    stream: false,
    provider: "ollama",
    upstreamModel: "m",
    status: 200,
    error: undefined,
    failed: undefined,
    queuedMs: 0,
    ttftMs: 20,
    durationMs: 31.25,
    tokens: { prompt: 12, completion: 3, estimated: false },
    attempts: [attemptRecord()],
    proof: undefined,
    route: {
      candidates: [{ provider: "ollama", model: "m", reason: "local, loaded, 2 outstanding" }],
      passedOver: [{ provider: "near", reason: "privacy rule local" }],
    },
    ...changes,
  };
}
