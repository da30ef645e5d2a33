/** What the edge, and the packages in its bundle, use of zod; see zod.ts. Paths, because a package's name is aliased. */
export {
  any,
  array,
  boolean,
  cidrv4,
  cidrv6,
  discriminatedUnion,
  email,
  enum,
  int,
  intersection,
  ipv4,
  ipv6,
  literal,
  looseObject,
  never,
  null,
  nullable,
  number,
  object,
  optional,
  pipe,
  record,
  strictObject,
  string,
  transform,
  tuple,
  union,
  unknown,
  url,
  ZodType,
} from "../../node_modules/zod/v4/classic/schemas.js";
export { ZodError } from "../../node_modules/zod/v4/classic/errors.js";
export { NEVER, prettifyError } from "../../node_modules/zod/v4/core/index.js";
export * as coerce from "../../node_modules/zod/v4/classic/coerce.js";
export * as iso from "../../node_modules/zod/v4/classic/iso.js";

// Types cost nothing in the bundle.
export type { infer, input, output } from "../../node_modules/zod/v4/classic/external.js";
