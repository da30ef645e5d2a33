/** Messages of a chat as a terminal shows them. */
import { cutAtStyles } from "../bot/simulator/page/styled-runs.ts";
import type { ShownMessage } from "./chat-client.ts";
import { printable } from "./printable.ts";

/** ECMA-48 SGR. A spoiler is inverted, as a terminal cannot hide what can be shown later. */
const codes: Readonly<Record<string, number>> = { bold: 1, monospace: 36, italic: 3, spoiler: 7, strikethrough: 9 };
const indent = "  ";

export function formatMessage(
  message: ShownMessage,
  { color, addressOf }: { color: boolean; addressOf: (attachment: { id: string }) => string },
): string {
  const { from, text, styles, attachments, edited, deleted } = message;
  const shown = deleted ? "(deleted)" : formatText(text, styles, color);
  const who = `${printable(from)}${edited && !deleted ? " (edited)" : ""}`;
  return [
    color ? `\u001b[1;34m${who}\u001b[0m` : who,
    ...(shown === "" ? [] : shown.split("\n").map((line) => indent + line)),
    ...attachments.map(
      (one) => `${indent}[${printable(one.filename ?? "file")}, ${one.size} bytes: ${addressOf(one)}]`,
    ),
    "",
  ].join("\n");
}

function formatText(text: string, styles: readonly string[], color: boolean): string {
  return cutAtStyles(text, styles)
    .map((run) => {
      const lines = run.text.split("\n").map(printable);
      const used = run.styles.flatMap((style) => codes[style] ?? []);
      if (!color || used.length === 0) return lines.join("\n");
      return lines.map((line) => `\u001b[${used.join(";")}m${line}\u001b[0m`).join("\n");
    })
    .join("");
}
