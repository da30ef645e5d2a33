/** Text as it is, in Markdown: within back-ticks, which it must not have itself. */
export function codeSpan(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}

/** `1 message`, `2 messages`. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
