/** A simulator with a webhook, and its REST API as the bot calls it. */
import {
  startSignalSimulator,
  type SignalSimulator,
  type SignalSimulatorOptions,
} from "../../../../../tee-bot/bot/simulator/simulator.ts";
import { until } from "../../../../support/postern.ts";
import { startHook, type Hook } from "./hook.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface SimulatorWorld extends AsyncDisposable {
  readonly simulator: SignalSimulator;
  readonly hook: Hook;
  /** A call of either API. */
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  /** `POST /v2/send` to a person, or to other recipients. */
  readonly send: (fields: Record<string, unknown> & { readonly to?: string }) => Promise<Answer>;
}

export const number = "+15550000001";
const callTimeoutMs = 10_000;

const soonMs = 10_000;

export function soon(condition: () => boolean | Promise<boolean>): Promise<unknown> {
  return until(condition, soonMs, condition.toString());
}

export async function startWorld(options: SignalSimulatorOptions = {}): Promise<SimulatorWorld> {
  await using parts = new AsyncDisposableStack();
  const hook = parts.use(await startHook());
  const simulator = parts.use(await startSignalSimulator({ hook: hook.url, ...options }));
  const call: SimulatorWorld["call"] = async (method, path, body, headers = {}) => {
    const signal = AbortSignal.timeout(callTimeoutMs);
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const response = await fetch(new URL(path, simulator.url), { method, signal, headers, ...sent });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return { status: response.status, body: text === "" ? undefined : isJson ? JSON.parse(text) : text };
  };
  const running = parts.move();
  return {
    simulator,
    hook,
    call,
    send: ({ to = "you", ...fields }) =>
      call("POST", "/v2/send", { number, recipients: [simulator.person(to).uuid], message: "hello", ...fields }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
