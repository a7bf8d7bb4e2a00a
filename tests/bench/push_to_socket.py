"""Sends 1,000 messages a second to a service for ten seconds, and prints how long each took from the POST to a WebSocket.

Usage: push_to_socket.py HOST:PORT TOKEN
"""

import base64
import json
import os
import socket
import struct
import sys
import threading
import time

RATE, SECONDS, SENDERS = 1000, 10, 8


def follow(address, seen, ready, expected):
    """Reads text frames of /live until all messages came."""
    with socket.create_connection(address) as connection:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /live?queue=bench HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        reader = connection.makefile("rb")
        assert b" 101 " in reader.readline()
        while reader.readline() != b"\r\n":
            pass
        ready.set()
        while len(seen) < expected:
            first, length = reader.read(2)
            length &= 127
            if length == 126:
                (length,) = struct.unpack(">H", reader.read(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", reader.read(8))
            body, now = reader.read(length), time.monotonic()
            if first & 15 == 1 and (message := json.loads(body).get("message")):
                seen[message["body"]] = now


def send(address, token, number, sent):
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, begin = connection.makefile("rb"), time.monotonic()
        for place in range(number, RATE * SECONDS, SENDERS):
            time.sleep(max(0, begin + place / RATE - time.monotonic()))
            body = str(place)
            sent[place] = time.monotonic()
            connection.sendall(
                f"POST /api/v1/messages?queue=bench HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            assert b" 202 " in reader.readline()
            length = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            reader.read(length)


def main():
    host, port = sys.argv[1].split(":")
    address, sent, seen, ready = (host, int(port)), {}, {}, threading.Event()
    follower = threading.Thread(target=follow, args=(address, seen, ready, RATE * SECONDS))
    follower.start()
    ready.wait()
    begun = time.monotonic()
    senders = [threading.Thread(target=send, args=(address, sys.argv[2], number, sent)) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    follower.join()
    took = sorted((seen[place] - sent[place]) * 1000 for place in sent)
    rate = len(sent) / (time.monotonic() - begun)
    print(f"socket: {rate:.0f} messages/s, from the POST to the WebSocket p50 {took[len(took) // 2]:.1f} ms, p99 {took[len(took) * 99 // 100]:.1f} ms")


main()
