// `lambkin/websocket`: the clients of the app's WebSocket API.

import native from "lambkin:native/websocket";
import { bytesOf, errorOf, take } from "lambkin:guest/call";

export const WebSocketError = errorOf("WebSocketError");

const date = (milliseconds) => new Date(milliseconds);

export async function send(connectionId, message) {
  take(native.websocketSend(String(connectionId), bytesOf(message)), WebSocketError);
}

export async function close(connectionId) {
  take(native.websocketClose(String(connectionId)), WebSocketError);
}

export async function info(connectionId) {
  const { connectedAt, lastActiveAt, ...rest } = take(native.websocketInfo(String(connectionId)), WebSocketError);
  return { connectedAt: date(connectedAt), lastActiveAt: date(lastActiveAt), ...rest };
}
