"""{{name}}: an AWS Lambda handler. What it returns without a statusCode becomes the JSON body of a 200."""


def lambda_handler(event, context):
    parameters = event.get("pathParameters") or {}
    if "id" in parameters:
        return {"id": parameters["id"]}
    return {"message": "Hello from {{name}}!", "path": event.get("rawPath")}
