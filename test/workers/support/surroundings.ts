/** The surroundings of nodes' objects as they are, but for what a test has put in their place. */
import { liveSurroundings, type Surroundings } from "../../../workers/registry/surroundings.ts";

/** Empty it after each test. Objects and tests share it, since they share the isolate. */
export const inPlace: Partial<Surroundings> = {};

export function restoreSurroundings(): void {
  for (const key of Object.keys(inPlace) as (keyof Surroundings)[]) delete inPlace[key];
}

export const scriptedSurroundings: typeof liveSurroundings = (parts) => {
  const live = liveSurroundings(parts);
  return new Proxy(live, { get: (_, name: keyof Surroundings) => inPlace[name] ?? live[name] });
};
