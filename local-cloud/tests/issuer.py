"""An OpenID issuer on PyJWT: it serves its configuration and keys, and signs what standard input asks for."""

import http.server
import json
import sys
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
JWK = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "one", "alg": "RS256", "use": "sig"}
CURVE_JWK = {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(CURVE.public_key())), "kid": "curve", "alg": "ES256"}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answers = {
            "/.well-known/openid-configuration": {"issuer": URL, "jwks_uri": f"{URL}/keys"},
            "/keys": {"keys": [JWK, CURVE_JWK]},
        }
        answer = answers.get(self.path)
        self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
URL = f"http://127.0.0.1:{server.server_address[1]}"
threading.Thread(target=server.serve_forever, daemon=True).start()
print(URL, flush=True)

HOW = {
    "good": (KEY, "RS256", "one"),
    "other key": (OTHER, "RS256", "one"),
    "unknown key": (OTHER, "RS256", "two"),
    "ES256": (CURVE, "ES256", "curve"),
    "HS256": ("a secret of more than thirty-two bytes", "HS256", "one"),
    "none": (None, "none", "one"),
}
for line in sys.stdin:
    asked = json.loads(line)
    now = int(time.time())
    claims = {"iss": URL, "sub": "user-1", "aud": "shop", "iat": now, "exp": now + 600, "groups": ["a", "b"], "scope": "openid"}
    claims.update(asked["claims"])
    claims = {name: value for name, value in claims.items() if value is not None}
    key, algorithm, key_id = HOW[asked["how"]]
    print(jwt.encode(claims, key, algorithm, headers={"kid": key_id}), flush=True)
