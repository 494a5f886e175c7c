// `node:fs`: a component has no files of its own; everything throws, and says so.

import { refuse, refuseModule } from "lambkin:unsupported";

const no = (name) => refuse(`node:fs ${name}`);

export const existsSync = () => false;
export const readFileSync = no("readFileSync");
export const writeFileSync = no("writeFileSync");
export const appendFileSync = no("appendFileSync");
export const readdirSync = no("readdirSync");
export const statSync = no("statSync");
export const lstatSync = no("lstatSync");
export const mkdirSync = no("mkdirSync");
export const rmSync = no("rmSync");
export const unlinkSync = no("unlinkSync");
export const realpathSync = no("realpathSync");
export const openSync = no("openSync");
export const closeSync = no("closeSync");
export const createReadStream = no("createReadStream");
export const createWriteStream = no("createWriteStream");
export const readFile = no("readFile");
export const writeFile = no("writeFile");
export const readdir = no("readdir");
export const stat = no("stat");
export const lstat = no("lstat");
export const access = no("access");
export const mkdir = no("mkdir");
export const unlink = no("unlink");
export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };
export const promises = refuseModule("node:fs/promises", { constants });

export default refuseModule("node:fs", { existsSync, constants, promises });
