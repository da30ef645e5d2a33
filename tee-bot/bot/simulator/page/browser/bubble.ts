/** One message as the telephone shows it. Texts go into text nodes only, never into markup. */
import { addressOf, type SeenAttachment, type SeenMessage } from "./conversation.ts";
import { cutAtStyles, type StyledRun } from "./styled-runs.ts";

const pictures = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export function drawMessage(message: SeenMessage, onReply: () => void): HTMLLIElement {
  const isOwn = message.from !== "bot";
  const item = element("li", isOwn ? "own" : "theirs");
  item.classList.toggle("deleted", message.deleted);
  item.dataset["timestamp"] = String(message.timestamp);
  const bubble = element("div", "bubble");
  bubble.append(...(message.deleted ? ["This message was deleted."] : contentOf(message)));
  item.append(bubble, aboutOf(message, isOwn, onReply));
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
  if (!pictures.includes(contentType)) return link;
  const figure = element("span", "picture");
  const image = element("img", "");
  image.src = link.href;
  image.alt = name;
  figure.append(image, link);
  return figure;
}

function aboutOf(message: SeenMessage, isOwn: boolean, onReply: () => void): Node {
  const about = element("p", "about");
  const time = element("time", "", new Date(message.timestamp).toLocaleTimeString([], { timeStyle: "short" }));
  time.dateTime = new Date(message.timestamp).toISOString();
  about.append(time);
  if (message.edited) about.append(element("span", "", "edited"));
  for (const { emoji, from } of message.reactions ?? []) about.append(element("span", "", `${emoji} ${from}`));
  if (isOwn) about.append(ticksOf(message));
  if (!message.deleted) {
    const reply = element("button", "", "Reply");
    reply.type = "button";
    reply.addEventListener("click", onReply);
    about.append(reply);
  }
  return about;
}

function ticksOf({ delivered = false, read = false }: SeenMessage): Node {
  const words = read ? "read" : delivered ? "delivered" : "sent";
  const ticks = element("span", "ticks", `${read || delivered ? "✓✓" : "✓"} ${words}`);
  return ticks;
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
