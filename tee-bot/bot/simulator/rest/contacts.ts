/** People as signal-cli lists them: contacts, and the keys by which they are known. */
import { setImmediate } from "node:timers/promises";
import { Hono } from "hono";
import type { Person } from "../signal/directory.ts";
import { formatKey, identityKeyOf, safetyNumberOf, type Identity } from "../signal/identity.ts";
import type { World } from "../signal/world.ts";
import { conversationOf } from "./recipients.ts";
import { callFor, demand, readBody, type RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";
import { contactSchema, trustSchema } from "./schemas.ts";

export function contactRoutes(options: RestOptions): Hono {
  const { world, state } = options;
  /** Names that the bot has given to people. */
  const names = state.table<string>("contact");
  const contactOf = (person: Person): object => describeContact(world, person, names.values.get(person.name) ?? "");
  const app = new Hono();

  app.get("/v1/contacts/:number", async (context) =>
    context.json(await callFor(options, context, () => world.directory.people.map(contactOf))),
  );
  app.get("/v1/contacts/:number/:uuid", async (context) => {
    const person = await callFor(options, context, () => world.directory.findPerson(context.req.param("uuid")));
    if (!person) throw new RestError("No contact with that id found", 404);
    return context.json(contactOf(person));
  });
  app.put("/v1/contacts/:number", async (context) => {
    const { recipient, name, expiration_in_seconds: seconds } = await readBody(context, contactSchema);
    demand(recipient, "recipient");
    await callFor(options, context, () => {
      const conversation = conversationOf(world, recipient);
      if (name !== undefined) names.put(conversation, name);
      if (seconds !== undefined) world.phones.setTimer(conversation, seconds);
    });
    return context.body(null, 204);
  });

  app.get("/v1/identities/:number", async (context) => {
    const people = await callFor(options, context, () => [ownEntry(world), ...world.directory.people]);
    const entries: object[] = [];
    for (const person of people) {
      entries.push(describeIdentity(world, person));
      await setImmediate(); // a safety number takes a while, and others are waiting
    }
    return context.json(entries);
  });
  app.put("/v1/identities/:number/trust/:who", async (context) => {
    const { verified_safety_number: given, trust_all_known_keys: all } = await readBody(context, trustSchema);
    if (given === undefined && all !== true)
      throw new RestError(
        "Couldn't process request - please either provide a safety number (preferred & more secure) or set 'trust_all_known_keys' to true",
      );
    if (given !== undefined && all === true)
      throw new RestError(
        "Couldn't process request - please either provide a safety number or set 'trust_all_known_keys' to true. But do not set both parameters at once!",
      );
    if (given === "") throw new RestError("Couldn't process request - please provide a valid safety number");
    await callFor(options, context, () => {
      const person = world.directory.findPerson(context.req.param("who"));
      const known = person && (given === undefined || given.replaceAll(" ", "") === safetyNumber(world, person));
      if (!known) throw new RestError("Failed to set the trust for the given number, make sure the number is correct.");
      world.directory.changePerson(person.name, {
        trust: given === undefined ? "TRUSTED_UNVERIFIED" : "TRUSTED_VERIFIED",
      });
    });
    return context.body(null, 204);
  });

  return app;
}

/** The account's own key is listed too. */
function ownEntry({ account, openedAt: keySince }: World): Person {
  return { ...account, hidesNumber: false, installation: 1, keySince, trust: "TRUSTED_VERIFIED" };
}

function describeIdentity(world: World, person: Person): object {
  return {
    number: person.hidesNumber ? "" : person.number,
    uuid: person.uuid,
    status: person.trust,
    fingerprint: formatKey(identityOf(person).key),
    added: String(person.keySince),
    safety_number: safetyNumber(world, person),
  };
}

function safetyNumber(world: World, person: Person): string {
  return safetyNumberOf(identityOf(ownEntry(world)), identityOf(person));
}

function identityOf({ uuid, installation }: Person): Identity {
  return { uuid, key: identityKeyOf(uuid, installation) };
}

function describeContact({ phones }: World, person: Person, name: string): object {
  return {
    number: person.hidesNumber ? "" : person.number,
    uuid: person.uuid,
    name,
    profile_name: person.name,
    username: "",
    color: "",
    blocked: false,
    message_expiration: String(phones.timer(person.name)),
    note: "",
    given_name: "",
    profile: { given_name: person.name, lastname: "", about: "", has_avatar: false, last_updated_timestamp: 0 },
    nickname: { name: "", given_name: "", family_name: "" },
  };
}
