/** A message's text cut where its styles change, for a page and for a terminal. */
export interface StyledRun {
  readonly text: string;
  /** In lower case: `bold`, `italic`, `monospace`, `spoiler`, `strikethrough`. */
  readonly styles: readonly string[];
}
/** `styles` as signal-cli writes them: `start:length:STYLE`, in UTF-16 units; what is no range is left out. */
export declare function cutAtStyles(text: string, styles: readonly string[]): StyledRun[];
