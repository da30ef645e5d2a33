/** What every call of the REST API is made with. */
import type { Context } from "hono";
import type { z } from "zod";
import { parseJson } from "../../../../shared/parse-json.ts";
import type { Host } from "../container/host.ts";
import type { Faults } from "../faults.ts";
import type { StateFile } from "../state-file.ts";
import type { World } from "../signal/world.ts";
import type { Registration } from "./registration.ts";
import { RestError } from "./rest-error.ts";

/** `object`: release 0.100 and older; `array`: what comes after it. Other differences between the two go with it. */
export type AnswerForm = "object" | "array";

export interface RestOptions {
  readonly world: World;
  readonly state: StateFile;
  readonly registration: Registration;
  readonly faults: Faults;
  readonly answerForm: AnswerForm;
  readonly host: Host;
  /** Whether telephones tell what they got. */
  readonly receipts: boolean;
}

export async function readBody<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.infer<Schema>> {
  const body = schema.safeParse(await context.req.json().catch(() => undefined));
  if (!body.success) throw new RestError("Couldn't process request - invalid request");
  return body.data;
}

/** Where the body may be left out. */
export async function readOptionalBody<Schema extends z.ZodType>(
  context: Context,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const text = await context.req.text();
  const body = schema.safeParse(text === "" ? {} : parseJson(text));
  if (!body.success) throw new RestError("Couldn't process request - invalid request.");
  return body.data;
}

/** Something that signal-cli does for the account that the path names. */
export function callFor<Value>(options: RestOptions, context: Context, work: () => Value): Promise<Value> {
  const number = context.req.param("number") ?? "";
  return callAs(options, number, work);
}

export function callAs<Value>(options: RestOptions, number: string, work: () => Value): Promise<Value> {
  return options.host.call(() => {
    if (number !== options.world.account.number || !options.registration.isRegistered)
      throw new RestError("Specified account does not exist");
    return work();
  });
}

export function demand(value: string | number, what: string): void {
  if (value === "" || value === 0) throw new RestError(`Couldn't process request - ${what} missing`);
}
