"""A Lambda handler as people write them: module-level state, lazy imports, loggers, a powertools resolver."""

import logging
import os
import random
import sys
import time

import helper
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

CALLS = []
GREETING = os.environ["GREETING"]
CHANCE = random.random()
STARTED = time.time()

logger = logging.getLogger(__name__)
logging.getLogger().setLevel(logging.INFO)
routes = APIGatewayHttpResolver()


@routes.get("/items/<item>")
def item(item: str):
    return {"id": item, "q": routes.current_event.query_string_parameters["q"]}


def lambda_handler(event, context):
    if "rawPath" in event:
        return routes.resolve(event, context)
    return OPERATIONS[event["op"]](context)


def reach(context):
    import uuid
    from datetime import datetime
    from decimal import Decimal

    import late

    return {
        "late": late.VALUE,
        "uuid": len(str(uuid.uuid4())),
        "date": datetime.strptime("02.01.2020", "%d.%m.%Y").date().isoformat(),
        "codec": "é".encode("cp1252").hex(),
        "gathered": helper.gather(),
        "pooled": helper.pool(),
        "number": Decimal("1.50"),
        "greeting": "Grüße",
        "nothing": None,
    }


def describe(context):
    return {
        "aws_request_id": context.aws_request_id,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "function": [context.function_name, context.function_version, context.invoked_function_arn],
        "log": [context.log_group_name, context.log_stream_name],
        "identity": context.identity.cognito_identity_id,
        "client": {"custom": context.client_context.custom, "title": context.client_context.client.app_title},
        "remaining": context.get_remaining_time_in_millis(),
    }


def fresh(context):
    import secrets
    import uuid

    return {
        "random": random.random(),
        "token": secrets.token_hex(8),
        "uuid": str(uuid.uuid4()),
        "now": time.time(),
        "module_random": CHANCE,
        "module_now": STARTED,
        "greeting": os.environ.get("GREETING"),
        "module_greeting": GREETING,
        "function_name": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
    }


def fail(context):
    helper.fail()


def hoard(context):
    kept = []
    while True:
        kept.append(bytearray(4 * 1024 * 1024))


def log(context):
    print("printed")
    print("printed", file=sys.stderr)
    logger.info("logged %d", 7)
    logger.debug("not logged")


OPERATIONS = {
    "reach": reach,
    "context": describe,
    "fresh": fresh,
    "calls": lambda context: CALLS.append(context.aws_request_id) or len(CALLS),
    "raise": fail,
    "bytes": lambda context: {"value": b"raw"},
    "exit": lambda context: sys.exit(3),
    "lookup": lambda context: {}["missing"],
    "hoard": hoard,
    "log": log,
}
