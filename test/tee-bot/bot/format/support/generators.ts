import * as fc from "fast-check";

const words = [
  ..."a of word snake_case __init__ 2*3*4 2**8 ~5 a||b C:\\dir\\ \\ \\* \\` * ** *** ~ ~~ ` `` | || [ ] ( ) < > # + - = & &amp;".split(
    " ",
  ),
  ..."https://ex.com/~user/*path* www.x.y 👩‍👩‍👧 🇩🇪 é 中文字 ־ \u2060 \ud83d <b>hi</b> <br> e\u0301 ￼ 1. 12) !x".split(" "),
];

const word = fc.constantFrom(...words);
const text = fc.array(word, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(" "));
const tight = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));

const { inline } = fc.letrec<{ inline: string }>((tie) => ({
  inline: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    tight,
    fc
      .tuple(fc.constantFrom("*", "**", "***", "~~", "_", "__", "`", "``"), tie("inline"))
      .map(([mark, inner]) => `${mark}${inner}${mark}`),
    fc.tuple(tie("inline"), fc.constantFrom("", " ", "\n", "  \n"), tie("inline")).map((parts) => parts.join("")),
    fc.tuple(fc.constantFrom("", "!"), tie("inline"), tight).map(([bang, label, url]) => `${bang}[${label}](${url})`),
  ),
}));

const { block } = fc.letrec<{ block: string }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    inline,
    fc.tuple(fc.integer({ min: 1, max: 6 }), inline).map(([level, title]) => `${"#".repeat(level)} ${title}`),
    fc
      .tuple(fc.constantFrom("```", "~~~", "```js"), fc.array(text))
      .map(([f, lines]) => [f, ...lines, f.slice(0, 3)].join("\n")),
    fc.array(fc.array(tight, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 4 }).map(table),
    tie("block").map((inner) => inner.replaceAll(/^/gm, "> ")),
    fc
      .tuple(
        fc.constantFrom("- ", "* ", "3. ", "- [ ] ", "- [x] "),
        fc.array(tie("block"), { minLength: 1, maxLength: 3 }),
      )
      .map(([mark, items]) => items.map((item) => mark + item.replaceAll("\n", "\n   ")).join("\n")),
    fc.array(tie("block"), { maxLength: 3 }).map((blocks) => blocks.join("\n\n")),
    fc.constant("---"),
  ),
}));

function table(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((row) => `| ${row.join(" | ")} |`);
  return [lines[0], `|${"---|".repeat(rows[0]?.length ?? 0)}`, ...lines.slice(1)].join("\n");
}

/** What a model writes, with every sign that means something somewhere. */
export const markdown: fc.Arbitrary<string> = fc.array(block, { maxLength: 6 }).map((blocks) => blocks.join("\n\n"));

const signs = "*_~`|\\[]()!<>#-+=&: \n\t123a".split("");

/** What nobody writes. */
export const garbage: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...signs), maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.array(fc.constantFrom(...words, "\n", "\n\n", " "), { maxLength: 60 }).map((parts) => parts.join("")),
);
