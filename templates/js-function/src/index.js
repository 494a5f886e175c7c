// {{name}}: an AWS Lambda handler. What it returns without a statusCode becomes the JSON body of a 200.
export const handler = async (event, context) => {
  const id = event.pathParameters?.id;
  if (id !== undefined) return { id };
  return { message: "Hello from {{name}}!", path: event.rawPath };
};
