// Somebody who opens a page of the app while its sources cannot be built.
// Arguments: the app's URL, and a word that the builder's message has.

import { args, browse, check } from "./browser.mjs";

const [url, word] = args;

await browse(async (page) => {
  const answer = await page.goto(url);
  check(answer.status() >= 500, `the status is the gateway's: ${answer.status()}`);
  await page.getByRole("heading", { name: "The sources cannot be built" }).waitFor();
  await page.getByText(word).first().waitFor();
  await page.getByRole("link", { name: "All requests" }).click();
  await page.getByRole("alert").filter({ hasText: word }).waitFor();
});
