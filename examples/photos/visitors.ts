// Before an upload: whether the token is right. API Gateway keeps the answer for five minutes.

interface Asked {
  identitySource: string[];
}

export const handler = async ({ identitySource: [token] }: Asked) => ({
  isAuthorized: token === `Bearer ${process.env.TOKEN}`,
  context: { visitor: "somebody" },
});
