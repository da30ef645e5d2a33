/** The bot's messages on their way to people: whom they reach, and what telephones make of them. */
import type { FailureReason } from "../faults.ts";
import { botName } from "./account.ts";
import type { Group, Person } from "./directory.ts";
import { receiptOf } from "./envelopes.ts";
import { conversationOfGroup } from "./phones.ts";
import { decideEdit, plainMessage, shownText, type SeenMessage } from "./seen-message.ts";
import type { World } from "./world.ts";

export type Destination =
  | { readonly group: Group }
  | { readonly people: readonly Person[]; readonly unknown: readonly string[] };

type Content = Pick<SeenMessage, "text" | "styles" | "mentions" | "quote" | "attachments" | "sticker" | "viewOnce">;

export interface Outgoing extends Content {
  readonly destination: Destination;
  /** The version that it replaces. */
  readonly edits: number | undefined;
}

export interface SendOutcome {
  readonly timestamp: number;
  /** How many people it was for. */
  readonly recipients: number;
  readonly failures: readonly SendFailure[];
}

export interface SendFailure {
  /** As it was given where nobody is known by it. */
  readonly recipient: Person | string;
  readonly reason: FailureReason;
}

export interface SendOptions {
  /** By name of the person. */
  readonly reasons?: Readonly<Record<string, FailureReason>>;
  /** Telephones tell by themselves what they got. */
  readonly receipts: boolean;
}

export function sendMessage(world: World, outgoing: Outgoing, { reasons = {}, receipts }: SendOptions): SendOutcome {
  const { destination } = outgoing;
  const people = "group" in destination ? world.membersOf(destination.group) : destination.people;
  const unknown = "group" in destination ? [] : destination.unknown;
  const failures: SendFailure[] = unknown.map((recipient) => ({ recipient, reason: "UNREGISTERED_FAILURE" }));
  const missed: Person[] = [];
  for (const person of people) {
    const reason = reasons[person.name] ?? (person.trust === "UNTRUSTED" ? "IDENTITY_FAILURE" : undefined);
    if (reason === undefined) continue;
    missed.push(person);
    failures.push({ recipient: person, reason });
  }
  const timestamp = world.timestamps.next();
  const reached = people.filter((person) => !missed.includes(person));
  const missedBy = missed.map(({ name }) => name);
  const conversations =
    "group" in destination ? [conversationOfGroup(destination.group.name)] : reached.map(({ name }) => name);
  if (reached.length > 0)
    for (const conversation of conversations)
      show(world, outgoing, { conversation, timestamp, missedBy, delivered: receipts });
  if (receipts)
    for (const person of reached) {
      const when = world.timestamps.next();
      world.mail(person, when, { receiptMessage: receiptOf("delivery", when, [timestamp]) });
    }
  return { timestamp, recipients: people.length + unknown.length, failures };
}

function show(
  { phones }: World,
  { edits, text, styles, mentions, quote, attachments, sticker, viewOnce }: Outgoing,
  place: Pick<SeenMessage, "conversation" | "timestamp" | "missedBy" | "delivered">,
): void {
  phones.setTyping(place.conversation, false); // telephones take a message for the end of it
  const shown = { text: shownText(text), styles, mentions };
  if (edits !== undefined) {
    const edit = { ...shown, from: botName, target: edits, timestamp: place.timestamp };
    phones.change(place.conversation, edits, (message) => decideEdit(message, edit));
    return;
  }
  phones.show({
    ...plainMessage,
    ...place,
    ...shown,
    from: botName,
    quote,
    attachments,
    sticker,
    viewOnce,
    expiresInSeconds: phones.timer(place.conversation),
  });
}
