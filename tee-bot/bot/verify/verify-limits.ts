/** How often one person may have everything verified: each time costs the hardware a quote, and the provider a report. */
export const verifiesPerPerson = 3;
export const verifyWindowMs = 10 * 60_000;
const maxPeople = 10_000;

export class VerifyLimits {
  /** By person, the times of the last; who has asked longest ago stands first. */
  readonly #asked = new Map<string, readonly number[]>();

  /** Counts one; how long the person should wait instead, undefined while they may. */
  count(person: string, now: number): number | undefined {
    const recent = (this.#asked.get(person) ?? []).filter((at) => at > now - verifyWindowMs);
    const [first = now] = recent;
    if (recent.length >= verifiesPerPerson) return first + verifyWindowMs - now;
    this.#asked.delete(person);
    this.#asked.set(person, [...recent, now]);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > maxPeople && oldest !== undefined) this.#asked.delete(oldest);
    return undefined;
  }
}
