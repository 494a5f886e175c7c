// What the emulators' other events are answered with.

class OutOfStock extends Error {
  name = "OutOfStock";
}

export const handler = async (event, context) => {
  if (event.order === 0) throw new OutOfStock("nothing left");
  return { order: event.order, known: context.awsRequestId.length > 0, left: context.getRemainingTimeInMillis() > 0 };
};
