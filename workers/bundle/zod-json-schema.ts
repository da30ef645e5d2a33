/**
 * Instead of the two modules of zod that write JSON Schema (17 KB when minified), which every kind of schema has at hand:
 * the edge's document is written by @asteasolutions/zod-to-openapi, which reads the schemas itself. Aliased by the paths
 * that zod/v4/classic/schemas.js imports them by.
 */
function missing(): never {
  throw new Error("zod's JSON Schema is not in the edge's bundle");
}

export const createToJSONSchemaMethod = () => missing;
export const createStandardJSONSchemaMethod = () => missing;

export {
  missing as anyProcessor,
  missing as arrayProcessor,
  missing as bigintProcessor,
  missing as booleanProcessor,
  missing as catchProcessor,
  missing as customProcessor,
  missing as dateProcessor,
  missing as defaultProcessor,
  missing as enumProcessor,
  missing as fileProcessor,
  missing as functionProcessor,
  missing as intersectionProcessor,
  missing as lazyProcessor,
  missing as literalProcessor,
  missing as mapProcessor,
  missing as nanProcessor,
  missing as neverProcessor,
  missing as nonoptionalProcessor,
  missing as nullProcessor,
  missing as nullableProcessor,
  missing as numberProcessor,
  missing as objectProcessor,
  missing as optionalProcessor,
  missing as pipeProcessor,
  missing as prefaultProcessor,
  missing as promiseProcessor,
  missing as readonlyProcessor,
  missing as recordProcessor,
  missing as setProcessor,
  missing as stringProcessor,
  missing as successProcessor,
  missing as symbolProcessor,
  missing as templateLiteralProcessor,
  missing as transformProcessor,
  missing as tupleProcessor,
  missing as undefinedProcessor,
  missing as unionProcessor,
  missing as unknownProcessor,
  missing as voidProcessor,
};

/** What a schema says of its own limits, which the document is written from. */
export { aggregateChecks } from "../../node_modules/zod/v4/core/json-schema-processors.js";
