/** A model that says what it was asked, so that an answer shows whose question it belongs to. A stand-in for one. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Behaviour } from "./upstream/behaviours.ts";
import { answering } from "./upstream/behaviours/complete.ts";

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** Answers after up to `longestMs`. */
export function echo({ longestMs = 0 }: { longestMs?: number } = {}): Behaviour {
  return async (request, reply) => {
    const { messages } = JSON.parse(request.body.toString()) as Asked;
    const question = messages.findLast(({ role }) => role === "user")?.content ?? "";
    if (longestMs > 0) await sleep(Math.random() * longestMs);
    return answering({ words: ["You", "said:", question] })(request, reply);
  };
}
