import { mergeRuns, type Run } from "./runs.ts";

/** The list an item is in, and the number of the item that comes next where it has numbers. */
export interface ListPlace {
  number: number | undefined;
}

const task = /^\[([ xX])\](?: |$)/;

/** What stands before an item: its number or a bullet; of a task its box, which needs no bullet. */
export function itemMark(list: ListPlace | undefined, firstLine: readonly Run[]): Run {
  const box = taskBox(firstLine);
  const number = list?.number === undefined ? "" : `${list.number}. `;
  return { text: number === "" && box === "" ? "• " : `${number}${box}`, styles: [] };
}

/** The first line of an item without the mark of a task. */
export function withoutTask(firstLine: readonly Run[]): Run[] {
  const [first, ...others] = firstLine;
  if (!first || taskBox(firstLine) === "") return [...firstLine];
  return mergeRuns([{ ...first, text: first.text.replace(task, "") }, ...others]);
}

/** GitHub Flavored Markdown §5.3. */
function taskBox([first]: readonly Run[]): string {
  const state = first && first.styles.length === 0 ? task.exec(first.text)?.[1] : undefined;
  if (state === undefined) return "";
  return state === " " ? "☐ " : "☑ ";
}
