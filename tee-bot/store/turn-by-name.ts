import { AppError } from "../../shared/errors.ts";

/** How many may wait for one name. */
const maxWaiting = 256;

/** Has work of one name done one after the other, in order; that of different names does not wait for each other. */
export class TurnByName {
  readonly #last = new Map<string, { done: Promise<unknown>; waiting: number }>();

  /** Throws {@link AppError} when too much waits already. The work limits its own time. */
  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const held = this.#last.get(name);
    if (held && held.waiting >= maxWaiting)
      return Promise.reject(new AppError("overloaded", "Too much is waiting for this conversation. Try again soon."));
    const turn = held ?? { done: Promise.resolve(), waiting: 0 };
    turn.waiting++;
    const result = turn.done.then(work);
    turn.done = result
      .catch(() => {}) // it is told to whoever asked
      .finally(() => --turn.waiting === 0 && this.#last.delete(name));
    this.#last.set(name, turn);
    return result;
  }
}
