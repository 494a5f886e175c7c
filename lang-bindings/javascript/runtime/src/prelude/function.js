// Lambda handlers: `handler(event, context[, callback])`, as Lambda's own Node runtime calls them.

import native from "lambkin:native";
import { handler } from "lambkin:load";
import { describeError } from "lambkin:inspect";
import { setFatal, setIdle } from "lambkin:process";

/** Calls the handler; the answer is `{ answer }`, JSON text, or `{ error }`. */
export async function invokeFunction(event, about) {
  try {
    if (handler?.kind !== "function") throw new TypeError("the module exports no handler function");
    const result = await new Promise((resolve, reject) => {
      setFatal(reject);
      call(handler.call, event, about, resolve, reject);
    });
    return { answer: JSON.stringify(result) ?? "null" };
  } catch (error) {
    return { error: describeError(error) };
  } finally {
    setFatal(undefined);
    setIdle(undefined);
  }
}

function call(handle, event, about, resolve, reject) {
  // A callback's answer waits until nothing is left to do, unless the handler asks otherwise.
  // https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
  const finish = (error, result) => {
    if (error !== null && error !== undefined) reject(error);
    else if (context.callbackWaitsForEmptyEventLoop) setIdle(() => resolve(result));
    else resolve(result);
  };
  const context = makeContext(about, finish);
  setIdle(() => resolve(null));
  const result = handle(event, context, finish);
  if (typeof result?.then === "function") {
    setIdle(() => {
      native.write(2, "Warning: the handler's promise never settled: no timer and no request is left to wait for\n");
      resolve(null);
    });
    result.then(resolve, reject);
  } else if (result !== undefined) {
    resolve(result);
  }
}

// The context object of Lambda's Node runtime.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
function makeContext(about, finish) {
  const parse = (text) => (text ? JSON.parse(text) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: about.requestId,
    functionName: about.name,
    functionVersion: about.version,
    invokedFunctionArn: about.arn,
    memoryLimitInMB: String(about.memory),
    logGroupName: about.logGroup,
    logStreamName: about.logStream,
    clientContext: parse(about.clientContext),
    identity: parse(about.identity),
    tenantId: about.tenant ?? undefined,
    lambkin: { app: about.app, alias: about.alias, release: about.release, component: about.component },
    getRemainingTimeInMillis: () => Math.max(about.deadline - Date.now(), 0),
    done: finish,
    succeed: (result) => finish(null, result),
    fail: (error) => finish(error ?? new Error("the handler failed")),
  };
}
