// What `lambkin/websocket` is built on, over StarlingMonkey's bindings of `lambkin:websocket`.

import * as host from "lambkin:websocket/connections@0.1.0";
import { answer } from "./answer.js";

export default {
  websocketSend: (connection, message) => answer(() => host.send(connection, message)),
  websocketClose: (connection) => answer(() => host.close(connection)),
  websocketInfo: (connection) => answer(() => {
    const { connectedAtMs, lastActiveAtMs, ...rest } = host.info(connection);
    return { ...rest, connectedAt: Number(connectedAtMs), lastActiveAt: Number(lastActiveAtMs) };
  }),
};
