/** What can be done with messages beside sending them: typing, receipts, reactions, deletions. */
import { Hono } from "hono";
import { botName } from "../signal/account.ts";
import { decideDelete, decideReaction, type SeenMessage } from "../signal/seen-message.ts";
import { conversationOf } from "./recipients.ts";
import { callFor, demand, readBody, type RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";
import { reactionSchema, receiptSchema, remoteDeleteSchema, removeReactionSchema, typingSchema } from "./schemas.ts";

export function messageRoutes(options: RestOptions): Hono {
  const { world } = options;
  const { phones } = world;
  const app = new Hono();

  for (const [method, typing] of [
    ["PUT", true],
    ["DELETE", false],
  ] as const)
    app.on(method, "/v1/typing-indicator/:number", async (context) => {
      const { recipient } = await readBody(context, typingSchema);
      await callFor(options, context, () => phones.setTyping(conversationOf(world, recipient), typing));
      return context.body(null, 204);
    });

  app.post("/v1/receipts/:number", async (context) => {
    const { recipient, receipt_type: type, timestamp } = await readBody(context, receiptSchema);
    demand(recipient, "recipient");
    if (type !== "read" && type !== "viewed")
      throw new RestError("Couldn't process request - receipt type must be read or viewed");
    demand(timestamp, "timestamp");
    await callFor(options, context, () => {
      const person = world.directory.person(conversationOf(world, recipient));
      const conversation = world.findMessageOf(person, timestamp)?.conversation ?? person.name;
      phones.change(conversation, timestamp, (message) =>
        message.from === person.name
          ? { message: { ...message, read: true, viewed: message.viewed || type === "viewed" } }
          : { refusal: "a receipt for a message of somebody else" },
      );
    });
    return context.body(null, 204);
  });

  for (const [method, remove] of [
    ["POST", false],
    ["DELETE", true],
  ] as const)
    app.on(method, "/v1/reactions/:number", async (context) => {
      const body = await readBody(context, remove ? removeReactionSchema : reactionSchema);
      const { recipient, reaction = "", target_author: author, timestamp } = body;
      demand(recipient, "recipient");
      if (!remove) demand(reaction, "reaction");
      demand(author, "target_author");
      demand(timestamp, "timestamp");
      await callFor(options, context, () =>
        phones.change(conversationOf(world, recipient), timestamp, (message: SeenMessage) =>
          message.from === world.nameOf(author)
            ? decideReaction(message, { from: botName, emoji: reaction }, remove)
            : { refusal: "a reaction that names another author" },
        ),
      );
      return context.body(null, 204);
    });

  app.delete("/v1/remote-delete/:number", async (context) => {
    const { recipient, timestamp } = await readBody(context, remoteDeleteSchema);
    demand(recipient, "recipient");
    demand(timestamp, "timestamp");
    const sentAt = await callFor(options, context, () => {
      phones.change(conversationOf(world, recipient), timestamp, (message) => decideDelete(message, botName));
      return world.timestamps.next();
    });
    return context.json({ timestamp: String(sentAt) }, 201);
  });

  return app;
}
