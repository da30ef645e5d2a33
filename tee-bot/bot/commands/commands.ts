/** All commands there are, in the order in which `!help` lists them. */
import type { Tee } from "../../attestation/attestation.ts";
import { decideStorageMode } from "../../store/storage-key.ts";
import type { BotState } from "../bot-state.ts";
import type { ConversationStore } from "../conversations/conversation-store.ts";
import type { Model } from "../model/model.ts";
import type { People } from "../people/people.ts";
import type { SignalSettings } from "../settings.ts";
import { clearCommand } from "./clear.ts";
import type { BotWork, Command, CommandAnswer, CommandCall } from "./command.ts";
import { forgetCommand } from "./forget.ts";
import { helpCommand } from "./help.ts";
import { modelCommand } from "./model.ts";
import { modelsCommand } from "./models.ts";
import type { PrivacyFacts } from "./privacy-text.ts";
import { privacyCommand } from "./privacy.ts";
import { retryCommand } from "./retry.ts";
import { statusCommand } from "./status.ts";
import { stopCommand } from "./stop.ts";

export interface CommandsOptions {
  settings: SignalSettings;
  tee: Tee;
  /** Sealed values are in a Redis. */
  hasRedis: boolean;
  conversations: Pick<ConversationStore, "clear" | "forget">;
  people: People;
  model: Pick<Model, "list">;
  work: BotWork;
  state: () => BotState;
  /** See `verifyCommand`. */
  verify: Command;
}

export function createCommands(options: CommandsOptions): readonly Command[] {
  const commands: readonly Command[] = [
    helpCommand(() => commands),
    modelsCommand(options),
    modelCommand(options),
    clearCommand(options),
    stopCommand(options.work),
    retryCommand(options.work),
    options.verify,
    privacyCommand({ ...options, facts: factsOf(options) }),
    statusCommand(options),
    forgetCommand(options),
  ].map(refusing);
  return commands;
}

/** Whoever may not use a command is told so instead. */
function refusing(command: Command): Command {
  const run = async (call: CommandCall): Promise<CommandAnswer> => {
    const refusal = command.refusal?.(call.event);
    return refusal === undefined ? command.run(call) : { text: refusal };
  };
  return { ...command, run };
}

function factsOf({ settings, tee, hasRedis }: CommandsOptions): PrivacyFacts {
  const { history, receive, privacy, transcriber, groups } = settings;
  return {
    tee,
    history: { ...history, mode: decideStorageMode(history.mode, tee) },
    place: hasRedis ? "redis" : "file",
    mailHours: receive.maxAgeHours,
    rule: privacy,
    transcribes: transcriber.url !== undefined,
    groupAnswer: groups.answer,
  };
}
