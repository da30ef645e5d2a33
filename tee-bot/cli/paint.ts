import type { Trouble } from "../../shared/acme/ports.ts";

const codes = { red: 31, green: 32, yellow: 33 } as const;

/** Colours text, or leaves it as it is. */
export function painter(color: boolean): (name: keyof typeof codes, text: string) => string {
  return (name, text) => (color ? `\u001b[${codes[name]}m${text}\u001b[0m` : text);
}

/** What somebody has to look at, each with what to do; the lines of an empty list are none. */
export function formatTroubles(troubles: readonly Trouble[], color: boolean): string[] {
  const paint = painter(color);
  const lines = troubles.flatMap(({ detail, remedy }) => [`  ${paint("red", "!")} ${detail}`, `    → ${remedy}`]);
  return lines.length === 0 ? [] : ["", ...lines];
}
