class OutOfStock extends Error {
  name = "OutOfStock";
}

export function sell(what) {
  throw new OutOfStock(`no more ${what}`);
}
