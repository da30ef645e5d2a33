const maxNameLength = 64;

/** The one of `names` that was probably meant, if any is near enough. Case, dashes and underscores do not count. */
export function nearName(name: string, names: readonly string[]): string | undefined {
  if (name.length > maxNameLength) return undefined;
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, "");
  const [best] = names
    .map((one) => ({ one, distance: distanceBetween(plain(name), plain(one)) }))
    .toSorted((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, Math.floor(best.one.length / 3)) ? best.one : undefined;
}

/** How many letters to add, drop or change (Levenshtein). */
function distanceBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of one.split("").entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of other.split("").entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === otherLetter ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
