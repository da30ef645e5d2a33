const pollMs = 500;

/**
 * Aborts when the process that started this one is gone, so that a killed `npm start` leaves nothing behind. Only for
 * starts through npm: one that is put into the background on purpose may outlive its shell.
 */
export function onParentGone(): AbortSignal {
  const controller = new AbortController();
  if (process.env["npm_lifecycle_event"] === undefined) return controller.signal;
  const parent = process.ppid;
  const poll = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(poll);
    controller.abort(new Error("npm is gone"));
  }, pollMs);
  poll.unref();
  return controller.signal;
}
