// An existing Lambda handler, as it runs on Node: event in, answer out.
export const handler = async (event, context) => {
  console.log(`greeting ${event.pathParameters.name}`);
  return {
    language: "JavaScript",
    greeting: `${process.env.GREETING}, ${event.pathParameters.name}!`,
    requestId: context.awsRequestId,
  };
};
