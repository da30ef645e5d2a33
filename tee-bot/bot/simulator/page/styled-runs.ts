/** A message's text cut where its styles change, for a page and for a terminal. */

export interface StyledRun {
  readonly text: string;
  /** In lower case: `bold`, `italic`, `monospace`, `spoiler`, `strikethrough`. */
  readonly styles: readonly string[];
}

/** `styles` as signal-cli writes them: `start:length:STYLE`, in UTF-16 units; what is no range is left out. */
export function cutAtStyles(text: string, styles: readonly string[]): StyledRun[] {
  const ranges = styles.flatMap((one) => {
    const [, start, length, style] = /^(\d+):(\d+):([A-Z]+)$/.exec(one) ?? [];
    return style === undefined ? [] : [{ start: Number(start), end: Number(start) + Number(length), style }];
  });
  const cuts = new Set([0, text.length, ...ranges.flatMap(({ start, end }) => [start, end])]);
  const ordered = [...cuts].filter((cut) => cut <= text.length).toSorted((one, other) => one - other);
  return ordered.slice(1).map((end, index) => {
    const start = ordered[index] ?? 0;
    const inside = ranges.filter((range) => range.start <= start && end <= range.end);
    return { text: text.slice(start, end), styles: [...new Set(inside.map(({ style }) => style.toLowerCase()))] };
  });
}
