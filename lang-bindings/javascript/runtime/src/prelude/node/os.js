// `node:os`: what there is to say of a component's machine.

export const EOL = "\n";
export const devNull = "/dev/null";
export const arch = () => "wasm32";
export const platform = () => "linux";
export const type = () => "Linux";
export const release = () => "";
export const version = () => "";
export const machine = () => "wasm32";
export const hostname = () => "localhost";
export const homedir = () => "/";
export const tmpdir = () => "/tmp";
export const endianness = () => "LE";
export const cpus = () => [];
export const availableParallelism = () => 1;
export const totalmem = () => 0;
export const freemem = () => 0;
export const loadavg = () => [0, 0, 0];
export const uptime = () => performance.now() / 1e3;
export const networkInterfaces = () => ({});
export const userInfo = () => ({ username: "lambkin", uid: 1000, gid: 1000, shell: null, homedir: "/" });
export const constants = { signals: {}, errno: {} };

export default {
  EOL, devNull, arch, platform, type, release, version, machine, hostname, homedir, tmpdir, endianness, cpus,
  availableParallelism, totalmem, freemem, loadavg, uptime, networkInterfaces, userInfo, constants,
};
