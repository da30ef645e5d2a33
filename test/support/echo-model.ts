/** A model that says what it was asked, so that an answer shows whose question it belongs to. A stand-in for one. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Behaviour } from "./upstream/behaviours.ts";
import { answering } from "./upstream/behaviours/complete.ts";

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

export interface EchoOptions {
  /** Answers after up to as long, or at least as long. */
  readonly longestMs?: number;
  readonly shortestMs?: number;
  /** Told how long an answer took, from all of the request to all of the answer. */
  readonly onAnswer?: (question: string, ms: number) => void;
}

export function echo({ longestMs = 0, shortestMs = 0, onAnswer }: EchoOptions = {}): Behaviour {
  return async (request, reply) => {
    const startedAt = performance.now();
    const { messages } = JSON.parse(request.body.toString()) as Asked;
    const question = messages.findLast(({ role }) => role === "user")?.content ?? "";
    const waitMs = shortestMs + Math.random() * Math.max(0, longestMs - shortestMs);
    if (waitMs > 0) await sleep(waitMs);
    await answering({ words: ["You", "said:", question] })(request, reply);
    onAnswer?.(question, performance.now() - startedAt);
  };
}
