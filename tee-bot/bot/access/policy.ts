/** Who may talk to the bot, by the settings. People and groups have a policy each, and neither opens the other. */
import type { Chat } from "../events/event.ts";
import type { Remembered } from "../people/people.ts";
import { internalGroupId } from "../send/recipients.ts";
import type { SignalSettings } from "../settings.ts";

export type Policy = Pick<SignalSettings, "people" | "groups" | "operators">;

/** `remembered`: of the person in a direct chat, of the group in a group. */
export function decideAllowed(chat: Chat, { isPaired }: Pick<Remembered, "isPaired">, policy: Policy): boolean {
  const { people, groups, operators } = policy;
  if (chat.kind === "direct")
    return (
      people.policy === "open" ||
      people.allowed.some((one) => isSamePerson(one, chat.person)) ||
      operators.some((one) => isSamePerson(one, chat.person)) ||
      (people.policy === "pairing" && isPaired)
    );
  if (groups.policy === "off") return false;
  return (
    groups.policy === "open" ||
    groups.allowed.some((one) => internalGroupId(one) === chat.group) ||
    (groups.policy === "pairing" && isPaired)
  );
}

/** Whether a code may let this chat in. */
export function takesPairing(chat: Chat, { people, groups }: Policy): boolean {
  return (chat.kind === "direct" ? people.policy : groups.policy) === "pairing";
}

/** Whether anybody is asked for a code. */
export function isPairing({ people, groups }: Pick<Policy, "people" | "groups">): boolean {
  return people.policy === "pairing" || groups.policy === "pairing";
}

/** The settings of a person's own, written by hand, may have capitals. */
export function isSamePerson(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
