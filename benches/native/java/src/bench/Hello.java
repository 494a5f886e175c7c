package bench;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

/** The handler on Java's own Lambda client, which hands the event over as a map. */
public final class Hello implements RequestHandler<Map<String, Object>, Map<String, Object>> {
    @Override
    public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
        Map<?, ?> parameters = (Map<?, ?>) event.get("pathParameters");
        String body =
                "{\"message\":\"Hello, "
                        + quoted(parameters.get("name"))
                        + "!\",\"path\":\""
                        + quoted(event.get("rawPath"))
                        + "\"}";
        return Map.of(
                "statusCode", 200,
                "headers", Map.of("content-type", "application/json"),
                "body", body);
    }

    private static String quoted(Object text) {
        return String.valueOf(text).replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
