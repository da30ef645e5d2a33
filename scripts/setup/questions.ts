import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks the operator, where there is one. */
export interface Questions {
  /** The answer, `initial` for an empty one; undefined when there is neither. `hidden`: what is typed is not shown. */
  ask(question: string, options?: { initial?: string | undefined; hidden?: boolean }): Promise<string | undefined>;
  /** Undefined when there is nobody to ask. */
  confirm(question: string, initial: boolean): Promise<boolean | undefined>;
}

/** Nobody is there: everything has its default. */
export const noQuestions: Questions = {
  ask: (_question, { initial } = {}) => Promise.resolve(initial),
  confirm: () => Promise.resolve(undefined),
};

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Ends a question that waits; it rejects. */
  readonly signal: AbortSignal;
}

export function terminalQuestions({ input, output, signal }: Terminal): Questions {
  const read = async (prompt: string, hidden: boolean): Promise<string> => {
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    if (hidden) output.write(prompt); // readline would write it where the answer goes
    const lines = createInterface({ input, output: hidden ? nowhere : output, terminal: true });
    lines.once("SIGINT", () => process.kill(process.pid, "SIGINT")); // readline takes Ctrl-C for itself
    try {
      return (await lines.question(prompt, { signal })).trim();
    } finally {
      lines.close();
      if (hidden) output.write("\n");
    }
  };
  return {
    async ask(question, { initial, hidden = false } = {}) {
      const answer = await read(`  ${question}${initial === undefined ? "" : ` [${initial}]`}: `, hidden);
      return answer === "" ? initial : answer;
    },
    async confirm(question, initial) {
      const answer = await read(`  ${question} [${initial ? "Y/n" : "y/N"}] `, false);
      return answer === "" ? initial : /^y(es)?$/i.test(answer);
    },
  };
}
