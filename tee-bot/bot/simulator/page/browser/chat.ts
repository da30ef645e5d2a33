/** The simulated telephone: shows the conversation as it is, and writes into it. */
import { drawMessage, type Actions } from "./bubble.ts";
import { find, openComposer } from "./composer.ts";
import { markRead, react, readConversation, takeBack, watch, type SeenMessage } from "./conversation.ts";

const list = find(document, "#messages", HTMLOListElement);
const log = find(document, "#log", HTMLElement);
const typing = find(document, "#typing", HTMLElement);
const link = find(document, "#link", HTMLElement);
const composer = openComposer(find(document, "#composer", HTMLFormElement));

/** What is drawn for each message, by its timestamp and sender. */
const drawn = new Map<string, { form: string; item: HTMLLIElement }>();
/** So near to the end a reader follows what is new. */
const nearPixels = 80;
/** Timestamp of the newest message that the bot was told of as read. */
let lastRead = 0;

/** One look at a time: what changes meanwhile is seen by the next. */
let looking = false;
let again = false;

async function look(): Promise<void> {
  again = true;
  if (looking) return;
  looking = true;
  try {
    while (again) {
      again = false;
      show(await readConversation());
    }
  } catch {
    // The link to the simulator is lost, which is told; when it is back, everything is read anew.
  } finally {
    looking = false;
  }
}

function show({ messages, typing: isTyping }: Awaited<ReturnType<typeof readConversation>>): void {
  const follows = log.scrollHeight - log.scrollTop - log.clientHeight < nearPixels;
  const kept = new Set(messages.map(nameOf));
  for (const [name, { item }] of drawn)
    if (!kept.has(name)) {
      item.remove();
      drawn.delete(name);
    }
  messages.forEach((message, index) => place(message, index));
  typing.textContent = isTyping ? "The bot is typing …" : "";
  if (follows) log.scrollTop = log.scrollHeight;
  tellRead(messages);
}

/** Only what is new or has changed is touched, so that it alone is read out. */
function place(message: SeenMessage, index: number): void {
  const name = nameOf(message);
  const form = JSON.stringify(message);
  const before = drawn.get(name);
  if (before?.form === form) return;
  const item = drawMessage(message, actionsFor(message));
  if (before) before.item.replaceWith(item);
  else list.insertBefore(item, list.children[index] ?? null);
  drawn.set(name, { form, item });
}

function actionsFor(message: SeenMessage): Actions {
  const attempt = (act: Promise<void>): void => void act.catch((error: Error) => composer.tell(error.message));
  const reply = { Reply: () => composer.replyTo(message) };
  if (message.from !== "you") return { ...reply, Like: () => attempt(react(message, "👍")) };
  return { ...reply, Edit: () => composer.change(message), Delete: () => attempt(takeBack(message)) };
}

/** What the person has seen, the bot is told, once. */
function tellRead(messages: readonly SeenMessage[]): void {
  const newest = messages.findLast(({ from }) => from !== "you")?.timestamp ?? 0;
  if (newest <= lastRead || document.visibilityState !== "visible") return;
  lastRead = newest;
  void markRead().catch(() => {}); // as a telephone without a network
}

function nameOf({ timestamp, from }: SeenMessage): string {
  return `${timestamp} ${from}`;
}

document.addEventListener("visibilitychange", () => void look());
watch({
  onChange: () => void look(),
  onLink: (isUp) => {
    link.textContent = isUp ? "" : "The simulator is away; trying again …";
  },
});
