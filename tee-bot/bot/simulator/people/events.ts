/** What changes in a conversation, as Server-Sent Events (WHATWG HTML, 9.2), for as long as the page is there. */
import type { Context } from "hono";
import { AppError } from "../../../../shared/errors.ts";
import type { World } from "../signal/world.ts";
import { viewMessage, type Place } from "./view.ts";

/** So that a page that is gone is noticed. */
const heartbeatMs = 15_000;
/** A page that reads so slowly is left; it comes back by itself. */
const maxUnreadChunks = 1_000;
const maxStreams = 64;
const streams = new WeakMap<World, number>();

export function streamEvents(context: Context, world: World, place: Place): Response {
  const open = streams.get(world) ?? 0;
  if (open >= maxStreams) throw new AppError("overloaded", `There are ${maxStreams} readers of events already.`);
  streams.set(world, open + 1);
  return context.body(eventStream(world, place), 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
}

function eventStream(world: World, { person, conversation }: Place): ReadableStream<Uint8Array> {
  const { phones } = world;
  const encoder = new TextEncoder();
  const parts = new DisposableStack();
  const said = { typing: phones.isTyping(conversation), expiresInSeconds: phones.timer(conversation) };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string): void => {
          if (parts.disposed) return;
          if ((controller.desiredSize ?? 0) > 0) return controller.enqueue(encoder.encode(text));
          parts.dispose();
          controller.error(new Error("nobody reads these events"));
        };
        const tell = (event: string, data: object): void => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
        parts.defer(() => streams.set(world, (streams.get(world) ?? 1) - 1));
        parts.adopt(
          setInterval(() => write(":\n\n"), heartbeatMs),
          clearInterval,
        );
        parts.use(
          phones.watch((event) => {
            if (event.conversation !== conversation) return;
            const message = event.message && viewMessage(event.message, person);
            if (message) tell("message", message);
            const [typing, expiresInSeconds] = [phones.isTyping(conversation), phones.timer(conversation)];
            if (typing !== said.typing) tell("typing", { typing });
            if (expiresInSeconds !== said.expiresInSeconds) tell("timer", { expiresInSeconds });
            Object.assign(said, { typing, expiresInSeconds });
          }),
        );
        write(":\n\n"); // so that the reader knows that it has begun
      },
      cancel: () => parts.dispose(),
    },
    { highWaterMark: maxUnreadChunks },
  );
}
