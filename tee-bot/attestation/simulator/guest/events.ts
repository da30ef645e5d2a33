/** What is measured into the registers RTMR0 to RTMR3, in the form of dstack's event log (cc-eventlog). */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

export interface MeasuredEvent {
  readonly imr: 0 | 1 | 2 | 3;
  readonly type: number;
  readonly digest: Buffer;
  readonly name: string;
  readonly payload: Buffer;
  readonly version: EventVersion;
}

/** How the digest of a runtime event is made; boot events are of version 1. */
export type EventVersion = 1 | 2;

export const runtimeEventType = 0x0800_0001;
const registerBytes = 48;

export const sha384 = (data: Uint8Array | string): Buffer => createHash("sha384").update(data).digest();

/** An event of a running system, which extends RTMR3. */
export function runtimeEvent(name: string, payload: Uint8Array, version: EventVersion): MeasuredEvent {
  const digest = sha384(version === 1 ? firstForm(name, payload) : secondForm(name, payload));
  return { imr: 3, type: runtimeEventType, digest, name, payload: Buffer.from(payload), version };
}

/** le32(type) ‖ ":" ‖ name ‖ ":" ‖ payload. */
function firstForm(name: string, payload: Uint8Array): Buffer {
  const type = Buffer.alloc(4);
  type.writeUInt32LE(runtimeEventType);
  return Buffer.concat([type, Buffer.from(`:${name}:`), payload]);
}

/** The JCS form (RFC 8785) of the event. */
function secondForm(name: string, payload: Uint8Array): string {
  return canonicalize({ name, type: runtimeEventType, payload: Buffer.from(payload).toString("hex") }) ?? "";
}

/** The value of a register after its events: each time SHA384(value ‖ digest), from zeros. */
export function replay(events: readonly MeasuredEvent[], imr: MeasuredEvent["imr"]): Uint8Array {
  let value: Uint8Array = Buffer.alloc(registerBytes);
  for (const event of events) if (event.imr === imr) value = sha384(Buffer.concat([value, event.digest]));
  return value;
}

/** `stripped`: without payloads of the boot and digests of runtime events, except where a verifier needs them. */
export function eventsToJson(events: readonly MeasuredEvent[], stripped: boolean): object[] {
  return events.map(({ imr, type, digest, name, payload, version }) => ({
    imr,
    event_type: type,
    digest: stripped && type === runtimeEventType ? "" : digest.toString("hex"),
    event: name,
    event_payload: stripped && type !== runtimeEventType && name === "" ? "" : payload.toString("hex"),
    ...(version === 2 && { version }),
  }));
}
