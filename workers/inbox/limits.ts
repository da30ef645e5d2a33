/** What one node's inbox holds, and for how long. */
import { maxWebhookBytes } from "../../shared/inbox/messages.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const maxWaitingPerHook = 1_000;
/** Of all that waits, sealed. */
export const maxWaitingBytesPerNode = 64 * 1024 * 1024;
export const maxDeadPerNode = 200;
/** Ids of what was delivered, for as long as a sender may send it again. */
export const maxRememberedPerNode = 10_000;

/** So many at once, and so many a second. */
export const senderRate = { perSecond: 5, burst: 200 };
export const hookRate = { perSecond: 20, burst: 500 };

/** Together, headers and their names. */
export const maxKeptHeaderBytes = 8 * 1024;
/** In one answer, before base64: more than the largest webhook. */
export const maxHandedBytes = 2 * maxWebhookBytes;

/** Three hours or so. */
export const maxAttempts = 20;
export const retryBackoff = { baseMs: 1_000, maxMs: 30 * 60_000 };

/** How long a delivery stays in each state: then it is given up, or forgotten. */
export const lifetimesMs = { waiting: 7 * dayMs, dead: 14 * dayMs, done: 3 * dayMs };
/** How often that is looked at. */
export const sweepMs = hourMs;
