/** One message as the telephone shows it. Texts go into text nodes only, never into markup. */
import { addressOf, type SeenAttachment, type SeenMessage } from "./conversation.ts";
import { cutAtStyles, type StyledRun } from "../styled-runs.ts";

const pictures = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** What a person can do with a message, by the word on its button. */
export type Actions = Readonly<Record<string, () => void>>;

export function drawMessage(message: SeenMessage, actions: Actions): HTMLLIElement {
  const isOwn = message.from === "you";
  const item = element("li", isOwn ? "own" : "theirs");
  item.setAttribute("aria-label", isOwn ? "You" : message.from);
  item.classList.toggle("deleted", message.deleted);
  item.dataset["timestamp"] = String(message.timestamp);
  const bubble = element("div", "bubble");
  bubble.append(...(message.deleted ? ["This message was deleted."] : contentOf(message)));
  item.append(bubble, aboutOf(message, isOwn, actions));
  return item;
}

function contentOf({ quote, attachments, text, styles }: SeenMessage): Node[] {
  return [
    ...(quote ? [element("blockquote", "quote", `${quote.author}: ${quote.text ?? "(no text)"}`)] : []),
    ...cutAtStyles(text, styles).map(runOf),
    ...attachments.map(attachmentOf),
  ];
}

function runOf({ text, styles }: StyledRun): Node {
  if (styles.length === 0) return document.createTextNode(text);
  if (!styles.includes("spoiler")) return element("span", styles.join(" "), text);
  const others = styles.filter((style) => style !== "spoiler").join(" ");
  const button = element("button", "spoiler");
  button.type = "button";
  const show = (isShown: boolean): void => {
    button.setAttribute("aria-expanded", String(isShown));
    if (isShown) button.removeAttribute("aria-label");
    else button.setAttribute("aria-label", "Hidden text: show it");
  };
  show(false);
  button.append(element("span", others, text));
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "false"));
  return button;
}

function attachmentOf(attachment: SeenAttachment): Node {
  const { contentType, filename, size } = attachment;
  const name = filename ?? "file";
  const link = element("a", "file", `${name} (${sizeOf(size)})`);
  link.href = addressOf(attachment);
  link.download = name;
  if (!pictures.has(contentType)) return link;
  const figure = element("span", "picture");
  const image = element("img", "");
  image.src = link.href;
  image.alt = name;
  figure.append(image, link);
  return figure;
}

function aboutOf(message: SeenMessage, isOwn: boolean, actions: Actions): Node {
  const about = element("p", "about");
  const time = element("time", "", new Date(message.timestamp).toLocaleTimeString([], { timeStyle: "short" }));
  time.dateTime = new Date(message.timestamp).toISOString();
  if (!isOwn && message.from !== "bot") about.append(element("span", "", message.from));
  about.append(time);
  if (message.edited) about.append(element("span", "", "edited"));
  for (const { emoji, from } of message.reactions) about.append(element("span", "", `${emoji} ${from}`));
  if (isOwn) about.append(ticksOf(message));
  for (const [word, act] of Object.entries(message.deleted ? {} : actions)) {
    const button = element("button", "", word);
    button.type = "button";
    button.addEventListener("click", act);
    about.append(button);
  }
  return about;
}

function ticksOf({ delivered, read }: SeenMessage): Node {
  const words = read ? "read" : delivered ? "delivered" : "sent";
  return element("span", "ticks", `${read || delivered ? "✓✓" : "✓"} ${words}`);
}

function sizeOf(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${Math.round(bytes / 1024)} KiB`;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, className: string, text?: string) {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  if (text !== undefined) made.append(text);
  return made;
}
