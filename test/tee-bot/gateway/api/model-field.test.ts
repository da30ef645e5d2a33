import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { namesOneModel, replaceModel } from "../../../../tee-bot/gateway/api/model-field.ts";

const replaced = (body: string, model = "new"): string => replaceModel(Buffer.from(body), model).toString();

describe("a replaced model", () => {
  it.each([
    ['{"model":"old"}', '{"model":"new"}'],
    ['  { "x" : 2.0 ,\n"model"\t: "old" , "y":[1e2]}\r\n', '  { "x" : 2.0 ,\n"model"\t: "new" , "y":[1e2]}\r\n'],
    ['{"mod\\u0065l":"old"}', '{"mod\\u0065l":"new"}'],
    ['{"model":"o\\"l\\\\d\\\\"}', '{"model":"new"}'],
    [
      '{"a":{"model":"inner"},"b":["model"],"c":"model","model":"old"}',
      '{"a":{"model":"inner"},"b":["model"],"c":"model","model":"new"}',
    ],
    ['{"x":"\\"model\\":\\"trap\\"","model":"old"}', '{"x":"\\"model\\":\\"trap\\"","model":"new"}'],
    ['{"model":"first","model":"last"}', '{"model":"first","model":"new"}'],
    ['{"model":null,"model":"last"}', '{"model":null,"model":"new"}'],
    ['{"é\\u00e9":"é","model":"ö"}', '{"é\\u00e9":"é","model":"new"}'],
  ])("changes nothing else of %s", (body, expected) => {
    expect(replaced(body)).toBe(expected);
  });

  it("is written as JSON whatever is in it", () => {
    expect(JSON.parse(replaced('{"model":"old"}', 'a"b\\c\u0000é'))).toEqual({ model: 'a"b\\c\u0000é' });
  });

  it("is the one that JSON.parse reads, and every other byte stays, for any object", () => {
    const space = fc.constantFrom("", " ", "\n", "\t ", "\r\n");
    const name = fc.oneof(
      fc.constantFrom('"model"', '"mod\\u0065l"', '"models"', '""'),
      fc.string().map((s) => JSON.stringify(s)),
    );
    const value = fc.oneof(
      fc.json(),
      fc.constantFrom('"model"', '{"model":"x"}', '"\\"model\\":"', "2.0", '[{"model":1}]'),
    );
    const member = fc.tuple(name, value, space, space).map(([n, v, a, b]) => `${a}${n}${b}:${a}${v}${b}`);
    fc.assert(
      fc.property(
        fc.array(member),
        fc.array(member),
        fc.string(),
        fc.string(),
        space,
        (before, after, old, model, gap) => {
          const own = `"model"${gap}:${gap}${JSON.stringify(old)}`;
          const isLast = !after.some((one) => Object.hasOwn(JSON.parse(`{${one}}`) as object, "model"));
          fc.pre(isLast);
          const body = `${gap}{${[...before, own, ...after].join(",")}}${gap}`;
          const at = `${gap}{${[...before, ""].join(",")}`.length + own.length - JSON.stringify(old).length;
          const result = replaced(body, model);
          expect((JSON.parse(result) as { model: string }).model).toBe(model);
          expect(result).toBe(body.slice(0, at) + JSON.stringify(model) + body.slice(at + JSON.stringify(old).length));
        },
      ),
    );
  });

  it("takes time in proportion to the body, however it is nested or escaped", () => {
    const depth = 200_000;
    const body = `{"x":${"[".repeat(depth)}${"]".repeat(depth)},"y":"${'\\"'.repeat(depth)}","model":"old"}`;
    const startedAt = performance.now();
    expect(replaced(body).endsWith(',"model":"new"}')).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe("a body with one model", () => {
  it.each([
    ['{"model":"a"}', true],
    ['{"tools":{"model":"inner"},"model":"a"}', true],
    ['{"text":"\\"model\\" \\u0041","model":"a"}', true],
    ['{"model":"a","model":"b"}', false],
    ['{"model":"a","mod\\u0065l":"b"}', false],
    ['{"\\u006dodel":"a"}', true],
  ])("is told from one with several: %s %s", (body, expected) => {
    expect(namesOneModel(Buffer.from(body))).toBe(expected);
  });
});
