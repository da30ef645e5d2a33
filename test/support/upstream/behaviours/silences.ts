/** Connections that stay open while nothing comes. */
import type { Behaviour } from "../behaviour.ts";
import { openAnswer, sendBeginning } from "./broken.ts";

/** Not even a head. */
export const silent: Behaviour = (_, reply) => reply.silence();

/** A head, and perhaps comments, but no word. */
export function silentAfterHead({ commentEveryMs }: { commentEveryMs?: number } = {}): Behaviour {
  return async (request, reply) => {
    openAnswer(request, reply);
    if (commentEveryMs === undefined || !request.stream) return reply.silence();
    while (true) {
      reply.chunk(": still thinking\n\n");
      await reply.wait(commentEveryMs);
    }
  };
}

/** Silent after so many words; `closeAfterMs`: then the connection ends. */
export function stallingAfter(words: number, closeAfterMs?: number): Behaviour {
  return async (request, reply) => {
    await sendBeginning(request, reply, words);
    if (closeAfterMs === undefined) return reply.silence();
    await reply.wait(closeAfterMs);
    await reply.close();
  };
}
