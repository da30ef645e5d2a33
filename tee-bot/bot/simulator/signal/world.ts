/** All that stays when signal-cli-rest-api dies: Signal's servers, people and their telephones, and the account's own disk. */
import type { Clock } from "../../../../shared/clock.ts";
import type { StateFile } from "../state-file.ts";
import { botAccount, botName, type Account } from "./account.ts";
import { Contents } from "./contents.ts";
import { Directory, type Group, type Person } from "./directory.ts";
import { envelopeOf, type EnvelopeBody } from "./envelopes.ts";
import { Mailbox } from "./mailbox.ts";
import { conversationOfGroup, Phones } from "./phones.ts";
import type { SeenAttachment, SeenMessage } from "./seen-message.ts";
import { Timestamps } from "./timestamps.ts";

export interface WorldOptions {
  readonly state: StateFile;
  readonly account: string;
  readonly clock: Clock;
}

export class World implements Disposable {
  readonly account: Account;
  readonly clock: Clock;
  readonly openedAt: number;
  readonly directory: Directory;
  readonly phones: Phones;
  readonly mailbox: Mailbox;
  readonly contents: Contents;
  readonly timestamps: Timestamps;

  constructor({ state, account, clock }: WorldOptions) {
    this.account = botAccount(account);
    this.clock = clock;
    this.openedAt = clock.now();
    this.directory = new Directory(state, clock);
    this.phones = new Phones(state, clock);
    this.mailbox = new Mailbox(state);
    this.contents = new Contents(state);
    this.timestamps = new Timestamps(clock, this.phones.lastTimestamp);
  }

  /** A person, or the bot. */
  accountOf(name: string): Account & { readonly hidesNumber?: boolean } {
    return name === botName ? this.account : this.directory.person(name);
  }

  /** The name in conversations of who has this number or uuid; the address itself where nobody has it. */
  nameOf(address: string): string {
    if (address === this.account.number || address.toLowerCase() === this.account.uuid) return botName;
    return this.directory.findPerson(address)?.name ?? address;
  }

  /** A message of this person that the bot may have got, directly or in a group. */
  findMessageOf(person: Person, timestamp: number): SeenMessage | undefined {
    const groups = this.directory.groups.filter(({ members }) => members.includes(person.name));
    return [person.name, ...groups.map(({ name }) => conversationOfGroup(name))]
      .map((conversation) => this.phones.find(conversation, timestamp))
      .find((message) => message?.from === person.name);
  }

  membersOf(group: Group): Person[] {
    return group.members.map((name) => this.directory.person(name));
  }

  /** From a person to the bot. */
  mail(
    person: Person,
    timestamp: number,
    body: EnvelopeBody,
    { conversation, attachments = [] }: { conversation?: string; attachments?: readonly SeenAttachment[] } = {},
  ): void {
    const envelope = envelopeOf(person, timestamp, this.clock.now(), body);
    const shown = conversation === undefined ? {} : { conversation };
    this.mailbox.post({ from: person.name, timestamp, content: { envelope }, attachments, ...shown });
  }

  [Symbol.dispose](): void {
    this.phones[Symbol.dispose]();
  }
}
