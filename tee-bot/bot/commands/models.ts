import { chatName } from "../events/event.ts";
import type { Model } from "../model/model.ts";
import type { People } from "../people/people.ts";
import type { SignalSettings } from "../settings.ts";
import { allowedModels, decideCurrent } from "./choose-model.ts";
import type { Command } from "./command.ts";
import { describeSkills, describeTrust } from "./describe-model.ts";
import { codeSpan, countOf } from "./words.ts";

export interface ModelsOptions {
  settings: Pick<SignalSettings, "model" | "privacy">;
  people: Pick<People, "read" | "change">;
  model: Pick<Model, "list">;
}

/** More would be a wall of text; each can still be chosen by its name. */
const maxListed = 60;

export function modelsCommand({ settings, people, model }: ModelsOptions): Command {
  return {
    name: "models",
    aliases: [],
    usage: "!models",
    summary: "lists the models that can answer you",
    detail:
      "Lists the models that can answer here, and where each of them runs: that is who can read what you write. Choose one with `!model 2`, by its number, or by its name.",
    run: async ({ event, signal }) => {
      const offered = await model.list(signal);
      const allowed = allowedModels(offered, settings.privacy);
      const { model: chosen } = await people.read(chatName(event.chat));
      const current = decideCurrent(chosen ?? settings.model, allowed);
      const lines = allowed.slice(0, maxListed).map((one, index) => {
        const mark = one.id === current?.id ? " **← answers here**" : "";
        return `${index + 1}. ${codeSpan(one.id)}: ${describeTrust(one)}${describeSkills(one)}${mark}`;
      });
      const notes = [
        ...(allowed.length === 0 ? ["No model can answer just now. Please try again in a minute."] : []),
        ...(allowed.length > maxListed ? [`${allowed.length - maxListed} more are not listed.`] : []),
        ...(offered.length > allowed.length
          ? [`${countOf(offered.length - allowed.length, "other model")} may not be asked, by the privacy rule here.`]
          : []),
        ...(current && !current.offered ? [`This chat uses ${codeSpan(current.id)}, which is not there now.`] : []),
        ...(allowed.length > 1 ? ["Choose one with `!model 2`."] : []),
      ];
      return { text: [lines.join("\n"), ...notes].filter((part) => part !== "").join("\n\n") };
    },
  };
}
