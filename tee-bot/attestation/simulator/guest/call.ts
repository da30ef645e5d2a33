/** One call of an agent: what it takes, in JSON or as a query, and what it answers. */
import { z } from "zod";
import { AgentError } from "./agent-error.ts";

/** Undefined: an empty answer. */
export type Answer = Readonly<Record<string, unknown>> | undefined;
export type Call = (input: unknown) => Promise<Answer>;
export type Calls = ReadonlyMap<string, Call>;

export function call<S extends z.ZodType>(schema: S, run: (input: z.output<S>) => Answer | Promise<Answer>): Call {
  return async (input) => {
    const parsed = schema.safeParse(input);
    if (!parsed.success) throw new AgentError(`Failed to decode request: ${z.prettifyError(parsed.error)}`);
    return await run(parsed.data);
  };
}

/** Members that are left out are empty, as in the messages that the original makes of them. */
export const text = z.string().default("");
export const bytes = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2})*$/, "invalid hex")
  .default("")
  .transform((hex): Uint8Array => Buffer.from(hex, "hex"));
export const flag = z
  .union([z.boolean(), z.enum(["true", "false"]).transform((word) => word === "true")])
  .default(false);
export const texts = z.union([z.array(z.string()), z.string().transform((one) => [one])]).default([]);
/** The end of the year 9999: no certificate can name a later time (RFC 5280 §4.1.2.5). */
const lastSecond = 253_402_300_799;
export const seconds = z.coerce.number().int().min(0).max(lastSecond).optional();

export const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
