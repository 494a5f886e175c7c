import os

from flask import Flask, Response, jsonify, request

app = Flask(__name__)


@app.get("/items/<item>")
def item(item):
    return jsonify(id=item, q=request.args.getlist("q"))


@app.post("/echo")
def echo():
    return jsonify(request.get_json())


@app.post("/bytes")
def raw():
    return Response(request.get_data(), mimetype="application/octet-stream")


@app.get("/cookies")
def cookies():
    response = Response("ok")
    response.set_cookie("seen", ".".join(sorted(request.cookies)))
    response.set_cookie("second", "2")
    return response


@app.get("/throw")
def throw():
    return str(1 / 0)


@app.get("/stream")
def stream():
    return Response((f"part {number}\n" for number in range(3)), mimetype="text/plain")


@app.get("/environment")
def environment():
    return jsonify(greeting=os.environ["GREETING"], id=request.headers["x-lambkin-request-id"])
