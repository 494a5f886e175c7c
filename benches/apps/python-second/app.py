"""Another app on the same engine: what two apps have in common is the engine, not the handler."""

import json
from dataclasses import asdict, dataclass

GREETINGS = {"cs": "Ahoj, {}!", "de": "Hallo, {}!", "en": "Hello, {}!", "es": "¡Hola, {}!"}


@dataclass
class Answer:
    message: str
    path: str


def lambda_handler(event, context):
    language = (event.get("queryStringParameters") or {}).get("lang", "en")
    greeting = GREETINGS.get(language, GREETINGS["en"]).format(event["pathParameters"]["name"])
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(asdict(Answer(greeting, event["rawPath"]))),
    }
