/** What has become of replies and small calls, in numbers; since the process started. */
export interface SendCounts {
  sent: number;
  /** Attempts after which it was tried again. */
  retried: number;
  refused: number;
  expired: number;
  undecidable: number;
  rateLimited: number;
  /** Messages to groups that did not reach everybody. */
  partial: number;
  noticesSent: number;
  typingSent: number;
  typingFailed: number;
  readSent: number;
  readFailed: number;
  downloads: number;
  discards: number;
  /** Files that could not be removed from the REST server. */
  discardsFailed: number;
}

export function noCounts(): SendCounts {
  return {
    sent: 0,
    retried: 0,
    refused: 0,
    expired: 0,
    undecidable: 0,
    rateLimited: 0,
    partial: 0,
    noticesSent: 0,
    typingSent: 0,
    typingFailed: 0,
    readSent: 0,
    readFailed: 0,
    downloads: 0,
    discards: 0,
    discardsFailed: 0,
  };
}
