import type { BotWork, Command } from "./command.ts";

export function retryCommand(work: Pick<BotWork, "retry">): Command {
  return {
    name: "retry",
    aliases: ["again"],
    usage: "!retry",
    summary: "asks your last question once more",
    detail:
      "Asks the last question of this chat once more. Its earlier answer is forgotten, and the new one takes its place.",
    run: (call) => work.retry(call),
  };
}
