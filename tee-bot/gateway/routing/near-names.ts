const maxNear = 5;
const maxDistance = 4;
/** Of those that look alike at all: this is worked out for whoever asks for what there is not. */
const maxCompared = 300;
const maxLength = 64;

/** Names that somebody may have meant who wrote `name`, the likeliest first. */
export function findNearNames(name: string, names: Iterable<string>): string[] {
  const wanted = name.slice(0, maxLength).toLowerCase();
  const limit = Math.min(maxDistance, Math.max(2, Math.floor(wanted.length / 3)));
  const near: { candidate: string; distance: number }[] = [];
  let compared = 0;
  for (const candidate of names) {
    const other = candidate.slice(0, maxLength).toLowerCase();
    if (wanted.length > 2 && isWithin(wanted, other)) near.push({ candidate, distance: 1 });
    else if (Math.abs(wanted.length - other.length) <= limit && ++compared <= maxCompared) {
      const distance = distanceOf(wanted, other, limit);
      if (distance <= limit) near.push({ candidate, distance });
    }
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
