/** How signal-cli-rest-api reads a recipient (`getRecipientType`, `ConvertGroupIdToInternalGroupId`), and whom it means here. */
import type { Group } from "../signal/directory.ts";
import { conversationOfGroup } from "../signal/phones.ts";
import type { Destination } from "../signal/send-message.ts";
import type { World } from "../signal/world.ts";
import { RestError } from "./rest-error.ts";

export type RecipientType = "number" | "username" | "group";

const groupPrefix = "group.";
const groupIdBytes = 32;
/** Longer ones are taken for groups that are written wrongly. */
const maxDiscriminatorDigits = 10;

/** A uuid is taken for a number too, and what is nothing else for a username. */
export function decideRecipientType(recipient: string): RecipientType {
  if (recipient.startsWith(groupPrefix)) return decideGroupType(recipient);
  const bare = recipient.replaceAll("-", "");
  const isNumber = /^(\+[\d ]*)?$/.test(recipient);
  return isNumber || /^[\da-f]{32}$/i.test(bare) ? "number" : "username";
}

export function restGroupId(internalId: string): string {
  return groupPrefix + Buffer.from(internalId).toString("base64");
}

export function internalGroupId(restId: string): string {
  const internalId = decodeBase64(restId.slice(restId.startsWith(groupPrefix) ? groupPrefix.length : 0));
  if (!internalId) throw new RestError("Invalid group id");
  return internalId.toString();
}

/** Whom a call means that takes one recipient: the name of the conversation with him. */
export function conversationOf(world: World, recipient: string): string {
  const destination = destinationOf(world, [recipient]);
  if ("group" in destination) return conversationOfGroup(destination.group.name);
  const [person] = destination.people;
  if (!person) throw unregistered(recipient);
  return person.name;
}

export function destinationOf(world: World, recipients: readonly string[]): Destination {
  const types = recipients.map(decideRecipientType);
  if (types.includes("group")) {
    if (types.some((type) => type !== "group"))
      throw new RestError(
        "Signal Messenger Groups and phone numbers cannot be specified together in one request! Please split them up into multiple REST API calls.",
      );
    if (types.length > 1)
      throw new RestError(
        "A signal message cannot be sent to more than one group at once! Please use multiple REST API calls for that.",
      );
    return { group: groupOf(world, recipients[0]!) };
  }
  const found = recipients.map((recipient) => ({ recipient, person: world.directory.findPerson(recipient) }));
  return {
    people: found.flatMap(({ person }) => person ?? []),
    unknown: found.filter(({ person }) => !person).map(({ recipient }) => recipient),
  };
}

export function groupOf(world: World, restId: string): Group {
  const group = world.directory.findGroup(internalGroupId(restId));
  if (!group) throw new RestError("Group not found");
  if (!group.hasBot) throw new RestError("User is not a group member");
  return group;
}

export function unregistered(recipient: string): RestError {
  return new RestError(`The user ${recipient} is not registered.`);
}

function decideGroupType(recipient: string): RecipientType {
  const rest = recipient.slice(groupPrefix.length);
  const once = decodeBase64(rest);
  if (!once && rest.length <= maxDiscriminatorDigits) return "username";
  const twice = once && decodeBase64(once.toString("latin1"));
  if (!twice) throw new RestError(`Invalid identifier ${recipient}`);
  if (twice.length !== groupIdBytes) throw new RestError(`Invalid Signal group size (${twice.length}`);
  return "group";
}

/** As strict as Go's StdEncoding. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
