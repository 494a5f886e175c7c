// A visitor of examples/photos: uploads a picture by the page's form, and hears of its size on the page's WebSocket.
// Arguments: the page's URL, a picture and its size as the page writes it.

import { args, browse, check } from "./browser.mjs";

const [url, picture, size] = args;

await browse(async (page) => {
  await page.goto(url);
  await page.getByRole("status").filter({ hasNotText: "connecting" }).waitFor();
  await page.locator("#photo").setInputFiles(picture);

  await page.getByPlaceholder("token").fill("guess");
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByRole("status").filter({ hasText: "refused" }).waitFor();
  check((await page.locator("#photos tr").filter({ hasText: size }).count()) === 0, "a wrong token uploads nothing");

  await page.getByPlaceholder("token").fill("let me in");
  await page.getByRole("button", { name: "Upload" }).click();
  await page.locator("#photos tr").filter({ hasText: size }).waitFor();

  await page.reload();
  await page.locator("#photos tr").filter({ hasText: size }).waitFor();
});
