// A stand-in for signal-cli-rest-api's parser of `text_mode: styled`, after what that parser was seen to do (master of August 2026):
// every marker goes, matched or not; a marker closes only the one opened last; a backslash escapes one whole sign.

export interface Styled {
  text: string;
  /** `start:length:STYLE` in UTF-16 units, in the order in which they were closed. */
  styles: string[];
}

interface Options {
  /** Release 0.100 has no sign of three stars. */
  tripleStar?: boolean;
}

const styleOf: Readonly<Record<string, readonly string[]>> = {
  "***": ["BOLD", "ITALIC"],
  "**": ["BOLD"],
  "*": ["ITALIC"],
  "~": ["STRIKETHROUGH"],
  "||": ["SPOILER"],
  "`": ["MONOSPACE"],
};

/** What a person's telephone is told to show. */
export function parseStyledText(markup: string, { tripleStar = true }: Options = {}): Styled {
  const sign = tripleStar ? /(\\?)(\*{1,3}|\|\||[~`|])/y : /(\\?)(\*{1,2}|\|\||[~`|])/y;
  const open: { marker: string; start: number }[] = [];
  const styles: string[] = [];
  let text = "";
  for (let position = 0; position < markup.length;) {
    sign.lastIndex = position;
    const [whole = "", escape, marker = ""] = sign.exec(markup) ?? [];
    position += whole.length || 1;
    if (whole === "") text += markup[position - 1];
    else if (escape || marker === "|") text += marker;
    else if (open.at(-1)?.marker === marker) {
      const { start } = open.pop()!;
      for (const style of styleOf[marker] ?? []) styles.push(`${start}:${text.length - start}:${style}`);
    } else open.push({ marker, start: text.length });
  }
  return { text, styles };
}
