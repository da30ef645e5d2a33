/** How the REST server is told where something goes. */
import type { Chat } from "../events/event.ts";

const groupPrefix = "group.";

/** People by their uuid, which is always known: a number may be hidden, and may change. */
export function recipientOf(chat: Chat): string {
  return chat.kind === "direct" ? chat.person : restGroupId(chat.group);
}

/**
 * The REST server's name of a group, of either form: it is made of the internal id as text, which is base64 already and
 * becomes so once more. An internal id as it is would be taken for a username.
 */
export function restGroupId(group: string): string {
  return isRestGroupId(group) ? group : groupPrefix + Buffer.from(group, "latin1").toString("base64");
}

/** The id that envelopes have, of either form. */
export function internalGroupId(group: string): string {
  return isRestGroupId(group) ? Buffer.from(group.slice(groupPrefix.length), "base64").toString("latin1") : group;
}

/** A dot is no character of base64, so the forms cannot be mistaken for each other. */
function isRestGroupId(group: string): boolean {
  return group.startsWith(groupPrefix);
}
