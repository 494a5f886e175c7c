// What `lambkin/jobs` is built on, over StarlingMonkey's bindings of `lambkin:jobs`.

import * as host from "lambkin:jobs/jobs@0.1.0";
import { answer } from "./answer.js";

export default { jobsStart: (component, event) => answer(() => host.start(component, event)) };
