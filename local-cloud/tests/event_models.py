"""Parses events with the models of Powertools for AWS Lambda: one JSON line `{"model", "event"}` in, `ok` or the errors out."""

import json
import sys

from aws_lambda_powertools.utilities.parser import models

for line in sys.stdin:
    asked = json.loads(line)
    try:
        getattr(models, asked["model"]).model_validate(asked["event"])
        print("ok")
    except Exception as error:
        print(" ".join(str(error).split()))
