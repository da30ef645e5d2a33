import type { Observation } from "./observation.ts";
import type { Scenario } from "./scenarios.ts";

/**
 * `pass`: rescued, and every check is clean. `partial`: rescued, but for advice. `safe`: not rescued, but a clean error in
 * time. `fail`: a hang, half an answer as success, or a required check.
 */
export type Verdict = "pass" | "partial" | "safe" | "fail";

export interface Judgement {
  readonly verdict: Verdict;
  readonly why: string;
}

export function judge({ ideal, required, advised }: Scenario, seen: Observation): Judgement {
  const { answers } = seen;
  if (answers.some(({ outcome }) => outcome === "hang")) return { verdict: "fail", why: "a call hung" };
  if (answers.some(({ outcome, complete }) => outcome === "answer" && !complete))
    return { verdict: "fail", why: "half an answer was a success" };
  const missed = required.filter((check) => !check.passes(seen));
  if (missed.length > 0) return { verdict: "fail", why: `not: ${missed.map(({ name }) => name).join("; ")}` };

  const error = answers.find((one) => one.outcome === "error")?.error;
  if (ideal === "answer" && error !== undefined) return { verdict: "safe", why: error };
  if (ideal === "error" && error === undefined) return { verdict: "partial", why: "answered around the refusal" };
  const unheeded = advised.filter((check) => !check.passes(seen));
  if (unheeded.length > 0) return { verdict: "partial", why: `not: ${unheeded.map(({ name }) => name).join("; ")}` };
  return { verdict: "pass", why: error ?? "the whole answer" };
}
