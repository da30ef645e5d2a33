import { chatName } from "../events/event.ts";
import { allowedModels, decideChoice, decideCurrent } from "./choose-model.ts";
import type { Command } from "./command.ts";
import { describeTrust } from "./describe-model.ts";
import type { ModelsOptions } from "./models.ts";
import { codeSpan, countOf } from "./words.ts";

export function modelCommand({ settings, people, model }: ModelsOptions): Command {
  return {
    name: "model",
    aliases: [],
    usage: "!model N",
    summary: "chooses the model for this chat, by number or name",
    detail:
      "Chooses the model that answers in this chat, by its number in `!models` or by its name: `!model 2`, `!model llama`. In a group it is chosen for all. Without a number it says which one answers now.",
    run: async ({ event, rest, signal }) => {
      const name = chatName(event.chat);
      const allowed = allowedModels(await model.list(signal), settings.privacy);
      if (rest === "") {
        const { model: chosen } = await people.read(name);
        const current = decideCurrent(chosen ?? settings.model, allowed);
        if (!current) return { text: "No model can answer just now. Please try again in a minute." };
        const where = current.offered ? `It runs ${describeTrust(current.offered)}.` : "It is not there now.";
        return { text: `${codeSpan(current.id)} answers here. ${where} \`!models\` lists all.` };
      }
      const choice = decideChoice(rest, allowed);
      if (choice.kind === "none") {
        const meant = choice.near === undefined ? "" : ` Did you mean \`!model ${choice.near}\`?`;
        const count = allowed.length === 0 ? "no model here just now" : `${countOf(allowed.length, "model")} here`;
        return {
          text: `I know no such model.${meant} There ${allowed.length === 1 ? "is" : "are"} ${count}; \`!models\` lists them.`,
        };
      }
      await people.change(name, { model: choice.model.id });
      const text = `From now on ${codeSpan(choice.model.id)} answers here. It runs ${describeTrust(choice.model)}.`;
      const before = "What was said here before goes to it along with your next question; `!clear` forgets that first.";
      return { text: choice.model.trust === "local" ? text : `${text} ${before}` };
    },
  };
}
