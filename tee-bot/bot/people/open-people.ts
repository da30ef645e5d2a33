/** `People` in a store that is not trusted. */
import type { Clock } from "../../../shared/clock.ts";
import { openSealedRecords, type SealedPlace } from "../../store/open-sealed-records.ts";
import type { SealedRecords } from "../../store/sealed-records.ts";
import type { People, Remembered } from "./people.ts";
import { changePerson, nobody, personForm, personSchemaName, type PersonRecord } from "./person-record.ts";

const names = {
  schema: personSchemaName,
  valuesFile: "people.sqlite",
  epochsFile: "people-epochs.sqlite",
  redisPrefix: "postern:person:",
};

/** Throws {@link AppError} when a file cannot be opened or the address of Redis is none. */
export function openPeople(place: SealedPlace): People {
  const { clock, log } = place;
  const onRefused = (reason: string): void => log.error("person.refused", { reason });
  return new SealedPeople({ records: openSealedRecords({ ...place, names, form: personForm, onRefused }), clock });
}

class SealedPeople implements People {
  readonly #records: SealedRecords<PersonRecord>;
  readonly #clock: Clock;

  constructor({ records, clock }: { records: SealedRecords<PersonRecord>; clock: Clock }) {
    this.#records = records;
    this.#clock = clock;
  }

  async read(name: string): Promise<Remembered> {
    const { model, isGreeted, isPaired } = await this.#records.read(name);
    return { model, isGreeted, isPaired };
  }

  async change(name: string, change: Partial<Remembered>): Promise<void> {
    await this.#records.change(name, (record) => changePerson(record, change, this.#clock.now()));
  }

  async forget(name: string): Promise<void> {
    await this.#records.change(name, (record) => (record === nobody ? record : nobody));
  }

  [Symbol.dispose](): void {
    this.#records[Symbol.dispose]();
  }
}
