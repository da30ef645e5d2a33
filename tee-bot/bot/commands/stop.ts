import type { BotWork, Command } from "./command.ts";
import { countOf } from "./words.ts";

/** Known also where mail is only taken in; see `isUrgent`. */
export const stopNames = { name: "stop", aliases: ["cancel"] } as const;

export function stopCommand(work: Pick<BotWork, "stop" | "drop">): Command {
  return {
    ...stopNames,
    usage: "!stop",
    summary: "ends the answer that I am writing",
    detail:
      "Ends the answer that I am writing in this chat, and drops the messages that wait behind it. Nothing of that answer is kept; `!retry` asks again.",
    isUrgent: true,
    run: ({ event: { chat } }) => {
      const dropped = work.drop(chat);
      const isStopped = work.stop(chat);
      const also = dropped === 0 ? "" : ` ${countOf(dropped, "message")} that waited will not be answered.`;
      const text = isStopped || dropped > 0 ? `Stopped.${also}` : "I am not writing anything here just now.";
      return Promise.resolve({ text });
    },
  };
}
