/** Who there is: people, and groups of them with the bot. Both come into being when they are first named. */
import { createHash } from "node:crypto";
import type { Clock } from "../../../../shared/clock.ts";
import { AppError } from "../../../../shared/errors.ts";
import type { StateFile, Table } from "../state-file.ts";
import { accountOfName, botName, type Account } from "./account.ts";

export interface Person extends Account {
  /** The bot is told the uuid only. */
  readonly hidesNumber: boolean;
  /** Raised when the app is installed anew: it has another key then. */
  readonly installation: number;
  /** When signal-cli first saw the present key. */
  readonly keySince: number;
  readonly trust: Trust;
}

/** What signal-cli thinks of a person's present key. */
export type Trust = "TRUSTED_UNVERIFIED" | "TRUSTED_VERIFIED" | "UNTRUSTED";

export interface Group {
  readonly name: string;
  /** As envelopes have it: 32 bytes in base64. */
  readonly id: string;
  /** Names of people; the bot is told apart. */
  readonly members: readonly string[];
  readonly revision: number;
  readonly hasBot: boolean;
  readonly isBlocked: boolean;
}

/** Who has not said who he is. */
export const defaultPerson = "you";
const maxPeople = 10_000;
const maxGroups = 1_000;
const namePattern = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M} '._+-]{0,63}$/u;

export class Directory {
  readonly #clock: Clock;
  readonly #people: Table<Person>;
  readonly #groups: Table<Group>;
  /** By number and by uuid. */
  readonly #byAddress = new Map<string, string>();
  readonly #groupById = new Map<string, string>();

  constructor(state: StateFile, clock: Clock) {
    this.#clock = clock;
    this.#people = state.table("person");
    this.#groups = state.table("group");
    for (const person of this.#people.values.values()) this.#index(person);
    for (const group of this.#groups.values.values()) this.#groupById.set(group.id, group.name);
  }

  get people(): Person[] {
    return [...this.#people.values.values()];
  }

  get groups(): Group[] {
    return [...this.#groups.values.values()];
  }

  person(name: string): Person {
    return this.#people.values.get(name) ?? this.#add(accountOfName(name));
  }

  changePerson(name: string, changes: Partial<Pick<Person, "hidesNumber" | "trust">>): Person {
    return this.#keepPerson({ ...this.person(name), ...changes });
  }

  /** A new telephone has a new key, which signal-cli does not trust by itself. */
  reinstall(name: string): Person {
    const person = this.person(name);
    const installation = person.installation + 1;
    return this.#keepPerson({ ...person, installation, keySince: this.#clock.now(), trust: "UNTRUSTED" });
  }

  /** A person that came from elsewhere, with addresses of its own. */
  learn({ name, number, uuid }: { name: string; number: string | undefined; uuid: string }): Person {
    const known = this.findPerson(uuid);
    if (known) return known;
    const free = namePattern.test(name) && name !== botName && !this.#people.values.has(name);
    const account = accountOfName(free ? name : uuid);
    const person = this.#add({ ...account, uuid, number: number ?? account.number });
    return number === undefined ? this.changePerson(person.name, { hidesNumber: true }) : person;
  }

  /** By uuid, with or without hyphens, or by a number that is not hidden; spaces in numbers do not count. */
  findPerson(address: string): Person | undefined {
    const bare = address.replaceAll(/[\s-]/g, "").toLowerCase();
    const person = this.#people.values.get(this.#byAddress.get(bare) ?? "");
    return person?.hidesNumber && bare === person.number ? undefined : person;
  }

  /** Made at first use; whoever is named becomes a member. */
  group(name: string, members: readonly string[] = []): Group {
    const found = this.#groups.values.get(name);
    const missing = members.filter((member) => !found?.members.includes(member));
    if (found && missing.length === 0) return found;
    checkName(name, "group");
    if (!found && this.#groups.values.size >= maxGroups)
      throw new AppError("overloaded", `There are ${maxGroups} groups already.`);
    for (const member of missing) this.person(member);
    const id = createHash("sha256").update(`postern signal simulator: group ${name}`).digest("base64");
    const base = found ?? { name, id, members: [], revision: 0, hasBot: true, isBlocked: false };
    return this.#keepGroup({ ...base, members: [...base.members, ...missing], revision: base.revision + 1 });
  }

  learnGroup({ name, id, member }: { name: string; id: string; member: string }): Group {
    const known = this.findGroup(id);
    if (known) return this.group(known.name, [member]);
    const free = namePattern.test(name) && !this.#groups.values.has(name);
    const group = { id, revision: 1, hasBot: true, isBlocked: false, members: [member] };
    return this.#keepGroup({
      ...group,
      name: free ? name : createHash("sha256").update(id).digest("hex").slice(0, 16),
    });
  }

  changeGroup(name: string, changes: Partial<Pick<Group, "hasBot" | "isBlocked">>): Group {
    const group = this.group(name);
    return this.#keepGroup({ ...group, ...changes, revision: group.revision + 1 });
  }

  findGroup(id: string): Group | undefined {
    return this.#groups.values.get(this.#groupById.get(id) ?? "");
  }

  #add(account: Account): Person {
    checkName(account.name, "person");
    if (this.#people.values.size >= maxPeople)
      throw new AppError("overloaded", `There are ${maxPeople} people already.`);
    const keySince = this.#clock.now();
    this.#index(account);
    return this.#keepPerson({ ...account, hidesNumber: false, installation: 1, keySince, trust: "TRUSTED_UNVERIFIED" });
  }

  #keepPerson(person: Person): Person {
    this.#people.put(person.name, person);
    return person;
  }

  #index({ name, number, uuid }: Account): void {
    this.#byAddress.set(number, name).set(uuid.replaceAll("-", "").toLowerCase(), name);
  }

  #keepGroup(group: Group): Group {
    this.#groups.put(group.name, group);
    this.#groupById.set(group.id, group.name);
    return group;
  }
}

function checkName(name: string, kind: "person" | "group"): void {
  if (!namePattern.test(name) || name === botName)
    throw new AppError("bad-request", `"${name}" cannot be the name of a ${kind}: use up to 64 letters and digits.`);
}
