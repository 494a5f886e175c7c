// A developer at `/_lambkin`: the app's parts, a request with its lines and times, once more, the console and S3.
// Arguments: the app's URL, and where to leave a picture of the page.

import { args, browse, check } from "./browser.mjs";

const [url, picture] = args;

await browse(async (page) => {
  await page.setViewportSize({ width: 1400, height: 1200 });
  await page.goto(`${url}/_lambkin`);
  await page.getByRole("status").filter({ hasText: "live" }).waitFor();
  await page.getByRole("heading", { name: "shop" }).waitFor();
  check(await page.getByText("None yet").isVisible(), "nothing was asked yet");

  const routes = page.locator("#routes tr");
  await routes.filter({ hasText: "/orders" }).filter({ hasText: "POST" }).filter({ hasText: "orders" }).waitFor();
  await routes.filter({ hasText: "/assets/{proxy+}" }).filter({ hasText: "the files of public" }).waitFor();
  await routes.filter({ hasText: "WebSocket" }).filter({ hasText: "hello" }).waitFor();
  await routes.filter({ hasText: "s3" }).filter({ hasText: "uploads" }).waitFor();

  const orders = page.locator("#components details").filter({ hasText: "orders" });
  await orders.locator("summary").filter({ hasText: "javascript" }).filter({ hasText: "MiB" }).click();
  await orders.getByText("uploads").first().waitFor();
  await orders.getByText("wasi:clocks").first().waitFor();

  const body = "<b>two</b> apples";
  const answer = await fetch(`${url}/orders?from=here`, { method: "POST", headers: { "x-till": "7" }, body });
  check(answer.status === 201, `the order is taken: ${answer.status}`);
  const requests = page.locator("#requests tr");
  await requests.filter({ hasText: "201" }).getByRole("button", { name: "POST /orders?from=here" }).click();
  const request = page.locator("#request");
  await request.getByText("orders | an order: <b>two</b> apples").waitFor();
  await request.getByText("x-till: 7").waitFor();
  await request.locator("#timing").getByText("function", { exact: true }).waitFor();
  await request.locator("#timing").getByText("init", { exact: true }).waitFor();
  await request.locator("#timing").getByText("first use: load").waitFor();
  await request.locator("#body").getByText("<b>two</b> apples").waitFor();

  await request.getByRole("button", { name: "Send again" }).click();
  await requests.filter({ hasText: "201" }).nth(1).click();
  await request.getByText("orders | an order: <b>two</b> apples").waitFor();
  await request.getByText("x-till: 7").waitFor();

  await page.getByLabel("prefix").fill("in/");
  await page.getByRole("button", { name: "List" }).click();
  const objects = page.locator("#objects tr");
  await objects.filter({ hasText: "in/order.txt" }).filter({ hasText: String(body.length) }).waitFor();
  const href = await objects.getByRole("link", { name: "in/order.txt" }).getAttribute("href");
  check((await (await fetch(new URL(href, url))).text()) === body, "the link leads to the object");
  await requests.filter({ hasText: "EVENT uploads" }).first().waitFor();

  await page.getByRole("button", { name: "Connect" }).click();
  await page.locator("#messages").getByText("connected").waitFor();
  await page.getByLabel("message").fill('{"action": "hello"}');
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator("#messages").getByText("← good day").waitFor();
  await requests.filter({ hasText: "MESSAGE hello" }).waitFor();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: "Connect", exact: true }).waitFor();
  await page.screenshot({ path: picture, fullPage: true });
});
