// What the scripts here share: a browser that knows nothing of the machine's own, and a check with words.
// Arguments: the folder that Playwright is installed in, the browser's program, then the script's own.

import { createRequire } from "node:module";

const [, , playwright, executablePath, ...rest] = process.argv;
const { chromium } = createRequire(`${playwright}/`)("playwright-core");

export const args = rest;

export function check(holds, what) {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

/** Runs `visit` with a new page; what the page logs as an error, or throws, fails it. */
export async function browse(visit) {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await visit(page);
    check(errors.length === 0, `the page has no errors: ${errors}`);
  } finally {
    await browser.close();
  }
}
