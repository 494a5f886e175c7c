// The same file runs on Node's Lambda client and as a Lambkin component.
export const handler = async (event) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ message: `Hello, ${event.pathParameters.name}!`, path: event.rawPath }),
});
