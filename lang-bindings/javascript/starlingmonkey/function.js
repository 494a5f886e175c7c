// The export `lambkin:function/handler` on StarlingMonkey: a Lambda handler, as Lambda's own Node runtime calls it.

import { begin, load } from "./load.js";
import { frames } from "./stack.js";

const isHandler = (value) => typeof value === "function";
await load(isHandler);

export const handler = {
  async handle(event, context) {
    try {
      const found = await begin([...lambda(context), ...context.environment], isHandler);
      return JSON.stringify(await call(found, JSON.parse(event), context)) ?? "null";
    } catch (error) {
      throw describe(error);
    }
  },
};

function call(found, event, about) {
  return new Promise((resolve, reject) => {
    const finish = (error, result) => (error === null || error === undefined ? resolve(result) : reject(error));
    const result = found.value.call(found.owner, event, makeContext(about, finish), finish);
    if (typeof result?.then === "function") result.then(resolve, reject);
    else if (result !== undefined || found.value.length < 3) resolve(result);
  });
}

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
function lambda(context) {
  const { name, version, memoryMb, logGroup, logStream } = context.function;
  const pairs = [
    ["AWS_LAMBDA_FUNCTION_NAME", name], ["AWS_LAMBDA_FUNCTION_VERSION", version],
    ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE", String(memoryMb)], ["AWS_LAMBDA_LOG_GROUP_NAME", logGroup],
    ["AWS_LAMBDA_LOG_STREAM_NAME", logStream], ["_X_AMZN_TRACE_ID", context.traceId ?? ""],
  ];
  return pairs.filter(([, value]) => value !== "");
}

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
function makeContext(about, finish) {
  const parse = (text) => (text ? JSON.parse(text) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: about.requestId,
    functionName: about.function.name,
    functionVersion: about.function.version,
    invokedFunctionArn: about.function.invokedArn,
    memoryLimitInMB: String(about.function.memoryMb),
    logGroupName: about.function.logGroup,
    logStreamName: about.function.logStream,
    clientContext: parse(about.clientContext),
    identity: parse(about.identity),
    tenantId: about.tenant,
    lambkin: { app: about.app, alias: about.alias, release: about.release, component: about.component },
    getRemainingTimeInMillis: () => Math.max(Number(about.deadlineMs) - Date.now(), 0),
    done: finish,
    succeed: (result) => finish(null, result),
    fail: (error) => finish(error ?? new Error("the handler failed")),
  };
}

function describe(thrown) {
  if (thrown instanceof Error) {
    return { errorType: String(thrown.name || "Error"), errorMessage: String(thrown.message), stackTrace: frames(thrown) };
  }
  const isError = typeof thrown === "object" && thrown !== null && typeof thrown.message === "string";
  const message = isError ? thrown.message : typeof thrown === "string" ? thrown : JSON.stringify(thrown) ?? String(thrown);
  return { errorType: String((isError && thrown.name) || typeof thrown), errorMessage: message, stackTrace: [] };
}
