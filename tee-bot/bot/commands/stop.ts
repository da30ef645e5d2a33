import type { BotWork, Command } from "./command.ts";

/** Known also where mail is only taken in; see `isUrgent`. */
export const stopNames = { name: "stop", aliases: ["cancel"] } as const;

export function stopCommand(work: Pick<BotWork, "stop">): Command {
  return {
    ...stopNames,
    usage: "!stop",
    summary: "ends the answer that I am writing",
    detail: "Ends the answer that I am writing in this chat. Nothing of it is kept; `!retry` asks again.",
    isUrgent: true,
    run: ({ event }) =>
      Promise.resolve({ text: work.stop(event.chat) ? "Stopped." : "I am not writing anything here just now." }),
  };
}
