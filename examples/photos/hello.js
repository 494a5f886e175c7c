// A client that says hello is told its own connection, which it names when it uploads.

export const handler = async ({ requestContext }) => ({
  statusCode: 200,
  body: JSON.stringify({ connection: requestContext.connectionId }),
});
