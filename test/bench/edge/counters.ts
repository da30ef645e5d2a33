/** What was counted, by kind and class: `object requests NodeObject.renew`. One for all objects: they share an isolate. */
const counts = new Map<string, number>();

export function counters(): Record<string, number> {
  return Object.fromEntries(counts);
}

counters.add = (name: string, amount = 1): void => {
  counts.set(name, (counts.get(name) ?? 0) + amount);
};
