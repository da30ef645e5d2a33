/** What a guest agent does when it is not well; a test switches it on while the agent runs. */
export interface Faults {
  /** Every answer comes so much later. */
  delayMs: number;
  /** Every call ends in status 500. */
  broken: boolean;
  /** Calls that need a quote fail, as when the driver does not answer. */
  withoutQuotes: boolean;
  /** Connections are closed in the middle of an answer. */
  hangUp: boolean;
}

export const noFaults: Readonly<Faults> = { delayMs: 0, broken: false, withoutQuotes: false, hangUp: false };
