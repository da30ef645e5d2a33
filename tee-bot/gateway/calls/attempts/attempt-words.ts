/** Attempts in the words of the trace and of the log. */
import type { Next } from "../decide-next.ts";
import type { Outcome } from "./outcome.ts";

export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "complete":
      return "answered";
    case "delivered":
      return outcome.error ? "an error in its stream" : "answered";
    case "left":
      return "client left";
    case "broke-off":
      return outcome.code;
    case "refused":
      return `status ${outcome.answer.status}`;
    case "unreachable":
    case "silent":
    case "broken":
    case "unfit":
      return outcome.reason;
  }
}

export function describeNext(next: Next): string {
  if (next.do === "repeat") return `retry after ${Math.round(next.afterMs)} ms`;
  return next.do === "move" ? "next provider" : "given up";
}
