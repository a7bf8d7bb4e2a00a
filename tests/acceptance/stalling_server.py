#!/usr/bin/env python3
"""An HTTPS server that takes a request and never answers it: what nginx cannot be told to do.

stalling_server.py CERTIFICATE KEY PORT    listens on 127.0.0.1 until it is ended
"""

import socket
import ssl
import sys
import threading


def take(stream, context):
    """Reads whatever comes, and says nothing, until the client goes away."""
    try:
        with context.wrap_socket(stream, server_side=True) as tls:
            while tls.recv(4096):
                pass
    except OSError:
        # The client broke off: that is what the test is for.
        pass


def main(certificate, key, port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            stream, _ = listener.accept()
            threading.Thread(target=take, args=(stream, context), daemon=True).start()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
