// What a client's program is told, and how it speaks with the person at the browser.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";

/** See fixtures.mjs. */
export const scene = JSON.parse(process.env.SCENE);

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Sends the person to an address; where they arrived. */
export async function visit(url) {
  console.log(`visit ${url}`);
  const { value } = await answers.next();
  return new URL(JSON.parse(value).url);
}

export const say = (line) => console.log(line);

/** Fails unless `work` is refused; what the refusal says. */
export async function refused(work) {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return assert.fail("it was not refused");
}

/** Ends the program, although standard input is still open. */
export function done() {
  process.stdin.destroy();
}
