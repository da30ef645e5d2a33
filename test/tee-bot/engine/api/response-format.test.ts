import { describe, expect, it } from "vitest";
import { findUnsupported } from "../../../../tee-bot/engine/api/response-format.ts";

describe("a schema", () => {
  it.each([
    {
      type: "object",
      properties: { a: { type: "string", maxLength: 5 } },
      required: ["a"],
      additionalProperties: false,
    },
    { type: "array", items: { anyOf: [{ type: "integer" }, { type: "null" }] }, minItems: 1 },
    { type: ["string", "null"], description: "a note" },
    { enum: ["a", "b", 1, null] },
    { type: "object", properties: { next: { $ref: "#/$defs/n" } }, $defs: { n: { type: "string", format: "date" } } },
  ])("that the grammar can keep to is taken: %j", (schema) => {
    expect(findUnsupported(schema)).toBeUndefined();
  });

  it.each([
    [{ type: "string", pattern: "^a" }, "schema has pattern"],
    [{ type: "object", properties: { a: { type: "number", minimum: 1 } } }, "schema.properties.a has minimum"],
    [{ type: "array", items: { type: "strange" } }, "schema.items.type"],
    [{ allOf: [{ type: "string" }] }, "schema has no type"],
    [{ type: "object", properties: {}, required: ["a"] }, "required names a property that is not described"],
    [{ $ref: "#/$defs/missing" }, "schema.$ref must point to"],
    [{ $ref: "https://example.com/schema" }, "schema.$ref must point to"],
    [{ type: "string", format: "email" }, "schema.format must be one of"],
    [{ oneOf: [] }, "schema.oneOf must be a list"],
    [{ type: "object", properties: { a: 5 } }, "schema.properties.a is not a schema"],
  ])("that it cannot is refused with the place: %j", (schema, reason) => {
    expect(findUnsupported(schema)).toContain(reason);
  });

  it("that is endless is refused", () => {
    let schema: Record<string, unknown> = { type: "string" };
    for (let depth = 0; depth < 100; depth++) schema = { type: "array", items: schema };
    expect(findUnsupported(schema)).toContain("too large");
  });
});
