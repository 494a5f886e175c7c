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

  // What S3 refuses is told by the page too, which reads the answer of another origin.
  await page.locator("#photo").setInputFiles({ name: "huge.png", mimeType: "image/png", buffer: Buffer.alloc((5 << 20) + 1) });
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByRole("status").filter({ hasText: "S3 refuses huge.png: EntityTooLarge" }).waitFor();

  await page.reload();
  await page.locator("#photos tr").filter({ hasText: size }).waitFor();
});
