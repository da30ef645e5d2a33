/**
 * What C0 and C1 controls, DEL and the marks that turn the direction of text could do to a terminal: hide lines, paint a
 * verdict, or write into the clipboard. Line breaks count too: a sentence has one line.
 */
const unprintable = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]/gu;

/** Text of somebody else with such characters as `\u{1b}`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (one) => `\\u{${one.charCodeAt(0).toString(16)}}`);
}

/** JSON with such characters as `\u001b`, which means the same. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    unprintable,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
