/** What the launcher tells a person while the stack comes up: each step when it is done, with how long it took. */
export interface Progress {
  /** Runs a step and shows it. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** A line between the steps. */
  note(text: string): void;
}

export function createProgress({
  write,
  color,
  clock,
}: {
  write: (text: string) => void;
  color: boolean;
  clock: () => number;
}): Progress {
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return {
    async step(title, work) {
      const startedAt = clock();
      try {
        const result = await work();
        write(`  ${paint(32, "✓")} ${title.padEnd(46)} ${paint(2, seconds(clock() - startedAt))}\n`);
        return result;
      } catch (error) {
        write(`  ${paint(31, "✗")} ${title.padEnd(46)} ${paint(2, seconds(clock() - startedAt))}\n`);
        throw error;
      }
    },
    note: (text) => write(`    ${text.replaceAll("\n", "\n    ")}\n`),
  };
}
