// What the end-to-end tests ask of a function component.
export const handler = async (event, context) => {
  if (event.fail === "request") throw new RangeError("refused as asked");
  return { version: process.env.VERSION, event, requestId: context.awsRequestId };
};
