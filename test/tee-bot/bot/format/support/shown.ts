import type { Run } from "../../../../../tee-bot/bot/format/runs.ts";
import { parseStyledText } from "../../../../../tee-bot/bot/simulator/styled-text.ts";

const joiner = "\u2060";

/** One UTF-16 unit that a person sees, with its styles. Joiners are not seen. */
type Seen = string;

/** What a telephone shows of the mark-up, unit by unit. */
export function shownUnits(markup: string, tripleStar = true): Seen[] {
  const { text, styles } = parseStyledText(markup, { tripleStar });
  const names: Set<string>[] = Array.from({ length: text.length }, () => new Set());
  for (const range of styles) {
    const [start, length, name] = range.split(":");
    for (let unit = Number(start); unit < Number(start) + Number(length); unit++) names[unit]!.add(name!);
  }
  return seen(text, names);
}

/** What it should show. */
export function wantedUnits(runs: readonly Run[]): Seen[] {
  return runs.flatMap(({ text, styles }) => {
    const names = new Set(styles.map((style) => style.toUpperCase()));
    return seen(
      text,
      Array.from({ length: text.length }, () => names),
    );
  });
}

/** What a telephone shows of the mark-up, without styles. */
export function shownText(markup: string): string {
  return parseStyledText(markup).text.replaceAll(joiner, "");
}

function seen(text: string, names: readonly ReadonlySet<string>[]): Seen[] {
  const units = text.split("").map((unit, index) => `${unit} ${[...names[index]!].toSorted().join("+")}`);
  return units.filter((unit) => !unit.startsWith(joiner));
}
