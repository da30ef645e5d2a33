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

/** How many letters to add, drop, change, or swap with the next (Damerau-Levenshtein, each letter touched once). */
function distanceBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of one.split("").entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of other.split("").entries()) {
      const isSwap = j > 0 && letter === other[j - 1] && one[i - 1] === otherLetter;
      const costs = [(row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === otherLetter ? 0 : 1)];
      if (isSwap) costs.push((before[j - 1] ?? 0) + 1);
      next.push(Math.min(...costs));
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
