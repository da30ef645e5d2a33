import { describe, expect, it } from "vitest";
import { gatewayMetrics, type GatewayState } from "../../../../tee-bot/gateway/tracking/gateway-metrics.ts";
import { RequestMetrics } from "../../../../tee-bot/gateway/tracking/request-metrics.ts";
import { attemptRecord, requestRecord } from "../../support/tracked-call.ts";

const idle: GatewayState = { running: 0, waiting: 0, refused: new Map(), providers: [] };

describe("the metrics of the gateway", () => {
  it("count calls, attempts and tokens, and how long they took", async () => {
    const metrics = new RequestMetrics();
    metrics.count(requestRecord("req_1"));
    metrics.count(requestRecord("req_2"));
    const attempts = [attemptRecord({ outcome: "status 503" })];
    metrics.count(
      requestRecord("req_3", { status: 503, failed: "upstream", tokens: undefined, ttftMs: undefined, attempts }),
    );
    metrics.count(
      requestRecord("req_4", { provider: undefined, status: 400, failed: "client", tokens: undefined, attempts: [] }),
    );
    const text = await metrics.registry.metrics();
    for (const line of [
      'postern_gateway_requests_total{endpoint="chat",provider="ollama",status="200",failed="nobody"} 2',
      'postern_gateway_requests_total{endpoint="chat",provider="ollama",status="503",failed="upstream"} 1',
      'postern_gateway_requests_total{endpoint="chat",provider="none",status="400",failed="client"} 1',
      'postern_gateway_attempts_total{provider="ollama",outcome="answered"} 2',
      'postern_gateway_attempts_total{provider="ollama",outcome="status 503"} 1',
      'postern_gateway_tokens_total{provider="ollama",kind="prompt"} 24',
      "postern_gateway_first_byte_seconds_count 3",
      'postern_gateway_duration_seconds_bucket{le="0.025"} 0',
      'postern_gateway_duration_seconds_bucket{le="0.05"} 4',
    ])
      expect(text).toContain(`${line}\n`);
    expect(await metrics.registry.metrics()).toBe(text);
  });

  it("name no model, key or address, and stay few whatever comes", async () => {
    const metrics = new RequestMetrics();
    for (let count = 0; count < 3_000; count++)
      metrics.count(
        requestRecord(`req_${count}`, {
          key: "key_secret",
          model: "prompt-like model",
          attempts: [attemptRecord({ outcome: `odd ${count}`, model: "upstream-model" })],
        }),
      );
    const text = await metrics.registry.metrics();
    for (const word of ["key_secret", "prompt-like", "upstream-model", "req_"]) expect(text).not.toContain(word);
    expect(text.split("\n").length).toBeLessThan(1_100);
    expect(text).toContain('postern_gateway_attempts_total{provider="other",outcome="other"} 2000\n');
  });

  it("tell how the gateway and its providers are now, and the process", async () => {
    let state: GatewayState = {
      running: 3,
      waiting: 2,
      refused: new Map([["none", 7]]),
      providers: [
        {
          id: "ollama",
          kind: "ollama",
          state: "asleep",
          since: "2026-11-21T12:00:00Z",
          outstanding: 1,
          breaker: { state: "half-open", retry_in_ms: 0 },
        },
      ],
    };
    const read = gatewayMetrics(new RequestMetrics().registry, () => state);
    const text = await read();
    for (const line of [
      "postern_gateway_calls 3",
      "postern_gateway_queue 2",
      'postern_gateway_key_refusals_total{why="none"} 7',
      'postern_gateway_provider_calls{provider="ollama"} 1',
      'postern_gateway_provider_state{provider="ollama",state="asleep"} 1',
      'postern_gateway_provider_state{provider="ollama",state="up"} 0',
      'postern_gateway_breaker_state{provider="ollama",state="half-open"} 1',
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).toContain("nodejs_eventloop_lag_p99_seconds");
    state = idle;
    const later = await read();
    expect(later).toContain("postern_gateway_calls 0\n");
    expect(later).not.toContain("ollama");
  });
});
