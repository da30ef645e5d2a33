/** Which settings there are: read from the schema, so that nothing has to be said twice. */
import { z } from "zod";
import type { SettingPath } from "./path.ts";
import { valueAt } from "./path.ts";
import { settingsSchema } from "./schema.ts";

/** One setting: a single value, or a list or table that is given as a whole. */
export interface Setting {
  readonly path: SettingPath;
  readonly kind: "text" | "number" | "switch" | "list" | "table";
}

type Shape = z.core.JSONSchema.BaseSchema;

const root: Shape = z.toJSONSchema(settingsSchema, { io: "input", reused: "inline" });

const kinds: Readonly<Record<string, Setting["kind"]>> = {
  number: "number",
  integer: "number",
  boolean: "switch",
  array: "list",
  object: "table",
};

/** Every setting of every section, in the order of the schema. */
export const outline: readonly Setting[] = Object.entries(root.properties ?? {})
  .filter(([section]) => section !== "version")
  .flatMap(([section, shape]) => settingsBelow([section], shape as Shape));

/** The names that may stand in the table at `path`, given what the file has there. `shape` is of a schema other than the settings'. */
export function namesAt(path: SettingPath, data: unknown, shape: Shape = root): string[] {
  let shapes = [shape];
  path.forEach((step, index) => {
    const value = valueAt(data, path.slice(0, index));
    shapes = shapes.flatMap((one) => stepsInto(one, step, value));
  });
  const value = valueAt(data, path);
  const names = shapes
    .flatMap((one) => alternatives(one, value))
    .flatMap(({ properties }) => Object.keys(properties ?? {}));
  return [...new Set(names)];
}

/** Whether a list or a table stands there, so that no value at all is as good as none of it. */
export function isContainer(path: SettingPath): boolean {
  let shapes = [root];
  for (const step of path) shapes = shapes.flatMap((shape) => stepsInto(shape, step, undefined));
  return shapes.length > 0 && shapes.every(({ type }) => type === "object" || type === "array");
}

function settingsBelow(path: SettingPath, shape: Shape): Setting[] {
  if (shape.properties)
    return Object.entries(shape.properties).flatMap(([name, below]) => settingsBelow([...path, name], below as Shape));
  return [{ path, kind: kinds[String(shape.type)] ?? "text" }];
}

function stepsInto(shape: Shape, step: string | number, value: unknown): Shape[] {
  return alternatives(shape, value).flatMap(({ properties, items, additionalProperties }) => {
    if (typeof step === "number") return isShape(items) ? [items] : [];
    const named = properties && Object.hasOwn(properties, step) ? properties[step] : additionalProperties;
    return isShape(named) ? [named] : [];
  });
}

/** Of several forms those that the value is meant to have, as its `kind` says. */
function alternatives(shape: Shape, value: unknown): Shape[] {
  const forms = (shape.oneOf ?? shape.anyOf)?.filter(isShape);
  if (!forms) return [shape];
  const kind = valueAt(value, ["kind"]);
  const meant = forms.filter((form) => {
    const wanted = form.properties?.["kind"];
    return isShape(wanted) && wanted.const === kind;
  });
  return meant.length > 0 ? meant : forms;
}

function isShape(value: unknown): value is Shape {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
