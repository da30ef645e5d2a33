/** What is remembered of a person or a group, in the form in which it is sealed. */
import { z } from "zod";
import type { RecordForm } from "../../store/sealed-records.ts";
import type { Remembered } from "./people.ts";

/** Names form and purpose within the seal. */
export const personSchemaName = "person/v1";

const dayMs = 24 * 60 * 60 * 1000;
/** Whoever has not written for so long is forgotten. */
export const maxIdleMs = 365 * dayMs;

export interface PersonRecord extends Remembered {
  /** When they last wrote, to the day. */
  readonly seenAt: number;
}

export const nobody: PersonRecord = { model: undefined, isGreeted: false, isPaired: false, seenAt: 0 };

const recordSchema = z.object({
  model: z.string().optional(),
  isGreeted: z.boolean(),
  isPaired: z.boolean(),
  seenAt: z.number(),
});

export const personForm: RecordForm<PersonRecord> = {
  empty: nobody,
  refresh: (record, now) =>
    isNobody(record) || now - record.seenAt < dayMs ? record : { ...record, seenAt: startOfDay(now) },
  expiresAt: (record) => (isNobody(record) ? undefined : record.seenAt + maxIdleMs),
  encode: (record) => Buffer.from(JSON.stringify(record)),
  parse: (bytes) => ({ ...nobody, ...recordSchema.parse(JSON.parse(Buffer.from(bytes).toString())) }),
};

/** The same record where nothing is changed. */
export function changePerson(record: PersonRecord, change: Partial<Remembered>, now: number): PersonRecord {
  const { model, isGreeted, isPaired } = { ...record, ...change };
  const isSame = model === record.model && isGreeted === record.isGreeted && isPaired === record.isPaired;
  return isSame ? record : { model, isGreeted, isPaired, seenAt: startOfDay(now) };
}

function isNobody({ model, isGreeted, isPaired }: Remembered): boolean {
  return model === undefined && !isGreeted && !isPaired;
}

function startOfDay(now: number): number {
  return now - (now % dayMs);
}
