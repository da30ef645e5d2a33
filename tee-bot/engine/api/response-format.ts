/** The form an answer must have. What the grammar of the engine cannot hold is refused, not ignored. */
import { z } from "zod";

const maxDepth = 32;
const maxNodes = 2_000;

export const responseFormat = z
  .discriminatedUnion(
    "type",
    [
      z.object({ type: z.literal("text") }),
      z.object({ type: z.literal("json_object") }),
      z.object({
        type: z.literal("json_schema"),
        json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
      }),
    ],
    "must have the type text, json_object or json_schema",
  )
  .superRefine((format, context) => {
    if (format.type !== "json_schema") return;
    const problem = findUnsupported(format.json_schema.schema);
    if (problem) context.addIssue({ code: "custom", message: problem, path: ["json_schema", "schema"] });
  });

export type ResponseFormat = z.infer<typeof responseFormat>;

const annotations = ["$schema", "$id", "title", "description", "default", "examples", "$comment", "strict"];
const ofType: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties", "minProperties", "maxProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "format"],
  number: [],
  integer: [],
  boolean: [],
  null: [],
};
const simpleTypes = new Set<unknown>(["string", "number", "integer", "boolean", "null"]);
const formats: readonly unknown[] = ["date-time", "time", "date"];
const kinds = ["$ref", "oneOf", "anyOf", "const", "enum", "type"];

type Schema = Readonly<Record<string, unknown>>;

/** Why a schema cannot be kept to; undefined if it can. */
export function findUnsupported(schema: Schema): string | undefined {
  const definitions = isSchema(schema["$defs"]) ? Object.keys(schema["$defs"]) : [];
  let nodes = 0;

  const visit = (node: unknown, path: string, depth: number): string | undefined => {
    if (!isSchema(node)) return `${path} is not a schema`;
    if (depth > maxDepth || ++nodes > maxNodes) return "the schema is too large";
    const kind = kinds.find((key) => key in node);
    if (!kind) return `${path} has no type`;
    const allowed = kind === "type" ? typeKeywords(node["type"]) : [];
    if (!allowed) return `${path}.type is not one that the embedded engine knows`;
    const known = new Set([...annotations, "$defs", kind, ...allowed]);
    const unknown = Object.keys(node).find((key) => !known.has(key));
    if (unknown) return `${path} has ${unknown}, which the embedded engine cannot keep to`;
    return checkValues(node, path, definitions) ?? visitAll(childrenOf(node, path), depth + 1);
  };
  const visitAll = (children: readonly (readonly [string, unknown])[], depth: number): string | undefined => {
    for (const [path, child] of children) {
      const problem = visit(child, path, depth);
      if (problem) return problem;
    }
    return undefined;
  };
  return visit(schema, "schema", 0);
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function typeKeywords(type: unknown): readonly string[] | undefined {
  if (typeof type === "string") return ofType[type];
  // Of a list only simple types are known, without more said of each.
  return Array.isArray(type) && type.length > 0 && type.every((one) => simpleTypes.has(one)) ? [] : undefined;
}

function checkValues(node: Schema, path: string, definitions: readonly string[]): string | undefined {
  const { $ref: ref, format, required, properties, additionalProperties: additional } = node;
  if (ref !== undefined && !definitions.some((name) => ref === `#/$defs/${name}`))
    return `${path}.$ref must point to a definition in $defs of the schema`;
  if (format !== undefined && !formats.includes(format)) return `${path}.format must be one of ${formats.join()}`;
  if (format !== undefined && ("minLength" in node || "maxLength" in node))
    return `${path} has both format and a length`;
  // The grammar writes the properties that are described, all of them, in every answer.
  const names = isSchema(properties) ? Object.keys(properties) : [];
  if (Array.isArray(required) && required.some((name) => !names.includes(String(name))))
    return `${path}.required names a property that is not described`;
  if (additional !== undefined && typeof additional !== "boolean" && !isSchema(additional))
    return `${path}.additionalProperties must be a boolean or a schema`;
  for (const list of ["oneOf", "anyOf", "enum", "prefixItems"])
    if (list in node && !(Array.isArray(node[list]) && node[list].length > 0)) return `${path}.${list} must be a list`;
  return undefined;
}

function childrenOf(node: Schema, path: string): (readonly [string, unknown])[] {
  const children: (readonly [string, unknown])[] = [];
  for (const key of ["properties", "$defs"])
    for (const [name, child] of Object.entries(isSchema(node[key]) ? node[key] : {}))
      children.push([`${path}.${key}.${name}`, child]);
  for (const key of ["oneOf", "anyOf", "prefixItems"])
    for (const [at, child] of (Array.isArray(node[key]) ? node[key] : []).entries())
      children.push([`${path}.${key}[${at}]`, child]);
  for (const key of ["items", "additionalProperties"])
    if (isSchema(node[key])) children.push([`${path}.${key}`, node[key]]);
  return children;
}
