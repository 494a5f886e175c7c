// `lambkin/jobs`: components of the app that are started and not waited for.

import native from "lambkin:native/jobs";
import { errorOf, take } from "lambkin:guest/call";

export const JobsError = errorOf("JobsError");

export async function start(component, event = {}) {
  return take(native.jobsStart(String(component), JSON.stringify(event) ?? "null"), JobsError);
}
