import { AppError } from "../../../shared/errors.ts";
import { aborted } from "../../../shared/nodejs/termination.ts";

/** More than this wait for nothing: it would be over for them before their turn. */
export const maxWaiting = 8;

/** Does one thing at a time, in the order in which it was asked for. */
export class SingleFlight {
  #last: Promise<unknown> = Promise.resolve();
  #underWay = 0;

  /** Throws `overloaded` when too many wait, and the signal's reason when it aborts before its turn. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#underWay > maxWaiting) throw new AppError("overloaded", "Too many wait for it already.");
    this.#underWay++;
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => {});
    try {
      return await Promise.race([turn, failOnAbort(signal)]);
    } finally {
      this.#underWay--;
    }
  }
}

function failOnAbort(signal: AbortSignal): Promise<never> {
  return aborted(signal).then(() => {
    throw signal.reason;
  });
}
