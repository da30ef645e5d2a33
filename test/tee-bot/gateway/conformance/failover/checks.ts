/** What a run of a scenario is judged by. */
import type { Answer, Observation } from "./observation.ts";

export interface Check {
  readonly name: string;
  passes(seen: Observation): boolean;
}

const check = (name: string, passes: Check["passes"]): Check => ({ name, passes });
const isTruncated = ({ outcome, complete }: Answer): boolean => outcome === "answer" && !complete;

export const checks = {
  noTruncatedSuccess: check("half an answer is no success", ({ answers }) => !answers.some(isTruncated)),
  complete: check("the answer is complete", ({ answers }) => answers.every(({ complete }) => complete)),
  aliveAfter: check("another call is answered afterwards", ({ aliveAfter }) => aliveAfter),
  usage: check("tokens are reported", ({ answers }) => answers.every(({ tokens }) => tokens !== undefined)),
  exactlyOneAttempt: check("the same model is asked once", ({ primaryAt }) => primaryAt.length === 1),
  noPrefillMasking: check(
    "the fallback's refusal of a prefill does not hide the failure",
    ({ answers, prefillRefusals }) => prefillRefusals === 0 || answers.every(({ outcome }) => outcome === "answer"),
  ),
  reportsFallbackModel: check("the answer names the model that gave it", ({ answers, fallbackAt }) =>
    answers.every(({ model }) => fallbackAt.length === 0 || model === "fallback"),
  ),
  servedWhileDown: check("every call is answered while the primary is down", ({ answers, downMs }) =>
    answers.filter(({ atMs }) => atMs < downMs).every(({ outcome }) => outcome === "answer"),
  ),
  atLeastAttempts: (count: number) =>
    check(`the primary is tried ${count} times or more`, ({ primaryAt }) => primaryAt.length >= count),
  atMostAttempts: (count: number) =>
    check(`the primary is tried ${count} times at most`, ({ primaryAt }) => primaryAt.length <= count),
  atMostWithin: (count: number, ms: number) =>
    check(`${count} attempts at most in ${ms} ms`, ({ primaryAt }) => {
      const [first = 0] = primaryAt;
      return primaryAt.filter((at) => at - first < ms).length <= count;
    }),
  firstGapAtLeast: (ms: number) =>
    check(`the second attempt comes after ${ms} ms or more`, ({ primaryAt: [first, second] }) =>
      first === undefined || second === undefined ? false : second - first >= ms,
    ),
  within: (ms: number) => check(`it is over in ${ms} ms`, ({ answers }) => answers.every((one) => one.tookMs <= ms)),
  recoveredWithin: (ms: number) =>
    check(`the primary answers again ${ms} ms after it is well`, ({ answers, downMs }) =>
      answers.some(({ atMs, model }) => atMs >= downMs && atMs <= downMs + ms && model === "primary"),
    ),
} as const;
