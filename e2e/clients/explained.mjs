// What the server knows about the refusals whose trace ids a text names.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const TRACE_ID = /\b[0-9a-f]{32}\b/g;

/** `postern explain` for each trace id in `text`. */
export async function explained(text) {
  const { POSTERN, DATA } = process.env;
  const ids = [...new Set(text.match(TRACE_ID))];
  const explain = (id) => promisify(execFile)(POSTERN, ["explain", id, "--data-dir", DATA]);
  const answers = await Promise.allSettled(ids.map(explain));
  return answers.filter(({ status }) => status === "fulfilled").map(({ value }) => value.stdout);
}
