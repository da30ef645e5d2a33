import { randomFillSync } from "node:crypto";

const randomLength = 12;
/** Random bytes are fetched for so many ids at once: to fetch them costs more than all else of an id. */
const pool = Buffer.alloc(256 * randomLength);
let used = pool.length;

/**
 * An id that nobody can guess, and that begins with its time: ids that are made one after the other stand side by side in an
 * index, so that a row of the request log does not cost a page.
 */
export function createRequestId(now: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.toString("hex", used, (used += randomLength));
  return `req_${now.toString(36).padStart(9, "0")}${random}`;
}
