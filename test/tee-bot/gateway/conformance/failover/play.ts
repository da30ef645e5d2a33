/** Plays one scenario: a gateway before two stand-ins, and the `openai` client before the gateway. */
import { setTimeout as sleep } from "node:timers/promises";
import { OpenAI } from "openai";
import { systemClock } from "../../../../../shared/clock.ts";
import { startGateway } from "../../../../support/gateway.ts";
import { hastyClock } from "../../../../support/hasty-clock.ts";
import { answering } from "../../../../support/upstream/behaviours/complete.ts";
import { answerText } from "../../../../support/upstream/content.ts";
import { startUpstream } from "../../../../support/upstream/upstream.ts";
import type { Answer, Observation } from "./observation.ts";
import { limits, type Scenario } from "./scenarios.ts";

/** `stream`: as it comes. `whole`: held until it is complete. */
export type Delivery = "stream" | "whole";

/** Times of the observation are those of the scenario, however hastily it was played. */
export async function play(scenario: Scenario, delivery: Delivery): Promise<Observation> {
  const { primary, fallback = () => answering(), haste = 1, hangAfterMs, sequence } = scenario;
  const { firstTokenSeconds, idleSeconds } = limits;
  await using first = await startUpstream({ models: ["primary", "other"] });
  await using second = await startUpstream({ models: ["fallback"], behaviour: fallback() });
  await using gateway = await startGateway({
    providers: { first: first, second: second },
    clock: haste === 1 ? systemClock : hastyClock(haste),
    settings: {
      aliases: { tried: ["first/primary", "second/fallback"], alive: ["second/fallback"] },
      timeouts: { firstTokenSeconds: { local: firstTokenSeconds, cloud: firstTokenSeconds }, idleSeconds },
    },
  });
  first.behaveFor("primary", primary());
  const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: "none", maxRetries: 0 });
  const startedAt = performance.now();
  const sinceStart = (at: number): number => (at - startedAt) * haste;
  const ask = (model: string): Promise<Answer> => askOnce(client, { model, delivery, hangAfterMs, haste, startedAt });

  const answers: Answer[] = [];
  for (let at = 0; at < (sequence?.count ?? 1); at++) {
    await sleep(Math.max(0, startedAt + (at * (sequence?.everyMs ?? 0)) / haste - performance.now()));
    answers.push(await ask("tried"));
  }
  const [primaryAt, fallbackAt] = [first, second].map(({ calls }) => calls.map(({ at }) => sinceStart(at)));
  return {
    answers,
    primaryAt: primaryAt ?? [],
    fallbackAt: fallbackAt ?? [],
    prefillRefusals: second.calls.filter(({ body }) => endsWithAssistant(body)).length,
    aliveAfter: (await ask("alive")).complete,
    downMs: scenario.downMs ?? 0,
  };
}

interface Asking {
  readonly model: string;
  readonly delivery: Delivery;
  readonly hangAfterMs: number;
  readonly haste: number;
  readonly startedAt: number;
}

async function askOnce(client: OpenAI, { model, delivery, hangAfterMs, haste, startedAt }: Asking): Promise<Answer> {
  const at = performance.now();
  const signal = AbortSignal.timeout(hangAfterMs / haste);
  const heard = await listen(client, model, delivery, signal);
  return {
    atMs: (at - startedAt) * haste,
    tookMs: (performance.now() - at) * haste,
    ...heard,
    outcome: heard.error === undefined ? "answer" : signal.aborted ? "hang" : "error",
    complete: heard.text === answerText,
  };
}

type Heard = Pick<Answer, "error" | "model" | "tokens"> & { readonly text: string };

async function listen(client: OpenAI, model: string, delivery: Delivery, signal: AbortSignal): Promise<Heard> {
  let text = "";
  let answeredBy: string | undefined;
  let tokens: number | undefined;
  try {
    const chunks = await client.chat.completions.create(
      {
        model,
        messages: [{ role: "user", content: "Why is a gateway judged by its worst provider?" }],
        stream: true,
        stream_options: { include_usage: true },
      },
      { signal, headers: { "x-postern-delivery": delivery } },
    );
    for await (const chunk of chunks) {
      answeredBy ??= chunk.model;
      text += chunk.choices[0]?.delta.content ?? "";
      tokens ??= chunk.usage?.completion_tokens;
    }
    return { text, model: answeredBy, tokens, error: signal.aborted ? "aborted" : undefined };
  } catch (error) {
    return { text, model: answeredBy, tokens, error: error instanceof Error ? error.message : String(error) };
  }
}

function endsWithAssistant(body: Buffer): boolean {
  const { messages = [] } = JSON.parse(body.toString()) as { messages?: { role: string }[] };
  return messages.at(-1)?.role === "assistant";
}
