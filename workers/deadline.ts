import { AppError } from "../shared/errors.ts";

/** Longest wait for another Durable Object. */
export const objectDeadlineMs = 5_000;

/** The value of `work`, or `upstream-unavailable` once `ms` have passed; the work itself cannot be called back. */
export async function withDeadline<T>(work: Promise<T>, what: string, ms: number = objectDeadlineMs): Promise<T> {
  let timer: number | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError("upstream-unavailable", `${what} did not answer in time.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
