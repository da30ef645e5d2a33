/**
 * For whoever plays the people: a page, a terminal, a test. On 127.0.0.1 only, and for no page from elsewhere. `from` is a person
 * (default: `you`), `group` the name of a group; both come into being when they are named. What is written in a group may hold
 * `@bot`, which becomes a mention. Bodies are JSON; a change answers 201 with its `timestamp`, by which messages are named.
 *
 *     POST /messages              {text, from?, group?, quote?: timestamp, sticker?, viewOnce?,
 *                                  attachments?: [{base64, contentType?, filename?}]}
 *     GET  /messages?from=&group= {messages: [{from: "you"|"bot"|name, text, styles: ["start:length:STYLE"], timestamp, edited,
 *                                  deleted, quote, attachments, reactions, …}], typing, expiresInSeconds}, oldest first
 *     GET  /messages/events?from=&group=   Server-Sent Events: `message` with one message as above that is new or changed,
 *                                  `typing` with {typing}, `timer` with {expiresInSeconds}; without `group`, the direct conversation
 *     POST /messages/edit         {timestamp, text, from?, group?}
 *     POST /messages/delete       {timestamp, from?, group?}
 *     POST /messages/reaction     {timestamp, emoji, remove?, from?, group?}
 *     POST /messages/timer        {seconds, from?, group?}
 *     POST /messages/typing       {typing, from?, group?}                  204
 *     POST /messages/read         {from?, group?}: all there is was read   204
 *     GET  /messages/attachments/{id}
 *     GET  /messages/people       {people: [{name, number, uuid, hidesNumber}], groups: [{name, id, members}]}
 *     PUT  /messages/people/{name}   {hidesNumber}                         204
 *     POST /messages/people/{name}/reinstall: a new key, not trusted yet   204
 *     GET  /messages/account      {number, uuid, registered, profile?, username?, settings?, code?, linkUri?}
 *     POST /messages/account/link {uri}: the telephone reads a QR code     204
 *     GET  /messages/lost         {lost: [{from, timestamp, kind, why, mayHaveArrived}]}: acknowledged, and taken by nobody
 */
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { AppError, errorText } from "../../../../shared/errors.ts";
import type { Log } from "../../../../shared/log.ts";
import { problemContentType, problemOfError } from "../../../../shared/problem.ts";
import type { Registration } from "../rest/registration.ts";
import { defaultPerson } from "../signal/directory.ts";
import type { World } from "../signal/world.ts";
import { streamEvents } from "./events.ts";
import { Phone } from "./phone.ts";
import { viewConversation } from "./view.ts";

export interface PeopleApiOptions {
  readonly world: World;
  readonly registration: Registration;
  readonly log: Log;
}

const maxBodyBytes = 32 * 1024 * 1024;
const maxTextLength = 1_000_000;
const maxTimerSeconds = 4 * 7 * 24 * 3_600;

const who = { from: z.string().default(defaultPerson), group: z.string().optional() };
const text = z.string().max(maxTextLength);
const timestamp = z.int().positive();
const attachment = z.strictObject({
  base64: z.base64(),
  contentType: z.string().min(1).default("application/octet-stream"),
  filename: z.string().optional(),
});
const messageSchema = z.strictObject({
  ...who,
  text: text.default(""),
  quote: timestamp.optional(),
  sticker: z
    .string()
    .regex(/^[\da-f]+:\d+$/)
    .optional(),
  viewOnce: z.boolean().optional(),
  attachments: z.array(attachment).max(32).default([]),
});
const editSchema = z.strictObject({ ...who, timestamp, text });
const deleteSchema = z.strictObject({ ...who, timestamp });
const reactionSchema = z.strictObject({
  ...who,
  timestamp,
  emoji: z.string().min(1).max(64),
  remove: z.boolean().default(false),
});
const timerSchema = z.strictObject({ ...who, seconds: z.int().min(0).max(maxTimerSeconds) });
const typingSchema = z.strictObject({ ...who, typing: z.boolean() });
const readSchema = z.strictObject(who);

