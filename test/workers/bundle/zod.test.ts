import { describe, expect, test } from "vitest";
import { z as bundled } from "zod";
import * as wholeModule from "../../../node_modules/zod/index.js";

type Zod = typeof bundled;
const whole = wholeModule as unknown as Zod; // two copies of zod's types, which the compiler cannot compare in time

/** Every kind of schema the edge has, with values for and against. */
const kinds: [string, (z: Zod) => { safeParse: (value: unknown) => unknown }, unknown[]][] = [
  ["string", (z) => z.string("is missing").min(2).max(4).trim().toLowerCase(), ["AbC ", "a", "abcde", 7, undefined]],
  ["pattern", (z) => z.string().regex(/^[a-z]+$/, "is no word"), ["abc", "A1"]],
  ["start", (z) => z.string().startsWith("http"), ["https:", "ftp:"]],
  ["url", (z) => z.url({ protocol: /^https$/ }), ["https://a.example/", "http://a.example/", "a"]],
  ["address", (z) => z.union([z.ipv4(), z.ipv6()]), ["192.0.2.1", "2001:db8::1", "192.0.2", "::g"]],
  ["date and time", (z) => z.iso.datetime(), ["2026-11-21T07:00:00Z", "2026-11-21 07:00"]],
  ["number", (z) => z.number().int().positive(), [1, 0, 1.5, "1", Number.NaN]],
  ["int", (z) => z.int().min(2).max(9), [2, 1, 10, 2.5]],
  ["coerced", (z) => z.coerce.number().int().default(5), ["7", "x", undefined]],
  ["boolean", (z) => z.boolean(), [true, "true"]],
  ["null", (z) => z.null(), [null, undefined]],
  ["literal", (z) => z.literal(["a", 1]), ["a", 1, "b"]],
  ["enum", (z) => z.enum(["local", "acme"], 'must be "local" or "acme"'), ["acme", "none"]],
  ["array", (z) => z.array(z.string().max(1)).min(1).max(2), [["a"], [], ["a", "b", "c"], ["aa"], "a"]],
  ["tuple", (z) => z.tuple([z.string(), z.int()]), [["a", 1], ["a"], [1, "a"]]],
  ["record", (z) => z.record(z.string(), z.int()), [{ a: 1 }, { a: "1" }, []]],
  ["object", (z) => z.object({ a: z.int(), b: z.string().optional() }), [{ a: 1, c: 2 }, { a: "1", b: 2 }, {}, null]],
  ["strict object", (z) => z.strictObject({ a: z.int() }), [{ a: 1 }, { a: 1, b: 2 }]],
  ["loose object", (z) => z.looseObject({ a: z.int() }), [{ a: 1, b: 2 }]],
  [
    "catch-all",
    (z) => z.object({ a: z.int() }).catchall(z.string()),
    [
      { a: 1, b: "c" },
      { a: 1, b: 2 },
    ],
  ],
  ["extended", (z) => z.object({ a: z.int() }).extend({ b: z.int() }).omit({ a: true }), [{ b: 1 }, { a: 1 }]],
  ["nullable", (z) => z.int().nullable(), [null, 1, undefined]],
  ["caught", (z) => z.int().catch(3), ["x", 4]],
  ["unknown", (z) => z.object({ a: z.unknown(), b: z.any() }), [{ a: 1, b: 2 }, {}]],
  [
    "either",
    (z) =>
      z.discriminatedUnion("type", [
        z.object({ type: z.literal("a"), a: z.int() }),
        z.object({ type: z.literal("b"), b: z.string() }),
      ]),
    [{ type: "a", a: 1 }, { type: "b", b: 1 }, { type: "c" }],
  ],
  [
    "refined, transformed, piped",
    (z) =>
      z
        .string()
        .transform((text) => text.split(","))
        .pipe(z.array(z.string().refine((key) => key !== "b", "is not b"))),
    ["a,c", "a,b"],
  ],
];

describe("the bundle's zod judges as the whole of zod does", () => {
  test.for(kinds)("%s", ([, schema, values]) => {
    for (const value of values) expect(shown(schema(bundled), value)).toEqual(shown(schema(whole), value));
  });
});

function shown(schema: { safeParse: (value: unknown) => unknown }, value: unknown): unknown {
  const { success, data, error } = schema.safeParse(value) as Shown;
  return { success, data, issues: error?.issues, text: error && whole.prettifyError(error as never) };
}

interface Shown {
  success: boolean;
  data?: unknown;
  error?: { issues: unknown };
}
