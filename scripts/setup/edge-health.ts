import { z } from "zod";
import { SetupFailure } from "./failure.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";

const deadlineMs = 120_000; // a new workers.dev name or a host's certificate takes its time
const pauseMs = 2_000;
const answerDeadlineMs = 10_000;
const maxAnswerCharacters = 100_000;

const healthSchema = z.object({ ok: z.boolean(), zone: z.string().optional(), problems: z.array(z.string()) });

export interface AwaitHealthOptions {
  readonly url: string;
  readonly zone: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks the deployed edge until it says it is well. Problems that do not keep it from working, as it tells them. */
export async function awaitHealth(options: AwaitHealthOptions): Promise<string[]> {
  const { url, clock, signal } = options;
  const endsAt = clock.now() + deadlineMs;
  for (;;) {
    const seen = await lookAt(options);
    if (seen.well) return seen.problems;
    if (clock.now() + pauseMs > endsAt)
      throw new SetupFailure(
        `The edge at ${url} is deployed and not well:\n${seen.problems.join("\n")}`,
        "Mend what it says and run this again; wrangler tail shows its log.",
      );
    await clock.sleep(pauseMs, signal);
  }
}

async function lookAt({
  url,
  zone,
  fetch,
  signal,
}: AwaitHealthOptions): Promise<{ well: boolean; problems: string[] }> {
  try {
    const response = await fetch(new URL("/healthz", url), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerDeadlineMs)]),
    });
    const text = (await response.text()).slice(0, maxAnswerCharacters);
    if (!response.headers.get("content-type")?.includes("json"))
      return { well: false, problems: [`GET /healthz answered ${response.status}, and not as the edge does.`] };
    const health = healthSchema.parse(JSON.parse(text));
    if (health.ok && health.zone !== zone)
      return { well: false, problems: [`It serves the zone ${health.zone}; the new version is not up yet.`] };
    return { well: health.ok, problems: health.problems };
  } catch (error) {
    signal.throwIfAborted();
    return { well: false, problems: [`GET /healthz failed: ${errorText(error)}`] };
  }
}
