// A module whose top level needs what only an instance has.

const started = Date.now();
const chance = Math.random();
const greeting = process.env.GREETING;
const token = crypto.randomUUID();

export const handler = async () => ({ started, chance, greeting, token });
