// A function on AWS's own Node runtime client: whole answers, streamed ones, errors.

exports.handler = async (event, context) => {
  console.log(`doing ${event.do}`);
  if (event.do === "fail") throw new TypeError("boom");
  if (event.do === "leave") process.exit(4);
  return { event, id: context.awsRequestId, arn: context.invokedFunctionArn, memory: context.memoryLimitInMB };
};

exports.streaming = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType("text/plain");
  stream.write("first,");
  if (event.fail) throw new RangeError("mid-stream");
  stream.write("second");
  stream.end();
});
