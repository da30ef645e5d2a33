import type { Reply } from "./reply.ts";
import type { UpstreamRequest } from "./upstream-request.ts";

/** What the stand-in does with one call. It ends when the answer is out, or broken off as it should be. */
export type Behaviour = (request: UpstreamRequest, reply: Reply) => Promise<void> | void;

/** The first attempt at a model gets the first, and so on; the last one repeats. */
export function inTurn(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  return (request, reply) => (behaviours[request.attempt - 1] ?? behaviours.at(-1)!)(request, reply);
}

/** `then` takes over so long after the first attempt. */
export function until(ms: number, first: Behaviour, then: Behaviour): Behaviour {
  let startedAt: number | undefined;
  return (request, reply) => {
    startedAt ??= request.at;
    return (request.at - startedAt < ms ? first : then)(request, reply);
  };
}

/** Nothing for a while, not even a head. */
export function delayed(ms: number, behaviour: Behaviour): Behaviour {
  return async (request, reply) => {
    await reply.wait(ms);
    await behaviour(request, reply);
  };
}
