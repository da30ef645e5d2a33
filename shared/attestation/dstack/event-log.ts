/**
 * The log of what went into the registers RTMR0-3, replayed: `register = SHA384(register ‖ digest)`. Digests of dstack's
 * own events (RTMR3) are computed anew from what the log says happened; the ones printed there may be empty, or lies.
 */
import canonicalize from "canonicalize";
import { z } from "zod";
import { fromHex, toHex } from "../../hex.ts";
import { parseJson } from "../../parse-json.ts";
import { rejected } from "../rejected.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Type of dstack's events (cc-eventlog, runtime_events.rs); all others are the firmware's. */
export const runtimeEventType = 0x0800_0001;
export const maxEvents = 2048;
export const maxEventLogLength = 1024 * 1024;
const maxPayloadLength = 256 * 1024;
const registerBytes = 48;

export interface LoggedEvent {
  /** Which of the four registers it went into. */
  readonly register: number;
  readonly type: number;
  readonly name: string;
  readonly payload: Bytes;
  /** SHA-384, 48 bytes: what the register was extended with. */
  readonly digest: Bytes;
}

export interface ReplayedLog {
  readonly events: readonly LoggedEvent[];
  /** What the registers must hold if this is what happened, hex. */
  readonly registers: readonly [string, string, string, string];
}

/** Reads the JSON text that a guest agent gives, and replays it. Throws `evidence-rejected` for what is no event log. */
export async function replayEventLog(text: string): Promise<ReplayedLog> {
  const events = await Promise.all(readEntries(text).map(readEvent));
  const registers = [0, 1, 2, 3].map((register) => replay(events.filter((event) => event.register === register)));
  const [zero = "", one = "", two = "", three = ""] = await Promise.all(registers);
  return { events, registers: [zero, one, two, three] };
}

/** Old and new guest agents write numbers as numbers or as text. */
const number = (max: number) =>
  z
    .union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,10}$/)
        .transform(Number),
    ])
    .pipe(z.int().min(0).max(max));

const entrySchema = z.object({
  imr: number(3),
  event_type: number(0xffff_ffff),
  digest: z
    .string()
    .max(2 * registerBytes)
    .default(""),
  event: z.string().max(1024).default(""),
  event_payload: z.string().max(maxPayloadLength).default(""),
  /** Of the digest's form. */
  version: z.int().optional(),
});

type Entry = z.infer<typeof entrySchema>;

function readEntries(text: string): Entry[] {
  if (text.length > maxEventLogLength) throw rejected(`The event log has more than ${maxEventLogLength} characters.`);
  const entries = z.array(entrySchema).max(maxEvents).safeParse(parseJson(text));
  if (!entries.success) throw rejected("The event log is not a list of events as guest agents write it.");
  return entries.data;
}

async function readEvent(entry: Entry): Promise<LoggedEvent> {
  const isRuntime = entry.event_type === runtimeEventType && entry.imr === 3;
  const printed = fromHex(entry.digest);
  const payload = fromHex(entry.event_payload);
  if (!printed || !payload) throw rejected("The event log has text where hexadecimal digits are due.");
  if (!isRuntime && printed.length !== registerBytes)
    throw rejected(`The event log has an event of RTMR${entry.imr} without a digest.`);
  const digest = isRuntime ? await runtimeDigest(entry, payload) : printed;
  return { register: entry.imr, type: entry.event_type, name: entry.event, payload, digest };
}

/** In the form that the entry names, or that its printed digest has; the replay shows whether it was so. */
async function runtimeDigest({ event, digest, version }: Entry, payload: Bytes): Promise<Bytes> {
  if (version === 2) return secondDigest(event, payload);
  const first = await firstDigest(event, payload);
  if (version !== undefined || digest === "" || digest.toLowerCase() === toHex(first)) return first;
  const second = await secondDigest(event, payload);
  return digest.toLowerCase() === toHex(second) ? second : first;
}

/**
 * Form 1: type (4 bytes, least significant first) ‖ ":" ‖ name ‖ ":" ‖ payload. A name could be cut off at a colon of the
 * payload, but never turned into one that it does not begin with, so no other event passes for one of dstack's.
 */
export async function firstDigest(name: string, payload: Uint8Array): Promise<Bytes> {
  return sha384(new Uint8Array([1, 0, 0, 8, ...new TextEncoder().encode(`:${name}:`), ...payload]));
}

/** Form 2: name, type and payload as JSON in the form of RFC 8785 (as of dstack 0.6; drafts had other members). */
export async function secondDigest(name: string, payload: Uint8Array): Promise<Bytes> {
  const event = { name, type: runtimeEventType, payload: toHex(payload) };
  return sha384(new TextEncoder().encode(canonicalize(event)));
}

/** SHA-384 of register ‖ digest, over and over, from zeros. */
async function replay(events: readonly Pick<LoggedEvent, "digest">[]): Promise<string> {
  const state = new Uint8Array(2 * registerBytes);
  for (const { digest } of events) {
    state.set(digest, registerBytes);
    state.set(await sha384(state)); // oxlint-disable-line no-await-in-loop -- each digest needs the one before
  }
  return toHex(state.subarray(0, registerBytes));
}

/** What a register holds after these digests, hex. */
export async function extendRegister(digests: readonly Bytes[]): Promise<string> {
  return replay(digests.map((digest) => ({ digest })));
}

export async function sha384(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
}
