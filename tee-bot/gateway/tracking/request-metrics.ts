/** What an operator sees of the calls; no label ever holds a model, a key or an address. */
import { Histogram, Registry } from "prom-client";
import { BoundedCounts } from "./bounded-counts.ts";
import type { AnswerProof } from "../providers/provider.ts";
import type { RequestRecord } from "./track.ts";

/** From a cached embedding to a long answer of a slow machine. */
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export class RequestMetrics {
  readonly registry = new Registry();
  readonly #requests = new BoundedCounts(this.#named("requests_total", "Calls that have ended"), [
    "endpoint",
    "provider",
    "status",
    "failed",
  ]);
  readonly #attempts = new BoundedCounts(this.#named("attempts_total", "Tries at providers"), ["provider", "outcome"]);
  readonly #tokens = new BoundedCounts(this.#named("tokens_total", "Tokens, as providers count them or estimated"), [
    "provider",
    "kind",
  ]);
  readonly #proofs = new BoundedCounts(
    this.#named("proofs_total", "Answers that were compared with the signature of the model's TEE"),
    ["provider", "outcome"],
  );
  readonly #firstByte = this.#histogram("first_byte_seconds", "From a call to the first byte of its answer");
  readonly #duration = this.#histogram("duration_seconds", "From a call to the end of its answer");

  count(record: RequestRecord): void {
    const { provider = "none", endpoint, tokens, ttftMs } = record;
    this.#requests.add(1, `${endpoint}\n${provider}\n${record.status}\n${record.failed ?? "nobody"}`);
    for (const attempt of record.attempts) this.#attempts.add(1, `${attempt.provider}\n${attempt.outcome}`);
    if (tokens) {
      this.#tokens.add(tokens.prompt, `${provider}\nprompt`);
      this.#tokens.add(tokens.completion, `${provider}\ncompletion`);
    }
    if (ttftMs !== undefined) this.#firstByte.observe(ttftMs / 1_000);
    this.#duration.observe(record.durationMs / 1_000);
  }

  countProof({ provider, answer }: AnswerProof): void {
    this.#proofs.add(1, `${provider}\n${answer.outcome}`);
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ ...this.#named(name, help), buckets: secondsBuckets });
  }

  #named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name: `postern_gateway_${name}`, help, registers: [this.registry] };
  }
}
