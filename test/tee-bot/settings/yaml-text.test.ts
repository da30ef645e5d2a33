import { describe, expect, it } from "vitest";
import { maxFileBytes, parseYaml } from "../../../tee-bot/settings/yaml-text.ts";

const mistakesOf = (text: string): string[] => {
  const parsed = parseYaml(text);
  return parsed.ok ? [] : parsed.mistakes.map((one) => `${one.line}:${one.column} ${one.text}`);
};

describe("YAML", () => {
  it("is located by path: values, names, what is in lists, and what stands for others", () => {
    const parsed = parseYaml("a:\n  - x: 1\n  - {y: 2}\nb: &b\n  c: 3\nd: *b\n");
    if (!parsed.ok) return expect.fail();
    const { yaml } = parsed;
    expect(yaml.locate(["a", 1, "y"])).toEqual({ line: 3, column: 9 });
    expect(yaml.locate(["a", 1, "y"], true)).toEqual({ line: 3, column: 6 });
    expect(yaml.locate(["d", "c"])).toEqual({ line: 5, column: 6 });
    expect(yaml.locate(["a", 0, "missing"])).toEqual({ line: 2, column: 5 });
    expect(yaml.locate(["nowhere"])).toEqual({ line: 1, column: 1 });
  });

  it("has text keys, whatever they look like, and no merging", () => {
    const parsed = parseYaml("1: a\n<<: {b: 2}\n__proto__: {polluted: true}\n");
    expect(parsed.ok && Object.keys(parsed.yaml.data as object)).toEqual(["1", "<<", "__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ["a: 1\nb: 2\na: 3\n", "3:1 this name is given twice"],
    ["a:\n\tb: 1\n", "2:1 a tab indents this line"],
    ["a: 1\n---\nb: 2\n", "2:1 a second document"],
    ["a: !vault x\n", "1:4 tags"],
    ["? [a]\n: 1\n", "1:3 a name has to be text"],
    ["a: b: c\n", "1:4 not YAML: Nested mappings"],
    ["a: *nobody\n", "1:1 its aliases"],
    ["%TAG\n---\na: 1\n", "1:1 a line that begins with %"],
  ])("is refused where it is wrong: %j", (text, mistake) => {
    expect(mistakesOf(text)[0]).toContain(mistake);
  });

  it("tells several mistakes at once", () => {
    expect(mistakesOf("a: 1\na: 2\nb: 1\nb: 2\n")).toHaveLength(2);
  });

  it.each([
    ["sk-secret\nfoo: bar: sk-secret\n"],
    ['key: "sk-secret\n'],
    ["key: | sk-secret\n  x\n"],
    ["key: @sk-secret\n"],
    ["%sk-secret x\n---\n"],
    ["key: !sk-secret x\n"],
    ["key: *sk-secret\n"],
    ["a: 1\n sk-secret: 2\n}sk-secret\n"],
    ["- sk-secret\nsk-secret: [\n"],
  ])("is never quoted in a mistake: %j", (text) => {
    expect(mistakesOf(text)).not.toEqual([]);
    expect(mistakesOf(text).join()).not.toContain("sk-secret");
  });

  const bomb = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${Array(9)
        .fill(i ? `*a${i - 1}` : "x")
        .join()}]`,
  );
  it.each([
    ["that stands for more than memory holds", bomb.join("\n")],
    [
      "with thousands of aliases",
      Array.from({ length: 20_000 }, (_, i) => `k${i}: &a${i} 1\nl${i}: *a${i}`).join("\n"),
    ],
    ["of half a million brackets", `a: ${"[".repeat(500_000)}`],
    ["of many closed brackets", "[".repeat(5_000) + "]".repeat(5_000)],
    ["of many dashes", `${"- ".repeat(200_000)}x`],
    ["of many question marks", `${"? ".repeat(5_000)}x`],
    ["that indents ever more", Array.from({ length: 1_200 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["that is too large", "#".repeat(maxFileBytes + 1)],
  ])("%s is refused, and soon", (_, text) => {
    const startedAt = performance.now();
    expect(mistakesOf(text)).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it("of ninety thousand names is read in seconds, not minutes", () => {
    const startedAt = performance.now();
    expect(mistakesOf(Array.from({ length: 90_000 }, (_, i) => `k${i}: 1`).join("\n"))).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });
});
