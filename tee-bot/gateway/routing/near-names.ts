const maxNear = 5;
const maxCompared = 1_000;
const maxLength = 64;

/** Names that somebody may have meant who wrote `name`, the likeliest first. */
export function findNearNames(name: string, names: Iterable<string>): string[] {
  const wanted = name.slice(0, maxLength).toLowerCase();
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  const near: { candidate: string; distance: number }[] = [];
  let compared = 0;
  for (const candidate of names) {
    if (++compared > maxCompared) break;
    const other = candidate.slice(0, maxLength).toLowerCase();
    const distance = wanted.length > 2 && isWithin(wanted, other) ? 1 : distanceOf(wanted, other, limit);
    if (distance <= limit) near.push({ candidate, distance });
  }
  return near
    .toSorted((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, maxNear)
    .map(({ candidate }) => candidate);
}

function isWithin(a: string, b: string): boolean {
  return a.includes(b) || b.includes(a);
}

/** Levenshtein's distance; anything above `limit` is as good as infinite. */
function distanceOf(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let before = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let at = 1; at <= b.length; at++) {
      const same = a[row - 1] === b[at - 1] ? 0 : 1;
      current.push(Math.min((before[at] ?? 0) + 1, (current[at - 1] ?? 0) + 1, (before[at - 1] ?? 0) + same));
    }
    if (Math.min(...current) > limit) return Number.POSITIVE_INFINITY;
    before = current;
  }
  return before[b.length] ?? 0;
}
