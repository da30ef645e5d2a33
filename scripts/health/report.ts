/** What a health check tells: a line for each part, and an exit code. */

export interface PartHealth {
  readonly part: string;
  readonly state: "well" | "attention" | "down";
  readonly words: string;
}

/** 0: all parts work. 1: somebody should look. 2: a part does not work. */
export function exitCodeOf(parts: readonly PartHealth[]): 0 | 1 | 2 {
  if (parts.some(({ state }) => state === "down")) return 2;
  return parts.some(({ state }) => state === "attention") ? 1 : 0;
}

/** `words` may hold what others said: a line stays one. */
export function formatReport(parts: readonly PartHealth[]): string {
  const marks = { well: "ok  ", attention: "look", down: "FAIL" } as const;
  const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, " ");
  return parts.map(({ part, state, words }) => `${marks[state]} ${part.padEnd(8)} ${oneLine(words)}\n`).join("");
}
