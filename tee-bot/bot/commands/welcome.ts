/** For somebody who writes for the first time. */
export const welcome =
  "Hello! I pass what you write to a private AI model and bring you its answer. Your phone number is not kept, and what we say is forgotten after a while: `!privacy` tells what is kept, `!verify` shows where I run, `!help` lists the rest.";
