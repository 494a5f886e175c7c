// What `@types/aws-lambda` says of the events that are judged, by the names that the tests use. Where AWS's own events are
// recorded otherwise, that is said here: the types ask for members that are absent, or do not know members that are there.

import type * as aws from "aws-lambda";

/** Knows of further members at every depth. */
type Open<T> = T extends (infer Item)[]
  ? Open<Item>[]
  : T extends object
    ? { [Key in keyof T]: Open<T[Key]> } & { [further: string]: unknown }
    : T;

type Optional<T, Key extends keyof T> = Omit<T, Key> & Partial<Pick<T, Key>>;

type Changed<T, With> = Omit<T, keyof With> & With;

/** Without an API key and a client's certificate there are no members for them, nor is there one for an absent authorizer. */
type Context<T> = Changed<
  Optional<aws.APIGatewayEventRequestContextWithAuthorizer<T>, "authorizer">,
  { identity: Optional<aws.APIGatewayEventIdentity, "apiKey" | "apiKeyId" | "clientCert"> }
>;

/** The types do not know of the deployment. */
type RestContext<T> = Context<T> & { deploymentId: string };

/** An HTTP API has no resources. */
type HttpContext<T> = Changed<Context<T>, { resourceId: null }>;

type Proxy<Context> = Changed<aws.APIGatewayProxyEventBase<undefined>, { requestContext: Context }>;

type Asked<Context> = Changed<aws.APIGatewayRequestAuthorizerEvent, { requestContext: Context }>;

/** What an authorizer said, beside what API Gateway adds. */
type Said = { principalId: string; integrationLatency: number; [context: string]: string | number };

/** Only messages have an id. */
type Connection = Optional<aws.APIGatewayEventWebsocketRequestContextV2, "messageId">;

/** A deletion has neither size nor ETag. */
type Deleted = Changed<aws.S3EventRecord["s3"], { object: Optional<aws.S3EventRecord["s3"]["object"], "size" | "eTag"> }>;

export interface Events {
  HttpApi: aws.APIGatewayProxyEventV2;
  HttpApiGuarded: aws.APIGatewayProxyEventV2WithLambdaAuthorizer<Record<string, unknown>>;
  HttpApiWithToken: aws.APIGatewayProxyEventV2WithJWTAuthorizer;
  HttpApi1: Proxy<HttpContext<{ claims: null; scopes: null }>> & { version: string };
  HttpApi1Guarded: Proxy<HttpContext<Record<string, string>>> & { version: string };
  RestApi: Proxy<RestContext<undefined>>;
  RestApiGuarded: Proxy<RestContext<Said>>;
  TokenAuthorizer: aws.APIGatewayTokenAuthorizerEvent;
  RequestAuthorizer: Asked<RestContext<undefined>>;
  RequestAuthorizer1: Open<Asked<HttpContext<undefined>>>;
  RequestAuthorizer2: Optional<aws.APIGatewayRequestAuthorizerEventV2, "cookies">;
  WebSocket: Open<aws.APIGatewayProxyWebsocketEventV2>;
  WebSocketConnection: Open<aws.APIGatewayProxyWebsocketEventV2WithRequestContext<Connection>>;
  FunctionUrl: aws.LambdaFunctionURLEvent;
  Alb: aws.ALBEvent;
  S3: aws.S3Event;
  S3Deleted: { Records: Changed<aws.S3EventRecord, { s3: Deleted }>[] };
  Sqs: aws.SQSEvent;
  Sns: aws.SNSEvent;
  EventBridge: aws.EventBridgeEvent<string, unknown>;
  Schedule: aws.ScheduledEvent;
  DynamoDb: aws.DynamoDBStreamEvent;
  Kinesis: aws.KinesisStreamEvent;
}

/** Fits only the event of the kind. */
export declare function fits<Kind extends keyof Events>(event: Events[Kind]): void;
