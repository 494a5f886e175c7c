// Before an upload: whether the token is right. API Gateway keeps the answer for five minutes.

interface Asked {
  authorizationToken: string;
  methodArn: string;
}

export const handler = async ({ authorizationToken, methodArn }: Asked) => {
  const Effect = authorizationToken === `Bearer ${process.env.TOKEN}` ? "Allow" : "Deny";
  const Statement = [{ Action: "execute-api:Invoke", Effect, Resource: methodArn }];
  return { principalId: "somebody", policyDocument: { Version: "2012-10-17", Statement } };
};
