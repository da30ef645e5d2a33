/** The simulated telephone: shows the conversation as it is, and writes into it. */
import { drawMessage } from "./bubble.ts";
import { find, openComposer } from "./composer.ts";
import { readConversation, watch, type SeenMessage } from "./conversation.ts";

const list = find(document, "#messages", HTMLOListElement);
const typing = find(document, "#typing", HTMLElement);
const link = find(document, "#link", HTMLElement);
const composer = openComposer(find(document, "#composer", HTMLFormElement));

/** What is drawn for each message, by its timestamp and sender. */
const drawn = new Map<string, { form: string; item: HTMLLIElement }>();
/** So near to the end a reader follows what is new. */
const nearPixels = 80;

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
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < nearPixels;
  const kept = new Set(messages.map(nameOf));
  for (const [name, { item }] of drawn)
    if (!kept.has(name)) {
      item.remove();
      drawn.delete(name);
    }
  messages.forEach((message, index) => place(message, index));
  typing.textContent = isTyping ? "The bot is typing …" : "";
  if (follows) list.scrollTop = list.scrollHeight;
}

/** Only what is new or has changed is touched, so that it alone is read out. */
function place(message: SeenMessage, index: number): void {
  const name = nameOf(message);
  const form = JSON.stringify(message);
  const before = drawn.get(name);
  if (before?.form === form) return;
  const item = drawMessage(message, () => composer.replyTo(message));
  if (before) before.item.replaceWith(item);
  else list.insertBefore(item, list.children[index] ?? null);
  drawn.set(name, { form, item });
}

function nameOf({ timestamp, from }: SeenMessage): string {
  return `${timestamp} ${from}`;
}

watch({
  onChange: () => void look(),
  onLink: (isUp) => {
    link.textContent = isUp ? "" : "The simulator is away; trying again …";
  },
});
