// `node:process`.

import { process } from "lambkin:process";

export const { arch, argv, cwd, emitWarning, env, exit, hrtime, memoryUsage, nextTick, pid, platform, stderr, stdout, title, uptime, version, versions } = process;
export { process };
export default process;
