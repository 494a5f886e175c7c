"""An existing Lambda handler, as it runs on Lambda's own Python."""

import json


def lambda_handler(event, context):
    name = event["pathParameters"]["name"]
    print(f"greeting {name}")
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"language": "Python", "greeting": f"Hola, {name}!"}),
    }
