/** Longer names are nobody's, and matching must not take longer than a call. */
const maxNameLength = 512;

/** Whether a caller may use a model by this name; `*` stands for any text, also for none. */
export function isModelAllowed(globs: readonly string[] | undefined, name: string): boolean {
  if (!globs) return true;
  return name.length <= maxNameLength && globs.some((glob) => matches(glob, name));
}

/** Without a regular expression, which could be made to take exponential time. */
function matches(glob: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let letter = 0; letter < name.length;) {
    if (glob[at] === "*") {
      star = at++;
      resume = letter;
    } else if (glob[at] === name[letter]) {
      at++;
      letter++;
    } else if (star >= 0) {
      at = star + 1;
      letter = ++resume;
    } else return false;
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}