export function createPeopleApi(options: PeopleApiOptions): Hono {
  const { world, log } = options;
  const phoneOf = ({ from, group }: { from: string; group?: string | undefined }) => new Phone(world, from, group);
  const app = new Hono();
  app.use(bodyLimit({ maxSize: maxBodyBytes }));

  app.post("/messages", async (context) => {
    const { attachments: given, from, group, ...message } = await readBody(context, messageSchema);
    const attachments = given.map(({ base64, contentType, filename }) =>
      world.contents.keep(Buffer.from(base64, "base64"), contentType, filename ?? null),
    );
    return created(context, phoneOf({ from, group }).write({ ...message, attachments }));
  });
  app.get("/messages", (context) => {
    const { person, phone } = placeOf(context);
    return context.json(viewConversation(world, { person, conversation: phone.conversation }));
  });
  app.get("/messages/events", (context) => {
    const { person, phone } = placeOf(context);
    return streamEvents(context, world, { person, conversation: phone.conversation });
  });
  app.post("/messages/edit", async (context) => {
    const { timestamp: target, text: written, ...place } = await readBody(context, editSchema);
    return created(context, phoneOf(place).edit(target, written));
  });
  app.post("/messages/delete", async (context) => {
    const { timestamp: target, ...place } = await readBody(context, deleteSchema);
    return created(context, phoneOf(place).delete(target));
  });
  app.post("/messages/reaction", async (context) => {
    const { timestamp: target, emoji, remove, ...place } = await readBody(context, reactionSchema);
    return created(context, phoneOf(place).react(target, emoji, remove));
  });
  app.post("/messages/timer", async (context) => {
    const { seconds, ...place } = await readBody(context, timerSchema);
    return created(context, phoneOf(place).setTimer(seconds));
  });
  app.post("/messages/typing", async (context) => {
    const { typing, ...place } = await readBody(context, typingSchema);
    phoneOf(place).type(typing);
    return context.body(null, 204);
  });
  app.post("/messages/read", async (context) => {
    phoneOf(await readBody(context, readSchema)).read();
    return context.body(null, 204);
  });
  app.get("/messages/attachments/:id", (context) => {
    const found = world.contents.find(context.req.param("id"));
    if (!found) throw new AppError("not-found", "There is no such attachment.");
    // Nothing that somebody attached is to run as a page of this address.
    const headers = {
      "content-type": found.contentType,
      "content-security-policy": "sandbox",
      "x-content-type-options": "nosniff",
    };
    return context.body(new Uint8Array(found.bytes), 200, headers);
  });
  addDirectoryRoutes(app, options);

  app.notFound(({ req }) => problem(new AppError("not-found", `There is no ${req.method} ${req.path} here.`)));
  app.onError((error) => {
    if (!(error instanceof AppError)) log.error("call.failed", { reason: errorText(error) });
    return problem(error);
  });
  return app;

  function placeOf(context: Context): { person: string; phone: Phone } {
    const person = context.req.query("from") ?? defaultPerson;
    return { person, phone: new Phone(world, person, context.req.query("group")) };
  }
}

/** Who there is, and what Signal has to say of the account. */
function addDirectoryRoutes(app: Hono, { world, registration }: PeopleApiOptions): void {
  const { directory, account, mailbox } = world;
  app.get("/messages/people", (context) =>
    context.json({
      people: directory.people.map(({ name, number, uuid, hidesNumber }) => ({ name, number, uuid, hidesNumber })),
      groups: directory.groups.map(({ name, id, members }) => ({ name, id, members })),
    }),
  );
  app.put("/messages/people/:name", async (context) => {
    const changes = await readBody(context, z.strictObject({ hidesNumber: z.boolean() }));
    directory.changePerson(context.req.param("name"), changes);
    return context.body(null, 204);
  });
  app.post("/messages/people/:name/reinstall", (context) => {
    directory.reinstall(context.req.param("name"));
    return context.body(null, 204);
  });
  app.get("/messages/account", (context) => {
    const { record, code, linkUri } = registration;
    return context.json({ number: account.number, uuid: account.uuid, ...record, code, linkUri });
  });
  app.post("/messages/account/link", async (context) => {
    const { uri } = await readBody(context, z.strictObject({ uri: z.string() }));
    if (!registration.finishLink(uri)) throw new AppError("bad-request", "This is not the newest QR code.");
    return context.body(null, 204);
  });
  app.get("/messages/lost", (context) => context.json({ lost: mailbox.lost }));
}

async function readBody<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.infer<Schema>> {
  const body = schema.safeParse(await context.req.json().catch(() => undefined));
  if (body.success) return body.data;
  const [issue] = body.error.issues;
  const where = issue?.path.join(".") || "body";
  throw new AppError("bad-request", `The ${where} is not as it should be: ${issue?.message ?? "it is no JSON"}.`);
}

function created(context: Context, sentAt: number): Response {
  return context.json({ timestamp: sentAt }, 201);
}

function problem(error: unknown): Response {
  const body = problemOfError(error);
  return Response.json(body, { status: body.status, headers: { "content-type": problemContentType } });
}
